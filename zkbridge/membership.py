"""The `server.N` lines of a zoo.cfg: who is a member, and what they make of a server that stands alone.

ZooKeeper runs one participant as a standalone server and takes its client address from the line, if the file `myid`
says that the line is this server's; with `standaloneEnabled=false` it runs as a leader without followers. We do the
same: one line is one member. Neither the quorum port nor the election port is opened: nobody could call there.

Source: ZooKeeper QuorumPeerConfig.parseDynamicConfig, setupClientPort, checkValidity; QuorumPeer.QuorumServer;
QuorumMaj, QuorumHierarchical.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zkbridge.sessions.ids import SERVER_ID_MAX

__all__ = ["Leader", "Membership", "MembershipError", "ServerLine", "members_of", "parse_server_line"]

WITHOUT_ENSEMBLE: Final = (
    "an ensemble is not supported yet, and this file has {count} members; leave only this server's line"
)
_FORM: Final = "expected HOST:PORT:PORT[:participant][;[HOST:]CLIENT_PORT], as in localhost:2888:3888;2181"
_EVERY_HOST: Final = "0.0.0.0"


class MembershipError(ValueError):
    """What is wrong with the lines about members: one line, which starts with the key."""


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One member. `addresses`: host, quorum port and election port, more than one with `|` between them."""

    server_id: int
    addresses: tuple[tuple[str, int, int], ...]
    is_observer: bool
    client: tuple[str, int] | None

    def text(self) -> str:
        """The value as ZooKeeper writes it into /zookeeper/config."""
        addresses = "|".join(
            f"{_bracketed(host)}:{quorum}:{election}" for host, quorum, election in sorted(self.addresses)
        )
        role = "observer" if self.is_observer else "participant"
        client = "" if self.client is None else f";{_bracketed(self.client[0])}:{self.client[1]}"
        return f"{addresses}:{role}{client}"


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of a file: lines by id, groups and weights as they stand, and the version of the configuration."""

    lines: tuple[ServerLine, ...] = ()
    groups: tuple[str, ...] = ()
    version: int = 0

    def config_text(self) -> str:
        """The data of /zookeeper/config."""
        servers = [f"server.{line.server_id}={line.text()}\n" for line in self.lines]
        return "".join([*servers, *(f"{group}\n" for group in self.groups), f"version={self.version:x}"])


@dataclass(frozen=True, slots=True)
class Leader:
    """What a leader without followers shows beside what a standalone server does."""

    line: ServerLine
    init_limit: int
    sync_limit: int
    config_text: str
    """The data of /zookeeper/config."""
    version: int
    """The configuration's version, which is the zxid that made it."""


def members_of(properties: Mapping[str, str], is_multi_address: bool, version: int = 0) -> Membership:
    """Sorts the keys about members out of a file's. Raises MembershipError.

    As in ZooKeeper, an ensemble's `version` line in the file counts, and everything that starts with `group` or
    `weight` makes the quorum hierarchical.
    """
    lines: dict[int, ServerLine] = {}
    group_of: dict[int, int] = {}
    weights: dict[int, int] = {}
    is_hierarchical = False
    for key, value in properties.items():
        if key.startswith("server."):
            line = parse_server_line(key, value, is_multi_address)
            lines[line.server_id] = line
        elif key.startswith("group"):
            is_hierarchical = True
            for server_id in [_number(key, part) for part in value.split(":")]:
                if server_id in group_of:
                    raise MembershipError(f"{key}: server {server_id} is in more than one group")
                group_of[server_id] = _id_of(key)
        elif key.startswith("weight"):
            is_hierarchical = True
            weights[_id_of(key)] = _number(key, value)
        elif key == "version":
            version = _number(key, value, 16)
    groups: list[str] = []
    if is_hierarchical:
        voters = [line.server_id for line in lines.values() if not line.is_observer]
        for server_id in voters:
            if server_id not in group_of:
                raise MembershipError(f"server.{server_id}: groups are used and this server is in none; add group.N")
            weights.setdefault(server_id, 1)
        for group in sorted(set(group_of.values())):
            groups.append(f"group.{group}=" + ":".join(str(one) for one, its in group_of.items() if its == group))
        groups += [f"weight.{server_id}={weight}" for server_id, weight in sorted(weights.items())]
    return Membership(tuple(lines[server_id] for server_id in sorted(lines)), tuple(groups), version)


