"""structlog's set-up for a server of its own process: one JSON object a line, under zap's keys as etcd writes them.

`level`, `ts`, `caller`, `msg`, then the event's fields. A program that embeds a server sets up its own logs.
"""

import logging
import sys
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

from etcdcore.config import ConfigError, ServerConfig
from etcdcore.log_file import RotatingFile, read_rotation_rules

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
_ZAP_LEVELS: Final = {"warning": "warn", "critical": "fatal", "exception": "error"}
_FIRST_KEYS: Final = ("level", "ts", "caller", "msg")


class _Outputs:
    """Several files as one; each line goes to all of them."""

    def __init__(self, files: list["LogFile"]) -> None:
        self._files: Final = files

    def write(self, text: str) -> int:
        for file in self._files:
            file.write(text)
        return len(text)

    def flush(self) -> None:
        for file in self._files:
            file.flush()


LogFile = TextIO | RotatingFile | _Outputs


def set_up_logs(config: ServerConfig) -> None:
    """Once, before anything logs. Raises ConfigError if an output cannot be opened."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True, key="ts"),
        structlog.processors.CallsiteParameterAdder(
            [structlog.processors.CallsiteParameter.PATHNAME, structlog.processors.CallsiteParameter.LINENO]
        ),
        structlog.processors.format_exc_info,
        _zap_keys,
    ]
    if config.log_format == "console":
        processors.append(_console_line)
    else:
        processors.append(structlog.processors.JSONRenderer(default=str, separators=(",", ":")))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[config.log_level]),
        logger_factory=structlog.WriteLoggerFactory(file=_open_outputs(config)),  # type: ignore[arg-type]  # write, flush
        cache_logger_on_first_use=True,
    )


def _zap_keys(logger: object, method: str, event: EventDict) -> EventDict:
    path = Path(str(event.pop("pathname", "")))
    level = str(event.pop("level"))
    first: EventDict = {
        "level": _ZAP_LEVELS.get(level, level),
        "ts": event.pop("ts"),
        "caller": f"{path.parent.name}/{path.name}:{event.pop('lineno', 0)}",
        "msg": event.pop("event"),
    }
    return {**first, **event}


def _console_line(logger: object, method: str, event: EventDict) -> str:
    head = "\t".join((str(event["ts"]), str(event["level"]).upper(), str(event["caller"]), str(event["msg"])))
    fields = {key: value for key, value in event.items() if key not in _FIRST_KEYS}
    return (
        f"{head}\t{structlog.processors.JSONRenderer(default=str, separators=(',', ':'))(None, '', fields)!s}"
        if fields
        else head
    )


def _open_outputs(config: ServerConfig) -> LogFile:
    files: list[LogFile] = []
    for name in config.log_outputs or ("default",):
        if name in ("default", "stderr"):
            files.append(sys.stderr)
        elif name == "stdout":
            files.append(sys.stdout)
        else:
            try:
                files.append(_open_file(config, Path(name)))
            except OSError as error:
                raise ConfigError(
                    f"--log-outputs: {name} can't be opened ({error.strerror}); name a file that can be "
                    "written, stdout or stderr"
                ) from error
    if config.enable_log_rotation and not any(isinstance(file, RotatingFile) for file in files):
        raise ConfigError("--enable-log-rotation needs a file in --log-outputs")
    return files[0] if len(files) == 1 else _Outputs(files)


def _open_file(config: ServerConfig, path: Path) -> LogFile:
    if config.enable_log_rotation:
        return RotatingFile(path, read_rotation_rules(config.log_rotation_config_json))
    return open(path, "a", encoding="utf-8", buffering=1)
