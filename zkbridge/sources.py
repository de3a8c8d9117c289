"""Where a setting may come from: a flag or its environment variable, then the zoo.cfg, then the default."""

import re
from collections.abc import Mapping
from typing import Final

from zkbridge.flags import FLAG_BY_KEY
from zkbridge.zoo_cfg import INT32_MAX, ZooCfg, java_int
from zkbridge.zoo_keys import Kind, find_key

__all__ = ["INT32_MAX", "ConfigError", "Sources"]


class ConfigError(Exception):
    """What is wrong with the configuration: one line for each cause, with its cure."""


class Sources:
    """Gathers `errors` instead of stopping at the first. Values of a file that can't be read at all were refused, or
    made the default, when the file was: here they count as absent."""

    def __init__(self, flags: Mapping[str, str | None], zoo_cfg: ZooCfg | None, path: str) -> None:
        self._flags: Final = flags
        self._settings: Final[Mapping[str, str]] = {} if zoo_cfg is None else zoo_cfg.settings
        self.has_file: Final = zoo_cfg is not None
        self.path: Final = path
        self.errors: Final[list[str]] = [f"{path}: {refusal}" for refusal in (zoo_cfg.refusals if zoo_cfg else ())]

    def flag(self, flag_key: str | None) -> tuple[str, str] | None:
        """(text, where it stands) of a flag or its variable."""
        text = None if flag_key is None else self._flags.get(flag_key)
        if flag_key is None or text is None:
            return None
        flag = FLAG_BY_KEY[flag_key]
        return text.strip(), f"--{flag.name} (or {flag.variable})"

    def text(self, flag_key: str | None, zoo_key: str | None, default: str, file_default: str | None = None) -> str:
        found = self.flag(flag_key)
        if found is not None:
            return found[0]
        if zoo_key is not None and zoo_key in self._settings:
            return self._settings[zoo_key]
        return file_default if self.has_file and file_default is not None else default

    def number(
        self,
        flag_key: str | None,
        zoo_key: str | None,
        default: int,
        file_default: int | None = None,
        *,
        least: int = 0,
        most: int = INT32_MAX,
        is_raised: bool = False,
    ) -> int:
        """`is_raised`: what is below `least` in a file counts as `least`, since ZooKeeper takes it. A flag's number may
        have 0x in front."""
        found = self.flag(flag_key)
        if found is not None:
            text, place = found
            is_number = re.fullmatch(r"-?(\d+|0[xX][0-9a-fA-F]+)", text) is not None
            number = int(text, 16 if "x" in text.lower() else 10) if is_number else least - 1
        else:
            text = self._settings.get(zoo_key or "", "")
            read = None if zoo_key is None else _zoo_number(zoo_key, text)
            if read is None:
                return file_default if self.has_file and file_default is not None else default
            place = f"{self.path}: {zoo_key}"
            number = max(read, least) if is_raised else read
        if not least <= number <= most:
            self.errors.append(f"{place}: {text!r}, expected a whole number from {least} to {most}")
            return default
        return number

    def boolean(self, flag_key: str | None, zoo_key: str | None, default: bool) -> bool:
        found = self.flag(flag_key)
        if found is not None:
            text, place = found
            if text.lower() in ("true", "yes"):
                return True
            if text.lower() not in ("false", "no"):
                self.errors.append(f"{place}: {text!r}, expected true or false")
            return False
        if zoo_key is None or zoo_key not in self._settings:
            return default
        key = find_key(zoo_key)
        assert key is not None and key.kind in (Kind.TRUE, Kind.BOOL, Kind.YES), zoo_key
        text = self._settings[zoo_key]
        return text == "yes" if key.kind is Kind.YES else text.lower() == "true"

    def choice(self, flag_key: str | None, zoo_key: str | None, default: str, choices: tuple[str, ...]) -> str:
        found = self.flag(flag_key)
        if found is None and zoo_key is not None and zoo_key in self._settings:
            found = self._settings[zoo_key], f"{self.path}: {zoo_key}"
        if found is None:
            return default
        text, place = found
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        self.errors.append(f"{place}: {text!r}, expected one of {', '.join(choices)}")
        return default


def _zoo_number(zoo_key: str, text: str) -> int | None:
    key = find_key(zoo_key)
    assert key is not None and key.kind in (Kind.INT, Kind.PROPERTY_INT), zoo_key
    if key.kind is Kind.PROPERTY_INT:
        return java_int(text)
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
