"""Values of flags, wherever they come from, become a `ServerConfig` and the notes that the log should have.

Pure. Raises ConfigError with every cause, one a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from etcdcore.config import (
    CLIENT_URLS_DEFAULT,
    PEER_URLS_DEFAULT,
    ConfigError,
    DiscoveryConfig,
    ServerConfig,
    TlsConfig,
)
from etcdcore.flags.deprecations import deprecation
from etcdcore.flags.table import GATES_REFUSED, IDLE, KNOWN, REFUSED, Flag
from etcdcore.flags.values import GATE_GROUPS, SWITCH, Value, parse_value, switched_on

GATES_ON_BY_DEFAULT: Final = frozenset(("TxnModeWriteWithSharedBuffer",))
_USABLE: Final = {
    "bcrypt_cost": (4, 31),
    "auth_token_ttl": (1, 1 << 63),
    "compaction_batch_limit": (1, 1 << 63),
    "snapshot_count": (1, 1 << 64),
    "backend_batch_limit": (1, 1 << 63),
    "max_concurrent_streams": (1, 1 << 63),
    "warning_apply_duration_s": (0, float("inf")),
}
"""Least and greatest, by setting: etcd starts with others, and takes its default."""
_KNOWN_TEXTS: Final = {"metrics": ("basic", "extensive"), "log_level": ("info",), "log_format": ("json",)}
"""Settings that etcd takes empty, and one that it takes with any text."""
_GATE_PREFIX: Final = "feature-gates:"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for, valid; and what to say about it once there is a log."""

    config: ServerConfig
    notes: tuple[str, ...]
    values: Mapping[str, Value]
    """What was set, by flag name, under names that stay."""
    gates: Mapping[str, bool]
    """Feature gates that were set."""


def build_settings(values: Mapping[str, Value], notes: list[str]) -> Settings:
    """`values` by flag name, only those that somebody set."""
    errors: list[str] = []
    named = _follow_renames(values, notes, errors)
    fields: dict[str, Any] = {}  # Any: each field has its own type, which the table and ServerConfig agree on (tested)
    client_tls: dict[str, Any] = {}
    peer_tls: dict[str, Any] = {}
    discovery: dict[str, Any] = {}
    for name, value in named.items():
        flag = KNOWN[name]
        if flag.fate == REFUSED:
            if value != parse_value(flag.kind, flag.default):
                errors.append(f"--{name} is not supported: {flag.reason}")
            continue
        if flag.fate == IDLE:
            if value != parse_value(flag.kind, flag.default):
                notes.append(f"--{name} has no effect: {flag.reason}")
            continue
        room, _, key = flag.field.rpartition(".")
        if room in ("client_tls", "tls"):
            client_tls[key] = value
        if room in ("peer_tls", "tls"):
            peer_tls[key] = value
        if room == "discovery":
            discovery[key] = value
        if not room:
            fields[key] = value
    if not fields.get("advertise_client_urls") and "listen_client_urls" in fields:
        errors.append(
            "--advertise-client-urls is required when --listen-client-urls is set explicitly; give the URLs under "
            "which clients reach this member"
        )
    fields.setdefault("advertise_client_urls", CLIENT_URLS_DEFAULT)
    fields.setdefault("listen_peer_urls", PEER_URLS_DEFAULT)
    if not fields.get("listen_client_urls", CLIENT_URLS_DEFAULT):
        errors.append("--listen-client-urls must name at least one URL, as in http://127.0.0.1:2379")
    fields["feature_gates"] = _gates(named, errors)
    _replace_unusable(fields, notes)
    for name in ("compact-hash-check-time", "experimental-compact-hash-check-time"):
        time_s = values.get(name, 1)
        if isinstance(time_s, int | float) and time_s <= 0:
            errors.append(f"--{name} must be >0 (set to {time_s:g}s)")
    outputs = _texts(named.get("log-outputs", ()))
    if len(outputs) > 1 and "default" in outputs:
        errors.append("--log-outputs: 'default' among several is not supported; name stderr instead")
    if discovery and fields.get("initial_cluster") == KNOWN["initial-cluster"].default:
        del fields["initial_cluster"]  # etcd clears it too
    if discovery.get("endpoints") and fields.get("initial_cluster"):
        errors.append(
            "multiple discovery or bootstrap flags are set. Choose one of "
            '"initial-cluster", "discovery", "discovery-endpoints" or "discovery-srv"'
        )
    if errors:
        raise ConfigError("\n".join(errors))
    fields["discovery"] = DiscoveryConfig(**discovery)
    config = ServerConfig(**fields)
    config = replace(config, client_tls=TlsConfig(**client_tls), peer_tls=TlsConfig(**peer_tls))
    if config.name == "default":
        notes.append("it isn't recommended to use default name, please set a value for --name")
    gates = switched_on(_texts(named.get("feature-gates", ())))
    return Settings(config, tuple(notes), named, gates)


