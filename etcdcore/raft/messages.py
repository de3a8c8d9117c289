"""What Raft writes to disk and says to its peers, and the binary form of both.

Invariants:
1. `decode_x(encode_x(value)) == value`; only `Entry.payload`, which is local, is lost.
2. Bytes that are no encoding raise DecodeError, never another exception, and allocate no more than their own length.
3. All integers are big-endian and unsigned; member ids, indexes and terms take 8 bytes, lengths and counts 4.
"""

import struct
from typing import Final, final

from etcdcore.errors import DecodeError
from etcdcore.types import LogIndex, MemberId, Term

NO_MEMBER: Final = MemberId(0)
"""No member has this id: "no leader", "no vote"."""
NO_INDEX: Final = LogIndex(0)
NO_TERM: Final = Term(0)

# Kinds of entries.
ENTRY_NORMAL: Final = 0
ENTRY_CONF_CHANGE: Final = 1

# Kinds of messages.
MSG_APPEND: Final = 1
MSG_APPEND_RESPONSE: Final = 2
MSG_HEARTBEAT: Final = 3
MSG_HEARTBEAT_RESPONSE: Final = 4
MSG_VOTE: Final = 5
MSG_VOTE_RESPONSE: Final = 6
MSG_PRE_VOTE: Final = 7
MSG_PRE_VOTE_RESPONSE: Final = 8
MSG_SNAPSHOT: Final = 9
MSG_TIMEOUT_NOW: Final = 10
MSG_READ_INDEX: Final = 11
MSG_READ_INDEX_RESPONSE: Final = 12
MSG_TRANSFER_LEADER: Final = 13

MESSAGE_NAMES: Final = (
    "?",
    "append",
    "append_response",
    "heartbeat",
    "heartbeat_response",
    "vote",
    "vote_response",
    "pre_vote",
    "pre_vote_response",
    "snapshot",
    "timeout_now",
    "read_index",
    "read_index_response",
    "transfer_leader",
)

# Kinds of single membership changes.
CHANGE_ADD_VOTER: Final = 0
CHANGE_REMOVE: Final = 1
CHANGE_UPDATE: Final = 2
CHANGE_ADD_LEARNER: Final = 3

# How a ConfChangeV2 passes from the old configuration to the new one.
TRANSITION_AUTO: Final = 0
"""Simple if there is one change at most, else joint with auto-leave."""
TRANSITION_JOINT_IMPLICIT: Final = 1
"""Joint, left by the leader itself as soon as the joint configuration is applied."""
TRANSITION_JOINT_EXPLICIT: Final = 2
"""Joint, left by an empty ConfChangeV2 that somebody proposes."""


@final
class Entry:
    """One log entry. `payload` is the proposer's decoded command kept beside `data`: never encoded, not compared.

    The applier may set `payload` to None once done with it, as the log may hold the entry for long afterwards.
    """

    __slots__ = ("data", "index", "kind", "payload", "term")

    def __init__(
        self, index: LogIndex, term: Term, kind: int = ENTRY_NORMAL, data: bytes = b"", payload: object | None = None
    ) -> None:
        self.index: Final = index
        self.term: Final = term
        self.kind: Final = kind
        self.data: Final = data
        self.payload = payload

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Entry)
            and self.index == other.index
            and self.term == other.term
            and self.kind == other.kind
            and self.data == other.data
        )

    def __hash__(self) -> int:
        return hash((self.index, self.term))

    def __repr__(self) -> str:
        return f"Entry({self.index}, {self.term}, {self.kind}, {self.data[:32]!r})"


@final
class HardState:
    """What must be durable before a message leaves: term and vote; and, without need of a sync, the commit index."""

    __slots__ = ("commit", "term", "vote")

    def __init__(self, term: Term = NO_TERM, vote: MemberId = NO_MEMBER, commit: LogIndex = NO_INDEX) -> None:
        self.term: Final = term
        self.vote: Final = vote
        self.commit: Final = commit

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, HardState)
            and self.term == other.term
            and self.vote == other.vote
            and self.commit == other.commit
        )

    def __hash__(self) -> int:
        return hash((self.term, self.vote, self.commit))

    def __repr__(self) -> str:
        return f"HardState(term={self.term}, vote={self.vote:#x}, commit={self.commit})"


