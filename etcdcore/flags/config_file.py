"""etcd's configuration file: YAML (so JSON too), keys named as most of the flags, durations as nanoseconds.

Three sections hold settings under names of their own. What etcd does not know it passes over, and so do we, with a note
that names the key: files outlive the versions they were written for. Types are as strict as etcd's: a quoted number is
no number. Source: etcd server/embed/config.go, configFromFile; Go's encoding/json.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from etcdcore.config import CLIENT_URLS_DEFAULT, ConfigError
from etcdcore.flags.settings import parse_flag
from etcdcore.flags.table import FLAGS, IGNORED, KNOWN, Flag
from etcdcore.flags.values import DURATION, SIGNED, SWITCH, UNSIGNED, Value

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
    # Of ours alone: in etcd a revocation list can be named by a flag only.
    "client-crl-file": "client-crl-file",
    "crl-file": "client-crl-file",
}
_PEERS: Final = "peer-transport-security"
_DISCOVERY: Final = "discovery-config"
_SECTIONS: Final = {
    "client-transport-security": _SECURITY
    | {
        "allowed-cn": "client-cert-allowed-cn",
        "allowed-hostname": "client-cert-allowed-hostname",
        "skip-client-san-verification": "client-skip-client-san-verification",
    },
    _PEERS: {key: f"peer-{name}" for key, name in _SECURITY.items()}
    | {"client-crl-file": "peer-crl-file", "crl-file": "peer-crl-file"},
    "socket-options": {"reuse-port": "socket-reuse-port", "reuse-address": "socket-reuse-address"},
    _DISCOVERY: {"token": "discovery-token"},
}
_DISCOVERY_KEYS: Final = ("discovery-srv", "discovery-srv-name", "discovery-proxy")
_DISCOVERY_CLIENT: Final = {
    "endpoints": "discovery-endpoints",
    "dial-timeout": "discovery-dial-timeout",
    "request-timeout": "discovery-request-timeout",
    "keepalive-time": "discovery-keepalive-time",
    "keepalive-timeout": "discovery-keepalive-timeout",
}
_DISCOVERY_SECURE: Final = {
    "cert": "discovery-cert",
    "key": "discovery-key",
    "cacert": "discovery-cacert",
    "insecure-transport": "discovery-insecure-transport",
    "insecure-skip-tls-verify": "discovery-insecure-skip-tls-verify",
}
_DISCOVERY_AUTH: Final = {"username": "discovery-user", "password": "discovery-password"}
_SUBSECTIONS: Final = {
    (_DISCOVERY, "client"): _DISCOVERY_CLIENT,
    (f"{_DISCOVERY}: client", "secure"): _DISCOVERY_SECURE,
    (f"{_DISCOVERY}: client", "auth"): _DISCOVERY_AUTH,
}
_SECTION_FLAGS: Final = {name: key for key, section in _SECTIONS.items() for name in section.values() if name}
_FLAGS_ONLY: Final = {
    *_SECTION_FLAGS,
    *_DISCOVERY_CLIENT.values(),
    *(name for name in FLAGS if name.startswith("discovery-") and name not in _DISCOVERY_KEYS),
    *(flag.name for flag in IGNORED),
    "client-crl-file",
    "peer-crl-file",
    "raft-read-timeout",
    "raft-write-timeout",
    "experimental-snapshot-catchup-entries",
}
"""Flags that are no keys of a file."""
_KEYS: Final = {name: name for name in FLAGS if name not in _FLAGS_ONLY} | {
    "experimental-snapshot-catch-up-entries": "experimental-snapshot-catchup-entries"
}
_FOLDED: Final = {key.lower(): key for key in (*_KEYS, *_SECTIONS)}
_IS_LIST_IN_FILE: Final = frozenset(("cipher-suites", "log-outputs", "discovery-endpoints")) | {
    name for name in _SECTION_FLAGS if name.endswith(("-allowed-cn", "-allowed-hostname"))
}
_EMPTY_IS_UNSET: Final = frozenset(("initial-cluster-state", "cors", "host-whitelist", "feature-gates", "data-dir")) | {
    name for name in FLAGS if name.endswith("-urls")
}
_INTEGER_BITS: Final = 64


def read_config_file(path: Path, notes: list[str]) -> dict[str, Value]:
    """The values that the file sets, by flag name; `notes` gets what was passed over.

    Raises ConfigError that names the file and the key.
    """
    from etcdcore.flags.go_yaml import YamlError, read_yaml

    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); give --config-file a readable file") from error
    except (YamlError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path}: expected keys and values, as in name: infra1")
    reader = _Reader(notes)
    try:
        for key, content in document.items():
            reader.read(str(key), content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    # A file may leave it out whatever it listens on, unlike a command line.
    reader.values.setdefault("advertise-client-urls", CLIENT_URLS_DEFAULT)
    return reader.values


class _Reader:
    """Fills `values`, one key after the other."""

    def __init__(self, notes: list[str]) -> None:
        self.values: Final[dict[str, Value]] = {}
        self._notes: Final = notes

    def read(self, key: str, content: object) -> None:
        # As Go's JSON, by whatever case, unless the very key is there.
        known = key if key in _KEYS or key in _SECTIONS else _FOLDED.get(key.lower(), "")
        if known in _SECTIONS:
            self._read_section(known, _SECTIONS[known], content)
        elif known:
            self._set(known, _KEYS[known], content)
        else:
            self._pass_over(key, _SECTION_FLAGS.get(key, ""))

    def _read_section(self, where: str, section: Mapping[str, str], content: object) -> None:
        if content is None and where != _PEERS:
            return
        if not isinstance(content, Mapping):
            raise ConfigError(f"{where}: expected keys and values, got {content!r}")
        for key, inner in content.items():
            name = section.get(str(key))
            subsection = _SUBSECTIONS.get((where, str(key)))
            if subsection is not None:
                self._read_section(f"{where}: {key}", subsection, inner)
            elif name is None:
                self._pass_over(f"{where}: {key}", "")
            else:
                self._set(f"{where}: {key}", name, inner)

    def _pass_over(self, key: str, section: str) -> None:
        place = f"; as a setting of a file it belongs under {section}" if section else ""
        self._notes.append(f"key {key!r} of the configuration file is unknown and has no effect, as in etcd{place}")

    def _set(self, where: str, name: str, content: object) -> None:
        if content is None or (content == "" and name in _EMPTY_IS_UNSET):
            return
        if name == "v2-deprecation" and isinstance(content, str):
            content = FLAGS[name].default  # whatever it says: in a file etcd enforces the default
        self.values[name] = _value(KNOWN[name], content, where)


def _value(flag: Flag, content: object, where: str) -> Value:
    """Raises ConfigError."""
    if flag.name in _IS_LIST_IN_FILE:
        if isinstance(content, list) and all(isinstance(piece, str) for piece in content):
            return tuple(content)
        raise ConfigError(f"{where}: expected a list of texts, as in [{content if content else 'a'}], got {content!r}")
    if flag.kind == SWITCH:
        if isinstance(content, bool):
            return content
        raise ConfigError(f"{where}: expected true or false, without quotes, got {content!r}")
    if flag.kind in (UNSIGNED, SIGNED, DURATION):
        number = content if isinstance(content, int | float) and not isinstance(content, bool) else None
        if number is None or number != number or abs(number) >= 1 << _INTEGER_BITS or number != int(number):
            raise ConfigError(f"{where}: expected {_whole(flag)}, got {content!r}")
        return number / 1e9 if flag.kind == DURATION else parse_flag(flag, str(int(number)), where)
    if not isinstance(content, str):
        raise ConfigError(f"{where}: expected text, got {content!r}; put quotes around it if it is meant so")
    return parse_flag(flag, content, where)


def _whole(flag: Flag) -> str:
    if flag.kind == DURATION:
        return "a whole number of nanoseconds, as 1000000000 for a second"
    return "a whole number without quotes"
