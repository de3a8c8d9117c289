"""Who is in the cluster, as every member knows it: ids, names, URLs; and the versions that members have agreed on.

MEMBERS table: `key: member id in hex`, value JSON as etcd writes it; MEMBERS_REMOVED: `key: member id in hex`; CLUSTER:
clusterVersion and downgrade. Source: etcd server/etcdserver/api/membership, server/storage/schema/membership.go.

Invariants:
1. The tables hold exactly what is here, but for the founder of a log older than these tables (see `Members`).
2. The id of a removed member never comes back.
3. Changes are checked again when they are applied: what does not fit any more changes nothing, on all members alike.
"""

import json
from collections.abc import Sequence
from hashlib import sha1
from typing import Final, final

from etcdcore.errors import (
    CoreError,
    EngineCorrupt,
    MemberExists,
    MemberNotFound,
    NotLearner,
    PeerUrlsExist,
    TooManyLearners,
)
from etcdcore.mvcc.engine import CLUSTER, MEMBERS, MEMBERS_REMOVED, Engine

LEARNERS_MAX_DEFAULT: Final = 1

_CLUSTER_VERSION: Final = b"clusterVersion"
_DOWNGRADE: Final = b"downgrade"


@final
class ClusterMember:
    """One member. It has no name until it has started once. Never changed: a change makes a new one."""

    __slots__ = ("client_urls", "is_learner", "member_id", "name", "peer_urls")

    def __init__(
        self, member_id: int, name: str, peer_urls: Sequence[str], client_urls: Sequence[str], is_learner: bool
    ) -> None:
        self.member_id: Final = member_id
        self.name: Final = name
        self.peer_urls: Final = tuple(peer_urls)
        self.client_urls: Final = tuple(client_urls)
        self.is_learner: Final = is_learner

    @property
    def is_started(self) -> bool:
        return self.name != ""

    def fields(self) -> tuple[int, str, tuple[str, ...], tuple[str, ...], bool]:
        return (self.member_id, self.name, self.peer_urls, self.client_urls, self.is_learner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterMember) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash(self.fields())

    def __repr__(self) -> str:
        return f"ClusterMember{self.fields()!r}"


def derive_member_id(peer_urls: Sequence[str], token: str, now_s: int | None = None) -> int:
    """As etcd derives it: of the URLs and the cluster's token, with the time for one that is added while it runs."""
    text = "".join(sorted(peer_urls)) + token + ("" if now_s is None else str(now_s))
    return int.from_bytes(sha1(text.encode()).digest()[:8], "big")


def derive_cluster_id(member_ids: Sequence[int]) -> int:
    """As etcd derives it, of the members that the cluster began with."""
    data = b"".join(member_id.to_bytes(8, "big") for member_id in sorted(member_ids))
    return int.from_bytes(sha1(data).digest()[:8], "big")


