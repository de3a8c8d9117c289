"""etcd's configuration file: YAML (so JSON too), keys named as the flags, durations as nanoseconds or as text.

Two sections hold TLS settings under names of their own, one the discovery's, one the sockets'.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from etcdcore.config import ConfigError
from etcdcore.flags.settings import parse_flag
from etcdcore.flags.table import FLAGS, Flag
from etcdcore.flags.values import DURATION, GATES, LIST, SIGNED, SWITCH, TEXT, UNSIGNED, URLS, Value

_SECURITY: Final = {
    "cert-file": "cert-file",
    "key-file": "key-file",
    "client-cert-file": "client-cert-file",
    "client-key-file": "client-key-file",
    "client-cert-auth": "client-cert-auth",
    "trusted-ca-file": "trusted-ca-file",
    "auto-tls": "auto-tls",
    "allowed-cn": "cert-allowed-cn",
    "allowed-hostname": "cert-allowed-hostname",
    "skip-client-san-verification": "skip-client-san-verification",
    "client-crl-file": "client-crl-file",
    "crl-file": "client-crl-file",
}
_SECTIONS: Final = {
    "client-transport-security": _SECURITY | {"allowed-hostname": "client-cert-allowed-hostname"},
    "peer-transport-security": {key: f"peer-{name}" for key, name in _SECURITY.items()}
    | {"client-crl-file": "peer-crl-file", "crl-file": "peer-crl-file"},
    "socket-options": {"reuse-port": "socket-reuse-port", "reuse-address": "socket-reuse-address"},
    "discovery-config": {
        "discovery-token": "discovery-token",
        "discovery-endpoints": "discovery-endpoints",
    },
}
_KINDS: Final = {SWITCH: "true or false", UNSIGNED: "a whole number", SIGNED: "a whole number", TEXT: "text"}


def read_config_file(path: Path) -> dict[str, Value]:
    """The values that the file sets, by flag name. Raises ConfigError that names the file and the key."""
    import yaml  # late: most servers have no file

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); give --config-file a readable file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path}: expected keys and values, as in name: infra1")
    values: dict[str, Value] = {}
    for key, content in document.items():
        section = _SECTIONS.get(str(key))
        if section is None:
            _set(values, path, str(key), str(key), content)
            continue
        if content is None:
            continue
        if not isinstance(content, Mapping):
            raise ConfigError(f"{path}: {key}: expected keys and values")
        for name, inner in content.items():
            _set(values, path, f"{key}: {name}", section.get(str(name), ""), inner)
    return values


def _set(values: dict[str, Value], path: Path, where: str, name: str, content: object) -> None:
    flag = FLAGS.get(name)
    if flag is None:
        raise ConfigError(f"{path}: {where}: unknown key; keys are etcd's flags without the dashes (see --help)")
    if content is None:
        return
    try:
        values[name] = _value(flag, content, where)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _value(flag: Flag, content: object, where: str) -> Value:
    if isinstance(content, str):
        return parse_flag(flag, content, where)
    if isinstance(content, bool):
        if flag.kind == SWITCH:
            return content
    elif isinstance(content, int):
        if flag.kind in (UNSIGNED, SIGNED):
            return parse_flag(flag, str(content), where)
        if flag.kind == DURATION:
            return content / 1e9
        if flag.kind == TEXT:
            return str(content)
    elif isinstance(content, list) and flag.kind in (LIST, URLS, GATES) and all(isinstance(x, str) for x in content):
        return tuple(content)
    expected = "nanoseconds, or text such as 10s" if flag.kind == DURATION else _KINDS.get(flag.kind, "text or a list")
    raise ConfigError(f"{where}: expected {expected}, got {content!r}")