@final
class ConfState:
    """A configuration: its members by role. `voters_outgoing` is non-empty in a joint configuration only."""

    __slots__ = ("auto_leave", "learners", "learners_next", "voters", "voters_outgoing")

    def __init__(
        self,
        voters: tuple[MemberId, ...] = (),
        learners: tuple[MemberId, ...] = (),
        voters_outgoing: tuple[MemberId, ...] = (),
        learners_next: tuple[MemberId, ...] = (),
        auto_leave: bool = False,
    ) -> None:
        self.voters: Final = voters
        self.learners: Final = learners
        self.voters_outgoing: Final = voters_outgoing
        self.learners_next: Final = learners_next
        self.auto_leave: Final = auto_leave

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ConfState)
            and self.voters == other.voters
            and self.learners == other.learners
            and self.voters_outgoing == other.voters_outgoing
            and self.learners_next == other.learners_next
            and self.auto_leave == other.auto_leave
        )

    def __hash__(self) -> int:
        return hash((self.voters, self.learners, self.voters_outgoing))

    def __repr__(self) -> str:
        return (
            f"ConfState(voters={self.voters}, learners={self.learners}, voters_outgoing={self.voters_outgoing}, "
            f"learners_next={self.learners_next}, auto_leave={self.auto_leave})"
        )


@final
class ConfChange:
    """One step of a ConfChangeV2. Member id 0 makes it a no-op, which is how the shell cancels an invalid one."""

    __slots__ = ("kind", "member_id")

    def __init__(self, kind: int, member_id: MemberId) -> None:
        self.kind: Final = kind
        self.member_id: Final = member_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfChange) and self.kind == other.kind and self.member_id == other.member_id

    def __hash__(self) -> int:
        return hash((self.kind, self.member_id))

    def __repr__(self) -> str:
        return f"ConfChange({self.kind}, {self.member_id:#x})"


@final
class ConfChangeV2:
    """A membership change, as an entry carries it. Without changes it leaves the joint configuration."""

    __slots__ = ("changes", "context", "transition")

    def __init__(
        self, changes: tuple[ConfChange, ...] = (), transition: int = TRANSITION_AUTO, context: bytes = b""
    ) -> None:
        self.changes: Final = changes
        self.transition: Final = transition
        self.context: Final = context

    def is_leave_joint(self) -> bool:
        return not self.changes and self.transition == TRANSITION_AUTO

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ConfChangeV2)
            and self.changes == other.changes
            and self.transition == other.transition
            and self.context == other.context
        )

    def __hash__(self) -> int:
        return hash((self.changes, self.transition, self.context))

    def __repr__(self) -> str:
        return f"ConfChangeV2({self.changes}, {self.transition}, {self.context!r})"


@final
class SnapshotMeta:
    """The log position that a snapshot stands for, and the configuration there."""

    __slots__ = ("conf_state", "index", "term")

    def __init__(self, index: LogIndex, term: Term, conf_state: ConfState) -> None:
        self.index: Final = index
        self.term: Final = term
        self.conf_state: Final = conf_state

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SnapshotMeta)
            and self.index == other.index
            and self.term == other.term
            and self.conf_state == other.conf_state
        )

    def __hash__(self) -> int:
        return hash((self.index, self.term))

    def __repr__(self) -> str:
        return f"SnapshotMeta({self.index}, {self.term}, {self.conf_state})"


@final
class Snapshot:
    """A snapshot on its way. `data` is opaque: a small state itself, or nothing if the shell streams the state."""

    __slots__ = ("data", "meta")

    def __init__(self, meta: SnapshotMeta, data: bytes = b"") -> None:
        self.meta: Final = meta
        self.data: Final = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.meta == other.meta and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.meta)

    def __repr__(self) -> str:
        return f"Snapshot({self.meta}, {len(self.data)} bytes)"