@final
class Members:
    """Opens what the engine holds.

    `founder` stands in while the tables are empty: a cluster of one begins without an entry that adds its member. It is
    written with the first change, so that a snapshot names it from then on.
    """

    __slots__ = ("_engine", "cluster_version", "downgrade_target", "members", "removed")

    def __init__(self, engine: Engine, founder: ClusterMember | None) -> None:
        self._engine: Final = engine
        self.members: Final[dict[int, ClusterMember]] = {}
        self.removed: Final[set[int]] = {int(key, 16) for key, _ in engine.scan(MEMBERS_REMOVED, b"", b"")}
        for key, data in engine.scan(MEMBERS, b"", b""):
            member_id = int(key, 16)
            self.members[member_id] = decode_member(member_id, data)
        if founder is not None and not self.members and not self.removed:
            self.members[founder.member_id] = founder
        version = engine.get(CLUSTER, _CLUSTER_VERSION)
        self.cluster_version = "" if version is None else version.decode()
        """Such as 3.6.0; empty until it was agreed on."""
        self.downgrade_target = _decode_downgrade(engine.get(CLUSTER, _DOWNGRADE))
        """The version that the cluster is on its way down to, or empty."""

    def listed(self) -> list[ClusterMember]:
        """In order of their ids."""
        return [self.members[member_id] for member_id in sorted(self.members)]

    def voters(self) -> list[ClusterMember]:
        return [member for member in self.listed() if not member.is_learner]

    # What would fail: asked before the log, and again when the change is applied.

    def check_add(self, added: ClusterMember, learners_max: int) -> CoreError | None:
        """Refuses MemberNotFound (removed once), MemberExists, PeerUrlsExist, TooManyLearners."""
        if added.member_id in self.removed:
            return MemberNotFound()
        if added.member_id in self.members:
            return MemberExists()
        if self._is_taken(added.peer_urls, 0):
            return PeerUrlsExist()
        learners = sum(1 for member in self.members.values() if member.is_learner)
        return TooManyLearners() if added.is_learner and learners + 1 > learners_max else None

    def check_promote(self, member_id: int) -> CoreError | None:
        """Refuses MemberNotFound, NotLearner."""
        member = self.members.get(member_id)
        if member is None:
            return MemberNotFound()
        return None if member.is_learner else NotLearner()

    def check_remove(self, member_id: int) -> CoreError | None:
        """Refuses MemberNotFound."""
        return None if member_id in self.members else MemberNotFound()

    def check_update(self, member_id: int, peer_urls: Sequence[str]) -> CoreError | None:
        """Refuses MemberNotFound, PeerUrlsExist."""
        if member_id not in self.members:
            return MemberNotFound()
        return PeerUrlsExist() if self._is_taken(peer_urls, member_id) else None

    def _is_taken(self, peer_urls: Sequence[str], but_by: int) -> bool:
        taken = {url for member in self.members.values() if member.member_id != but_by for url in member.peer_urls}
        return any(url in taken for url in peer_urls)

    # What the strict check of reconfigurations asks, on the leader alone.

    def can_add_voter(self) -> bool:
        """Whether enough members have started to be a quorum with one more voter, who has not started yet."""
        voters = self.voters()
        started = sum(1 for member in voters if member.is_started)
        count = len(voters) + 1
        return (started == 1 and count == 2) or started >= count // 2 + 1

    def can_promote(self) -> bool:
        """As above, for a learner that counts as started."""
        voters = self.voters()
        started = sum(1 for member in voters if member.is_started) + 1
        return started >= (len(voters) + 1) // 2 + 1

    def can_remove(self, member_id: int) -> bool:
        """Whether enough of the others have started to be a quorum among themselves."""
        others = [member for member in self.voters() if member.member_id != member_id]
        return sum(1 for member in others if member.is_started) >= len(others) // 2 + 1

    # Changes.

    def add(self, added: ClusterMember) -> None:
        self._put(added)

    def remove(self, member_id: int) -> None:
        self._write_founder()
        del self.members[member_id]
        self.removed.add(member_id)
        self._engine.delete(MEMBERS, _key(member_id))
        self._engine.put(MEMBERS_REMOVED, _key(member_id), b"removed")

    def promote(self, member_id: int) -> None:
        member = self.members[member_id]
        self._put(ClusterMember(member_id, member.name, member.peer_urls, member.client_urls, False))

    def update(self, member_id: int, peer_urls: Sequence[str]) -> None:
        member = self.members[member_id]
        self._put(ClusterMember(member_id, member.name, peer_urls, member.client_urls, member.is_learner))

    def set_attributes(self, member_id: int, name: str, client_urls: Sequence[str]) -> None:
        """Of a member that was removed meanwhile: nothing."""
        member = self.members.get(member_id)
        if member is not None:
            self._put(ClusterMember(member_id, name, member.peer_urls, client_urls, member.is_learner))

    def set_cluster_version(self, version: str) -> None:
        self.cluster_version = version
        self._engine.put(CLUSTER, _CLUSTER_VERSION, version.encode())

    def set_downgrade(self, target_version: str) -> None:
        self.downgrade_target = target_version
        data = {"target-version": target_version, "enabled": target_version != ""}
        self._engine.put(CLUSTER, _DOWNGRADE, _to_json(data))

    def _put(self, member: ClusterMember) -> None:
        self._write_founder()
        self.members[member.member_id] = member
        self._engine.put(MEMBERS, _key(member.member_id), encode_member(member))

    def _write_founder(self) -> None:
        if len(self.members) == 1 and not self.removed:
            for member in self.members.values():
                self._engine.put(MEMBERS, _key(member.member_id), encode_member(member))

    def check_invariants(self) -> None:
        stored = {int(key, 16): decode_member(int(key, 16), data) for key, data in self._engine.scan(MEMBERS, b"", b"")}
        assert stored == self.members or (not stored and len(self.members) == 1 and not self.removed)  # I1
        assert not self.removed & set(self.members)  # I2


def encode_member(member: ClusterMember) -> bytes:
    """`{"id":…,"peerURLs":[…],"isLearner":true,"name":"…","clientURLs":[…]}`; the last three if they say something."""
    data: dict[str, object] = {"id": member.member_id, "peerURLs": list(member.peer_urls)}
    if member.is_learner:
        data["isLearner"] = True
    if member.name:
        data["name"] = member.name
    if member.client_urls:
        data["clientURLs"] = list(member.client_urls)
    return _to_json(data)


def decode_member(member_id: int, data: bytes) -> ClusterMember:
    """Raises EngineCorrupt."""
    try:
        fields = json.loads(data)
        return ClusterMember(
            member_id,
            str(fields.get("name", "")),
            [str(url) for url in fields.get("peerURLs") or ()],
            [str(url) for url in fields.get("clientURLs") or ()],
            bool(fields.get("isLearner", False)),
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise EngineCorrupt(f"member {member_id:x} is recorded as {data!r}") from error


def _decode_downgrade(data: bytes | None) -> str:
    if data is None:
        return ""
    fields = json.loads(data)
    return str(fields["target-version"]) if fields["enabled"] else ""


def _to_json(data: dict[str, object]) -> bytes:
    """As Go writes it: no spaces, and the three characters escaped that mean something in HTML."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


def _key(member_id: int) -> bytes:
    return b"%x" % member_id
