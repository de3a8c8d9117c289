"""Values of flags, wherever they come from, become a `ServerConfig` and the notes that the log should have.

Pure. Raises ConfigError with every cause, one a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from etcdcore.config import CLIENT_URLS_DEFAULT, PEER_URLS_DEFAULT, ConfigError, ServerConfig, TlsConfig
from etcdcore.flags.table import FLAGS, GATES_REFUSED, IDLE, REFUSED, Flag
from etcdcore.flags.values import GATE_GROUPS, SWITCH, Value, parse_value, switched_on

GATES_ON_BY_DEFAULT: Final = frozenset(("TxnModeWriteWithSharedBuffer",))
_GATE_PREFIX: Final = "feature-gates:"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for, valid; and what to say about it once there is a log."""

    config: ServerConfig
    notes: tuple[str, ...]


def build_settings(values: Mapping[str, Value], notes: list[str]) -> Settings:
    """`values` by flag name, only those that somebody set."""
    errors: list[str] = []
    named = _follow_renames(values, notes, errors)
    fields: dict[str, Any] = {}  # Any: each field has its own type, which the table and ServerConfig agree on (tested)
    client_tls: dict[str, Any] = {}
    peer_tls: dict[str, Any] = {}
    for name, value in named.items():
        flag = FLAGS[name]
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
    if errors:
        raise ConfigError("\n".join(errors))
    config = ServerConfig(**fields)
    config = replace(config, client_tls=TlsConfig(**client_tls), peer_tls=TlsConfig(**peer_tls))
    if config.name == "default":
        notes.append("it isn't recommended to use default name, please set a value for --name")
    return Settings(config, tuple(notes))


def _follow_renames(values: Mapping[str, Value], notes: list[str], errors: list[str]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    gates: list[str] = []
    for name, value in values.items():
        successor = FLAGS[name].renamed
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
        notes.append(f"--{name} is deprecated and will be decommissioned in v3.7. Use '{option}' instead.")
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
        if flag.choices and found not in flag.choices:
            raise ConfigError(f"expected one of {', '.join(flag.choices)}")
        return found
    except ConfigError as error:
        raise ConfigError(f"invalid value {text!r} for {where}: {error}") from error


def is_switch(flag: Flag) -> bool:
    """Whether the flag stands alone for true, as in Go."""
    return flag.kind == SWITCH