@final
class Message:
    """One message between two members; which fields count depends on the kind.

    append: index and log_term of the entry before `entries`, commit. append_response: index reached, or with `reject`
    the index refused and in (reject_hint, log_term) where to look next; `force` asks for a snapshot. heartbeat and its
    response: commit, context (the read round). vote, pre_vote: index and log_term of the candidate's last entry,
    `force` in a transfer; a refusal: commit and log_term of the voter's last committed entry.
    read_index and its response: context, index. transfer_leader: index is the target's member id.
    """

    __slots__ = (
        "commit",
        "context",
        "entries",
        "force",
        "index",
        "kind",
        "log_term",
        "reject",
        "reject_hint",
        "sender",
        "snapshot",
        "target",
        "term",
    )

    def __init__(
        self,
        kind: int,
        target: MemberId,
        sender: MemberId,
        term: Term,
        index: LogIndex = NO_INDEX,
        log_term: Term = NO_TERM,
        commit: LogIndex = NO_INDEX,
        entries: list[Entry] | None = None,
        reject: bool = False,
        reject_hint: LogIndex = NO_INDEX,
        force: bool = False,
        context: bytes = b"",
        snapshot: Snapshot | None = None,
    ) -> None:
        self.kind: Final = kind
        self.target: Final = target
        self.sender: Final = sender
        self.term: Final = term
        self.index: Final = index
        self.log_term: Final = log_term
        self.commit: Final = commit
        self.entries: Final[list[Entry]] = [] if entries is None else entries
        self.reject: Final = reject
        self.reject_hint: Final = reject_hint
        self.force: Final = force
        self.context: Final = context
        self.snapshot: Final = snapshot

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self.kind == other.kind
            and self.target == other.target
            and self.sender == other.sender
            and self.term == other.term
            and self.index == other.index
            and self.log_term == other.log_term
            and self.commit == other.commit
            and self.entries == other.entries
            and self.reject == other.reject
            and self.reject_hint == other.reject_hint
            and self.force == other.force
            and self.context == other.context
            and self.snapshot == other.snapshot
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.target, self.sender, self.term, self.index))

    def __repr__(self) -> str:
        return (
            f"Message({MESSAGE_NAMES[self.kind]} {self.sender:x}->{self.target:x} term={self.term} index={self.index} "
            f"log_term={self.log_term} commit={self.commit} entries={self.entries} reject={self.reject} "
            f"hint={self.reject_hint} force={self.force} context={self.context!r} snapshot={self.snapshot})"
        )


# --- codec ---

_ENTRY: Final = struct.Struct(">QQBI")
_HARD_STATE: Final = struct.Struct(">QQQ")
_U64: Final = struct.Struct(">Q")
_U32: Final = struct.Struct(">I")
_POSITION: Final = struct.Struct(">QQ")
_CONF_CHANGE_HEAD: Final = struct.Struct(">BI")
_CONF_CHANGE: Final = struct.Struct(">BQ")
_MESSAGE: Final = struct.Struct(">BBQQQQQQQII")

ENTRY_HEADER_BYTES: Final = 21
"""What an entry takes on the wire beside its data."""

_FLAG_REJECT: Final = 1
_FLAG_FORCE: Final = 2
_FLAG_SNAPSHOT: Final = 4


def encode_entry(entry: Entry) -> bytes:
    """Layout: index u64 | term u64 | kind u8 | length u32 | data."""
    return _ENTRY.pack(entry.index, entry.term, entry.kind, len(entry.data)) + entry.data


def encode_hard_state(state: HardState) -> bytes:
    """Layout: term u64 | vote u64 | commit u64."""
    return _HARD_STATE.pack(state.term, state.vote, state.commit)


def encode_conf_state(state: ConfState) -> bytes:
    """Layout: auto_leave u8 | four times (count u32 | ids u64): voters, learners, voters_outgoing, learners_next."""
    return (
        (b"\x01" if state.auto_leave else b"\x00")
        + _encode_ids(state.voters)
        + _encode_ids(state.learners)
        + _encode_ids(state.voters_outgoing)
        + _encode_ids(state.learners_next)
    )


def encode_conf_change(change: ConfChangeV2) -> bytes:
    """Layout: transition u8 | count u32 | changes (kind u8, member id u64) | length u32 | context."""
    parts = [_CONF_CHANGE_HEAD.pack(change.transition, len(change.changes))]
    for single in change.changes:
        parts.append(_CONF_CHANGE.pack(single.kind, single.member_id))
    parts.append(_U32.pack(len(change.context)))
    parts.append(change.context)
    return b"".join(parts)


