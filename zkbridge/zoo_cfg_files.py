"""The files of a ZooKeeper server's configuration: its zoo.cfg, the dynamic file that this may name, and `myid`."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from zkbridge.properties import parse_properties
from zkbridge.sources import ConfigError
from zkbridge.zoo_cfg import ZooCfg, is_about_members, read_zoo_cfg

__all__ = ["read_my_id", "read_text", "read_zoo_cfg_file"]


def read_zoo_cfg_file(path: str) -> ZooCfg:
    """The file, and the dynamic configuration file that it may name, which is read as ZooKeeper reads it, but never
    written: ZooKeeper moves lines from one into the other. Raises ConfigError."""
    zoo_cfg = _read_file(path, read_zoo_cfg)
    dynamic_path = zoo_cfg.settings.get("dynamicConfigFile", "")
    if not dynamic_path:
        return zoo_cfg
    dynamic = {one.key: one.value for one in _read_file(dynamic_path, parse_properties)}
    refusals = list(zoo_cfg.refusals)
    for key in zoo_cfg.members:
        if key != "version":
            refusals.append(f"{key}: belongs into {dynamic_path}, which dynamicConfigFile names")
    for key in dynamic:
        if key == "version":
            refusals.append(f"dynamicConfigFile: {dynamic_path} has a version inside; its name's ending is the version")
        elif not is_about_members(key):
            refusals.append(f"dynamicConfigFile: {dynamic_path} has {key}, which belongs into {path}")
    ending = dynamic_path.rpartition(".")[2]
    if "." in dynamic_path and re.fullmatch("[0-9a-fA-F]+", ending):
        dynamic["version"] = ending
    return replace(zoo_cfg, members=dynamic, refusals=tuple(refusals))


def read_text(path: str) -> str:
    """A file as it stands. Raises ConfigError."""
    return _read_file(path, str)


_Content = TypeVar("_Content")


def _read_file(path: str, read: Callable[[str], _Content]) -> _Content:
    """Java reads the file as Latin-1, in which every byte is a letter. It is UTF-8 today if anybody looks; a comment in
    an old encoding must not end the start, though."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); give --config a readable file") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        return read(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_my_id(data_dir: str | None, zoo_cfg: ZooCfg) -> int | None:
    """The file myid of the data directory, or of the one that the zoo.cfg names; None without it, as for ZooKeeper."""
    for directory in (data_dir, zoo_cfg.settings.get("dataDir")):
        if directory and (Path(directory).expanduser() / "myid").is_file():
            path = Path(directory).expanduser() / "myid"
            text = _read_file(str(path), lambda content: content.split("\n")[0].removesuffix("\r"))
            if re.fullmatch(r"[+-]?[0-9]+", text) is None:
                raise ConfigError(f"{path}: {text!r} is not a number; write the N of this server's server.N line")
            return int(text)
    return None