def _replace_unusable(fields: dict[str, Any], notes: list[str]) -> None:  # Any: as above
    """As etcd, the default for a value that nothing could work with; unlike etcd, always with a note."""
    for setting, (lowest, highest) in _USABLE.items():
        value = fields.get(setting)
        if value is not None and not lowest <= value <= highest:
            del fields[setting]
            notes.append(f"--{setting.replace('_', '-')}={value} is not usable; the default is used instead")
    for setting, choices in _KNOWN_TEXTS.items():
        value = fields.get(setting)
        if value is not None and value not in choices and (not value or setting == "metrics"):
            del fields[setting]
            flag = setting.replace("_", "-")
            notes.append(f"--{flag}={value!r} is none of {', '.join(choices)}: {choices[0]} is used")


def _follow_renames(values: Mapping[str, Value], notes: list[str], errors: list[str]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    gates: list[str] = []
    for name, value in values.items():
        if line := deprecation(KNOWN[name]):
            notes.append(line)
        successor = KNOWN[name].renamed
        if not successor:
            named[name] = value
            continue
        gate = successor.removeprefix(_GATE_PREFIX)
        is_gate = gate != successor
        wanted = "feature-gates" if is_gate else successor
        option = f"--feature-gates={gate}=true" if is_gate else f"--{successor}"
        if wanted in values and (not is_gate or gate in switched_on(_texts(values["feature-gates"]))):
            errors.append(f"cannot set --{name} and --{wanted} at the same time, please use {option} only")
            continue
        if is_gate:
            gates.append(f"{gate}={'true' if value is True else 'false'}")
        else:
            named[successor] = value
    if gates:
        named["feature-gates"] = (*_texts(values.get("feature-gates", ())), *gates)
    return named


def _gates(named: Mapping[str, Value], errors: list[str]) -> tuple[str, ...]:
    asked = switched_on(_texts(named.get("feature-gates", ())))
    on = set(GATES_ON_BY_DEFAULT)
    for gate, is_on in asked.items():
        if is_on and gate in GATES_REFUSED:
            errors.append(f"--feature-gates={gate}=true is not supported: {GATES_REFUSED[gate]}")
        elif is_on and gate == "AllAlpha":
            errors.append(
                "--feature-gates=AllAlpha=true is not supported: it would switch LeaseCheckpoint on; "
                "name the gates you want"
            )
        elif is_on:
            on.add(gate)
        else:
            on.discard(gate)
    return tuple(sorted(on - set(GATE_GROUPS)))


def _texts(value: Value) -> tuple[str, ...]:
    assert isinstance(value, tuple), f"a list flag's value, got {value!r}"
    return value


def parse_flag(flag: Flag, text: str, where: str) -> Value:
    """The value of one flag. `where` names it in the error."""
    try:
        found = parse_value(flag.kind, text)
        pieces = found if isinstance(found, tuple) else (found,)
        if flag.choices and (not pieces or not set(pieces) <= set(flag.choices)):
            raise ConfigError(f"expected one of {', '.join(flag.choices)}")
        return found
    except ConfigError as error:
        raise ConfigError(f"invalid value {text!r} for {where}: {error}") from error


def is_switch(flag: Flag) -> bool:
    """Whether the flag stands alone for true, as in Go."""
    return flag.kind == SWITCH
