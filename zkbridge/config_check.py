"""What each line of a zoo.cfg becomes, for a person who reads it: the report of `zkbridge config check`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zkbridge.config import Config, ConfigError, build_config
from zkbridge.flags import FLAGS
from zkbridge.zoo_cfg import Entry, ZooCfg
from zkbridge.zoo_cfg_files import read_my_id, read_zoo_cfg_file
from zkbridge.zoo_keys import Outcome

__all__ = ["Report", "check_config", "report_of"]

_HIDDEN = "***"
_WIDTH_MAX = 44
"""Of the column with the file's lines: one long line does not push all the answers off the screen."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: what stands there, and what becomes of it."""

    number: int
    text: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """`config`: what a server would start with; None if it would not start. `further`: what no line is to blame for."""

    path: str
    lines: tuple[Line, ...]
    further: tuple[str, ...]
    config: Config | None

    def text(self, refusal: str = "") -> str:
        """The whole report. `refusal`: what the disk says against a start, if anything."""
        width = min(max((len(line.text) for line in self.lines), default=0), _WIDTH_MAX)
        rows = [self.path]
        for line in self.lines:
            rows.append(f"{line.number:5}  {line.text:{width}}  {line.outcome.value:9}  {line.reason}")
        rows += [f"       {text}" for text in (*self.further, refusal) if text]
        rows.append("A server would not start with it." if self.config is None or refusal else _start(self.config))
        return "\n".join(rows)


def check_config(path: str, flags: Mapping[str, str | None]) -> Report:
    """Judges a file as a start with these flags would. Raises ConfigError if a file can't be read."""
    zoo_cfg = read_zoo_cfg_file(path)
    return report_of(zoo_cfg, path, flags, read_my_id(flags.get("data_dir"), zoo_cfg))


def report_of(zoo_cfg: ZooCfg, path: str, flags: Mapping[str, str | None], my_id: int | None) -> Report:
    """`check_config` without the reading."""
    config: Config | None = None
    errors: list[str] = []
    try:
        config = build_config(flags, zoo_cfg, path, my_id)
    except ConfigError as error:
        errors = [text.removeprefix(f"{path}: ") for text in str(error).splitlines()]
    reasons: dict[str, str] = {}
    further: list[str] = []
    names = {name for entry in zoo_cfg.entries for name in (entry.written, entry.name)}
    for text in errors:
        name, _, reason = text.partition(": ")
        if name in names and name not in reasons:
            reasons[name] = reason
        else:
            further.append(text)
    overridden = _overridden(flags)
    lines = [_line(entry, zoo_cfg, reasons, overridden) for entry in zoo_cfg.entries]
    return Report(path, tuple(lines), tuple(further), config)


def _line(entry: Entry, zoo_cfg: ZooCfg, reasons: Mapping[str, str], overridden: Mapping[str, str]) -> Line:
    value = _HIDDEN if entry.key is not None and entry.key.is_secret else entry.value
    text = f"{entry.written}={value}"
    last = next(one for one in reversed(zoo_cfg.entries) if one.name == entry.name)
    reason = reasons.get(entry.written) or reasons.get(entry.name)
    if last is not entry:
        return Line(entry.line, text, Outcome.NO_EFFECT, f"line {last.line} says it again")
    if reason is not None:
        return Line(entry.line, text, Outcome.REFUSED, reason)
    if entry.key is None:
        return Line(entry.line, text, Outcome.NO_EFFECT, entry.warning)
    if entry.name in overridden:
        return Line(entry.line, text, Outcome.NO_EFFECT, f"{overridden[entry.name]} wins over it")
    if entry.key.outcome is Outcome.REFUSED:  # with a value that says what is done anyway
        return Line(entry.line, text, Outcome.WORKS, "It says what is so anyway.")
    return Line(entry.line, text, entry.key.outcome, entry.warning or entry.key.text)


def _overridden(flags: Mapping[str, str | None]) -> dict[str, str]:
    """Keys of the file that a flag or its variable wins over."""
    return {
        zoo_key: f"--{flag.name} (or {flag.variable})"
        for flag in FLAGS
        if flags.get(flag.key) is not None
        for zoo_key in flag.zoo_keys
        if zoo_key != "server.N"
    }


def _start(config: Config) -> str:
    """What a server would be that starts with it."""
    mode = "standalone" if config.leader is None else "leader"
    parts = [f"clients at {config.client_host or '*'}:{config.client_port}", f"mode {mode}"]
    parts.append(f"data in {Path(config.data_dir)}")
    if config.etcd_addr:
        parts.append(f"etcd's API at {config.etcd_addr}")
    if config.admin is not None:
        parts.append(f"AdminServer at {config.admin.host or '*'}:{config.admin.port}")
    if config.metrics is not None:
        parts.append(f"metrics at {config.metrics.host or '*'}:{config.metrics.port}")
    return f"A server would start with it: {', '.join(parts)}."
