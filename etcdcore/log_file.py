"""A log file that is set aside when it is full, as the rotation that etcd uses does it.

`<name>-<UTC time>.<suffix>` beside the file is what was set aside; the oldest go by number or age. A line is never cut
in two: it goes whole into the file that is there when it comes.
"""

import gzip
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from etcdcore.config import ConfigError

_MEGABYTE: Final = 1 << 20
_DAY_S: Final = 86_400
SIZE_DEFAULT_MB: Final = 100


@dataclass(frozen=True, slots=True)
class RotationRules:
    """Sizes in megabytes, ages in days; 0 is no limit for `maxage` and `maxbackups`."""

    maxsize: int = SIZE_DEFAULT_MB
    maxage: int = 0
    maxbackups: int = 0
    localtime: bool = False
    compress: bool = False


def read_rotation_rules(text: str) -> RotationRules:
    """The flag's JSON. Raises ConfigError that names the key."""
    if not text:
        return RotationRules()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--log-rotation-config-json is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError('--log-rotation-config-json must be an object, as in {"maxsize": 100}')
    known = {"maxsize": int, "maxage": int, "maxbackups": int, "localtime": bool, "compress": bool}
    for key, value in found.items():
        is_fit = isinstance(value, int) and type(value) is known.get(key) and value >= 0
        if not is_fit:
            raise ConfigError(
                f"--log-rotation-config-json: {key} = {value!r}; known are {', '.join(known)}, not negative"
            )
    rules = RotationRules(**found)
    return rules if rules.maxsize else RotationRules(**{**found, "maxsize": SIZE_DEFAULT_MB})


@final
class RotatingFile:
    """Open for appending. Raises OSError when it is opened; later failures go to whoever writes."""

    def __init__(self, path: Path, rules: RotationRules) -> None:
        self._path: Final = path
        self._rules: Final = rules
        self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # open for good
        self._size = path.stat().st_size

    def write(self, text: str) -> int:
        """One line, or several."""
        size = len(text.encode())
        if self._size and self._size + size > self._rules.maxsize * _MEGABYTE:
            self._rotate()
        self._size += size
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()

    def _rotate(self) -> None:
        self._file.close()
        now_s = time.time()
        shown = time.localtime(now_s) if self._rules.localtime else time.gmtime(now_s)
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S", shown) + f".{int(now_s * 1000) % 1000:03d}"
        aside = self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")
        self._path.rename(aside)
        self._file = open(self._path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # as above
        self._size = 0
        if self._rules.compress:
            with aside.open("rb") as source, gzip.open(f"{aside}.gz", "wb") as target:
                while piece := source.read(_MEGABYTE):
                    target.write(piece)
            aside.unlink()
        self._drop_old(now_s)

    def _drop_old(self, now_s: float) -> None:
        rules = self._rules
        pattern = f"{self._path.stem}-????-??-??T??-??-??.???{self._path.suffix}"
        aside = sorted([*self._path.parent.glob(pattern), *self._path.parent.glob(pattern + ".gz")], reverse=True)
        for number, path in enumerate(aside):
            is_old = rules.maxage > 0 and now_s - path.stat().st_mtime > rules.maxage * _DAY_S
            if is_old or (rules.maxbackups > 0 and number >= rules.maxbackups):
                path.unlink()
