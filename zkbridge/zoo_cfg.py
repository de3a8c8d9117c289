"""A zoo.cfg, sorted by what becomes of each of its lines; `zoo_keys` is the list of keys.

ZooKeeper turns keys that it doesn't know into system properties `zookeeper.<key>`. Those stand in its guide, and in
people's JVMFLAGS, with that prefix; so both forms of a key are taken here.

Source: ZooKeeper QuorumPeerConfig.parseProperties.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from zkbridge.properties import Property, parse_properties
from zkbridge.zoo_keys import Kind, Outcome, ZooKey, find_key

__all__ = ["Entry", "ZooCfg", "is_about_members", "java_int", "read_zoo_cfg"]

PREFIX: Final = "zookeeper."
INT32_MAX: Final = 2**31 - 1
_INT64_MAX: Final = 2**63 - 1
_UNKNOWN: Final = "the bridge doesn't know this key and ignores it"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `name`: the key without `zookeeper.`; `key`: None if it is unknown.

    `refusal` and `warning`: what is wrong with it, without the key; empty if nothing is.
    """

    line: int
    written: str
    name: str
    value: str
    key: ZooKey | None
    refusal: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ZooCfg:
    """A configuration file, sorted. `settings`: known keys that are not refused, and their text.

    `refusals` and `warnings`: whole sentences that name the key. `notes`: which keys have no effect, one line a reason.
    """

    settings: dict[str, str]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    members: dict[str, str] = field(default_factory=dict)
    """Lines about members, as they stand: `server.N`, `group.N`, `weight.N`, `version`."""
    notes: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    """All lines in the file's order."""


def read_zoo_cfg(text: str) -> ZooCfg:
    """Sorts every key of a configuration file. Raises ValueError if it is no file of properties."""
    entries = tuple(_entry(one) for one in parse_properties(text))
    # A key that comes again counts as it stands there.
    last = {entry.name: entry for entry in entries}.values()
    return ZooCfg(
        settings={one.name: one.value.strip() for one in last if one.key is not None and not one.refusal},
        refusals=tuple(f"{one.written}: {one.refusal}" for one in last if one.refusal),
        warnings=tuple(f"{one.written}: {one.warning}" for one in last if one.warning),
        members={one.name: one.value for one in last if is_about_members(one.name)},
        notes=tuple(_notes(last)),
        entries=entries,
    )


def is_about_members(name: str) -> bool:
    """Whether the key may stand in a dynamic configuration file."""
    return name.startswith(("server.", "group", "weight")) or name == "version"


def _entry(one: Property) -> Entry:
    written = one.key.strip()
    name = written.removeprefix(PREFIX)
    key = find_key(name)
    if key is None:
        return Entry(one.line, written, name, one.value, None, warning=_UNKNOWN)
    refusal, warning = _judge(key, one.value.strip())
    return Entry(one.line, written, name, one.value, key, refusal, warning)


def _judge(key: ZooKey, value: str) -> tuple[str, str]:
    """(refusal, warning) of a value; each empty if there is none."""
    match key.kind:
        case _ if key.outcome is Outcome.REFUSED:
            return ("" if value in key.unless or value.lower() in key.unless else key.text), ""
        case Kind.INT | Kind.LONG:
            most = INT32_MAX if key.kind is Kind.INT else _INT64_MAX
            is_number = re.fullmatch(r"[+-]?[0-9]+", value) is not None and -most - 1 <= int(value) <= most
            return ("" if is_number else f"{value!r}, expected a whole number"), ""
        case Kind.BOOL if value.lower() not in ("true", "false"):
            return f"{value!r}, expected true or false", ""
        case Kind.CHOICE | Kind.WORD if (value.lower() if key.kind is Kind.WORD else value) not in key.choices:
            return f"{value!r} is not known here; use {' or '.join(key.choices)}", ""
        case Kind.PROPERTY_INT if key.outcome is Outcome.WORKS and java_int(value) is None:
            return "", f"{value!r} is not a whole number, so the default counts, as for ZooKeeper"
        case Kind.TRUE if value.lower() not in ("true", "false"):
            return "", f"{value!r} is not `true`, so it counts as false, as for ZooKeeper"
        case Kind.YES if value not in ("yes", "no"):
            return "", f"{value!r} is not `yes`, so it counts as no, as for ZooKeeper"
        case _:
            return "", ""


def java_int(text: str) -> int | None:
    """As Java's Integer.decode reads it: decimal, 0x or # for hexadecimal, a leading 0 for octal."""
    match = re.fullmatch(r"([+-]?)(?:(0[xX]|#)([0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*))", text)
    if match is None:
        return None
    sign, _, hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    number = -number if sign == "-" else number
    return number if -INT32_MAX - 1 <= number <= INT32_MAX else None


def _notes(entries: Collection[Entry]) -> Iterator[str]:
    """Keys without an effect, those of one reason in one line."""
    keys_of: dict[str, list[str]] = {}
    for entry in entries:
        if entry.key is not None and entry.key.outcome is Outcome.NO_EFFECT and not entry.refusal:
            keys_of.setdefault(entry.key.text, []).append(entry.written)
    for reason, keys in keys_of.items():
        yield f"{', '.join(keys)}: no effect here: {reason}"