def encode_snapshot_meta(meta: SnapshotMeta) -> bytes:
    """Layout: index u64 | term u64 | conf state."""
    return _POSITION.pack(meta.index, meta.term) + encode_conf_state(meta.conf_state)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Layout: snapshot meta | length u32 | data."""
    return encode_snapshot_meta(snapshot.meta) + _U32.pack(len(snapshot.data)) + snapshot.data


def encode_message(message: Message) -> bytes:
    """Layout: kind u8 | flags u8 | target, sender, term, log_term, index, commit, reject_hint u64 |
    context length u32 | entry count u32 | context | entries | snapshot, if flags say so.
    """
    flags = 0
    if message.reject:
        flags |= _FLAG_REJECT
    if message.force:
        flags |= _FLAG_FORCE
    if message.snapshot is not None:
        flags |= _FLAG_SNAPSHOT
    parts = [
        _MESSAGE.pack(
            message.kind,
            flags,
            message.target,
            message.sender,
            message.term,
            message.log_term,
            message.index,
            message.commit,
            message.reject_hint,
            len(message.context),
            len(message.entries),
        ),
        message.context,
    ]
    for entry in message.entries:
        parts.append(_ENTRY.pack(entry.index, entry.term, entry.kind, len(entry.data)))
        parts.append(entry.data)
    if message.snapshot is not None:
        parts.append(encode_snapshot(message.snapshot))
    return b"".join(parts)


def decode_entry(data: bytes) -> Entry:
    """Raises DecodeError on anything but exactly one entry."""
    reader = _Reader(data)
    entry = reader.take_entry()
    reader.check_end()
    return entry


def decode_hard_state(data: bytes) -> HardState:
    """Raises DecodeError on anything but exactly one hard state."""
    reader = _Reader(data)
    state = HardState(Term(reader.take_u64()), MemberId(reader.take_u64()), LogIndex(reader.take_u64()))
    reader.check_end()
    return state


def decode_conf_state(data: bytes) -> ConfState:
    """Raises DecodeError on anything but exactly one conf state."""
    reader = _Reader(data)
    state = reader.take_conf_state()
    reader.check_end()
    return state


def decode_conf_change(data: bytes) -> ConfChangeV2:
    """Raises DecodeError on anything but exactly one conf change. No bytes at all are the empty change."""
    if not data:
        return ConfChangeV2()
    reader = _Reader(data)
    transition = reader.take_u8()
    if transition > TRANSITION_JOINT_EXPLICIT:
        raise DecodeError(f"unknown transition {transition} in a conf change")
    changes: list[ConfChange] = []
    for _ in range(reader.take_count(_CONF_CHANGE.size)):
        kind = reader.take_u8()
        if kind > CHANGE_ADD_LEARNER:
            raise DecodeError(f"unknown kind {kind} in a conf change")
        changes.append(ConfChange(kind, MemberId(reader.take_u64())))
    context = reader.take_bytes(reader.take_u32())
    reader.check_end()
    return ConfChangeV2(tuple(changes), transition, context)


def decode_snapshot_meta(data: bytes) -> SnapshotMeta:
    """Raises DecodeError on anything but exactly one snapshot meta."""
    reader = _Reader(data)
    meta = reader.take_snapshot_meta()
    reader.check_end()
    return meta


def decode_snapshot(data: bytes) -> Snapshot:
    """Raises DecodeError on anything but exactly one snapshot."""
    reader = _Reader(data)
    snapshot = reader.take_snapshot()
    reader.check_end()
    return snapshot


def decode_message(data: bytes) -> Message:
    """Raises DecodeError on anything but exactly one message."""
    reader = _Reader(data)
    kind = reader.take_u8()
    if kind < MSG_APPEND or kind > MSG_TRANSFER_LEADER:
        raise DecodeError(f"unknown message kind {kind}")
    flags = reader.take_u8()
    if flags > (_FLAG_REJECT | _FLAG_FORCE | _FLAG_SNAPSHOT):
        raise DecodeError(f"unknown message flags {flags:#x}")
    target = MemberId(reader.take_u64())
    sender = MemberId(reader.take_u64())
    term = Term(reader.take_u64())
    log_term = Term(reader.take_u64())
    index = LogIndex(reader.take_u64())
    commit = LogIndex(reader.take_u64())
    reject_hint = LogIndex(reader.take_u64())
    context_length = reader.take_u32()
    entry_count = reader.take_u32()
    context = reader.take_bytes(context_length)
    reader.check_room(entry_count * ENTRY_HEADER_BYTES)
    entries: list[Entry] = []
    for position in range(entry_count):
        entry = reader.take_entry()
        if entry.index != index + 1 + position:
            raise DecodeError(f"expected entry {index + 1 + position} in a message, got {entry.index}")
        entries.append(entry)
    snapshot = reader.take_snapshot() if flags & _FLAG_SNAPSHOT else None
    reader.check_end()
    return Message(
        kind,
        target,
        sender,
        term,
        index,
        log_term,
        commit,
        entries,
        (flags & _FLAG_REJECT) != 0,
        reject_hint,
        (flags & _FLAG_FORCE) != 0,
        context,
        snapshot,
    )


def _encode_ids(ids: tuple[MemberId, ...]) -> bytes:
    parts = [_U32.pack(len(ids))]
    for member_id in ids:
        parts.append(_U64.pack(member_id))
    return b"".join(parts)


@final
class _Reader:
    """A cursor over bytes that refuses to read past their end (I2)."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data: Final = data
        self._position = 0

    def check_room(self, length: int) -> None:
        if self._position + length > len(self._data):
            raise DecodeError(f"expected {length} bytes at {self._position}, the end is at {len(self._data)}")

    def check_end(self) -> None:
        if self._position != len(self._data):
            raise DecodeError(f"expected the end at {self._position}, there are {len(self._data)} bytes")

    def take_u8(self) -> int:
        self.check_room(1)
        value = self._data[self._position]
        self._position += 1
        return value

    def take_u32(self) -> int:
        self.check_room(4)
        value: int = _U32.unpack_from(self._data, self._position)[0]
        self._position += 4
        return value

    def take_u64(self) -> int:
        self.check_room(8)
        value: int = _U64.unpack_from(self._data, self._position)[0]
        self._position += 8
        return value

    def take_bytes(self, length: int) -> bytes:
        self.check_room(length)
        start = self._position
        self._position = start + length
        return self._data[start : start + length]

    def take_count(self, item_bytes: int) -> int:
        """A count of items that are all still there, so that no loop is longer than the bytes allow."""
        count = self.take_u32()
        self.check_room(count * item_bytes)
        return count

    def take_entry(self) -> Entry:
        self.check_room(ENTRY_HEADER_BYTES)
        index: int
        term: int
        kind: int
        length: int
        index, term, kind, length = _ENTRY.unpack_from(self._data, self._position)
        if kind > ENTRY_CONF_CHANGE:
            raise DecodeError(f"unknown entry kind {kind} at {self._position}")
        self._position += ENTRY_HEADER_BYTES
        return Entry(LogIndex(index), Term(term), kind, self.take_bytes(length))

    def take_conf_state(self) -> ConfState:
        auto_leave = self.take_u8()
        if auto_leave > 1:
            raise DecodeError(f"expected 0 or 1 in a conf state, got {auto_leave}")
        voters = self._take_ids()
        learners = self._take_ids()
        voters_outgoing = self._take_ids()
        learners_next = self._take_ids()
        return ConfState(voters, learners, voters_outgoing, learners_next, auto_leave == 1)

    def take_snapshot_meta(self) -> SnapshotMeta:
        index = LogIndex(self.take_u64())
        term = Term(self.take_u64())
        return SnapshotMeta(index, term, self.take_conf_state())

    def take_snapshot(self) -> Snapshot:
        meta = self.take_snapshot_meta()
        return Snapshot(meta, self.take_bytes(self.take_u32()))

    def _take_ids(self) -> tuple[MemberId, ...]:
        ids: list[MemberId] = []
        for _ in range(self.take_count(8)):
            ids.append(MemberId(self.take_u64()))
        return tuple(ids)