def the_only_member(membership: Membership, is_standalone_enabled: bool) -> ServerLine | None:
    """The participant, or None if no line names one. Raises MembershipError for what ZooKeeper or we refuse."""
    voters = [line for line in membership.lines if not line.is_observer]
    if not voters:
        if not is_standalone_enabled:
            raise MembershipError("standaloneEnabled: false needs a server.N line of a participant; add it")
        if membership.lines:
            raise MembershipError(
                f"server.{membership.lines[0].server_id}: observers without a participant are nothing to run"
            )
        return None
    if len(membership.lines) > 1:
        names = ", ".join(f"server.{line.server_id}" for line in membership.lines)
        raise MembershipError(f"{names}: " + WITHOUT_ENSEMBLE.format(count=len(membership.lines)))
    return voters[0]


def leader_of(
    membership: Membership, line: ServerLine, my_id: int | None, init_limit: int, sync_limit: int
) -> Leader:
    """With `standaloneEnabled=false`. Raises MembershipError for what ZooKeeper misses then."""
    for key, limit in (("initLimit", init_limit), ("syncLimit", sync_limit)):
        if limit == 0:
            raise MembershipError(f"{key}: standaloneEnabled=false needs it; add {key}=5")
    if my_id is None:
        raise MembershipError(
            f"server.{line.server_id}: standaloneEnabled=false needs the file myid in the data directory; "
            f"write {line.server_id} into it"
        )
    if my_id != line.server_id:
        raise MembershipError(f"server.{line.server_id}: the file myid says {my_id}; make the two agree")
    if not 0 <= my_id <= SERVER_ID_MAX:
        raise MembershipError(f"server.{my_id}: session ids have room for 0 to {SERVER_ID_MAX}; take another number")
    return Leader(line, init_limit, sync_limit, membership.config_text(), membership.version)


def parse_server_line(key: str, value: str, is_multi_address: bool = False) -> ServerLine:
    """`server.N`: `host:port:port[:role][|…][;[host:]port]`. Raises MembershipError."""
    server_id = _id_of(key)
    parts = value.rstrip(";").split(";")
    addresses: list[tuple[str, int, int]] = []
    roles: set[str] = set()
    texts = parts[0].split("|")
    if len(parts) > 2:
        raise MembershipError(f"{key}: {value!r}, {_FORM}")
    if len(texts) > 1 and not is_multi_address:
        raise MembershipError(f"{key}: several addresses need multiAddress.enabled=true")
    for text in texts:
        fields = _host_and_ports(key, text)
        if not 3 <= len(fields) <= 4:
            raise MembershipError(f"{key}: {value!r}, {_FORM}")
        quorum, election = _port(key, fields[1]), _port(key, fields[2])
        if quorum == election:
            raise MembershipError(f"{key}: quorum port and election port are both {quorum}; give two")
        addresses.append((fields[0], quorum, election))
        if len(fields) == 4:
            role = fields[3].strip().lower()
            if role not in ("participant", "observer"):
                raise MembershipError(f"{key}: {fields[3]!r}, expected participant or observer")
            roles.add(role)
    if len(roles) > 1:
        raise MembershipError(f"{key}: its addresses have different roles")
    client = None
    if len(parts) == 2:
        fields = _host_and_ports(key, parts[1])
        if len(fields) > 2:
            raise MembershipError(f"{key}: {value!r}, {_FORM}")
        client = (fields[0] if len(fields) == 2 else _EVERY_HOST, _port(key, fields[-1]))
    return ServerLine(server_id, tuple(addresses), roles == {"observer"}, client)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host_and_ports(key: str, text: str) -> list[str]:
    """ZooKeeper's ConfigUtils.getHostAndPort."""
    if not text.startswith("["):
        return text.rstrip(":").split(":")
    match = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if match is None or match[2] == "":
        raise MembershipError(f"{key}: {text!r}, expected [ADDRESS]:PORT")
    return [match[1], *(match[2].split(":") if match[2] is not None else ())]


def _port(key: str, text: str) -> int:
    port = _number(key, text)
    if not 0 <= port <= 65535:
        raise MembershipError(f"{key}: port {port}, expected 0 to 65535")
    return port


def _id_of(key: str) -> int:
    return _number(key, key.partition(".")[2])


def _number(key: str, text: str, base: int = 10) -> int:
    """As Java's parseLong reads it: no blanks, no underscores."""
    digits = "[0-9a-fA-F]" if base == 16 else "[0-9]"
    if re.fullmatch(rf"[+-]?{digits}+", text) is None:
        raise MembershipError(f"{key}: {text!r}, expected a whole number")
    return int(text, base)
