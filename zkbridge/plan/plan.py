"""A decided write: what goes to the store, what changes in the tree, and how it is answered once applied.

answer bodies: create: path | create2, createContainer, createTTL: path, Stat | setData, setACL: Stat | multi: per
operation MultiHeader(type, false, 0) and its result, then MultiHeader(-1, true, -1) | anything else: empty.
Source: ZooKeeper FinalRequestProcessor, MultiResponse; reference section 2.4.

Invariants:
1. `changes` are in the order of the operations, with the final values; `results` has one item per operation of a multi.
2. A plan without puts and deletes (a multi of checks only, or an empty one) changes nothing: it is an answer about the
   view, and needs no transaction.
"""

from typing import Final, final

from zkbridge.errors import RUNTIME_INCONSISTENCY
from zkbridge.jute.wire import layout
from zkbridge.keyspace.keys import Keyspace
from zkbridge.tree.acl import Credentials
from zkbridge.tree.changes import Change, DataSet, ZnodeChange, ZnodeCreated
from zkbridge.tree.overlay import PendingZnode, TouchingWrite

STALL: Final = 1
"""Returned instead of a Plan: can't be planned until the plans in flight are applied, since it has to store a revision
that is not known yet. No error code is positive."""

OP_CREATE: Final = 1
OP_DELETE: Final = 2
OP_SET_DATA: Final = 5
OP_SET_ACL: Final = 7
OP_CHECK: Final = 13
OP_MULTI: Final = 14
OP_CREATE2: Final = 15
OP_CREATE_CONTAINER: Final = 19
OP_DELETE_CONTAINER: Final = 20
OP_CREATE_TTL: Final = 21
OP_CREATE_SESSION: Final = -10
OP_CLOSE_SESSION: Final = -11
OP_ERROR: Final = -1
OP_SETTLE_PARENTS: Final = -100
"""The server's own: no client sends it, and it has no answer."""

_INT: Final = layout("i")
_RESULT: Final = layout("i?i")
_ERROR_RESULT: Final = layout("i?ii")
_RESULTS_END: Final = _RESULT.pack(-1, True, -1)


@final
class PlanContext:
    """Who asks, when, and under which settings. One for each session, `now_ms` set anew for each batch of requests.

    `now_ms`: Unix milliseconds for ctime and mtime. `session_id` 0: the server itself, whose session is not checked.
    `session_key` is the store's key of the session, None for the server itself.
    """

    __slots__ = (
        "credentials",
        "enforces_quota",
        "is_digest_enabled",
        "is_ttl_enabled",
        "keyspace",
        "now_ms",
        "session_id",
        "session_key",
    )

    def __init__(
        self,
        keyspace: Keyspace,
        session_id: int,
        credentials: Credentials,
        now_ms: int = 0,
        is_ttl_enabled: bool = False,
        enforces_quota: bool = False,
        is_digest_enabled: bool = True,
    ) -> None:
        self.keyspace: Final = keyspace
        self.session_id: Final = session_id
        self.session_key: Final = keyspace.session_key(session_id) if session_id else None
        self.credentials = credentials
        self.now_ms = now_ms
        self.is_ttl_enabled: Final = is_ttl_enabled
        self.enforces_quota: Final = enforces_quota
        self.is_digest_enabled: Final = is_digest_enabled


@final
class Plan(TouchingWrite):
    """One write. The planner fills it; `seq`, `owner`, `xid` and `request` belong to the committer and the dispatcher.

    `session_key`: the key whose existence the transaction compares, None for the server's own writes. `touched` and
    `touched_session` are the overlay's, see `Overlay.record` and `Overlay.settle`.
    """

    __slots__ = (
        "changes",
        "deletes",
        "opcode",
        "owner",
        "puts",
        "request",
        "results",
        "session_id",
        "session_key",
        "xid",
    )

    def __init__(
        self,
        opcode: int,
        session_id: int,
        session_key: bytes | None,
        changes: list[Change],
        puts: list[tuple[bytes, bytes, int]],
        deletes: list[bytes],
        touched: list[PendingZnode],
    ) -> None:
        self.opcode = opcode
        self.session_id = session_id
        self.session_key = session_key
        self.changes = changes
        self.puts = puts
        self.deletes = deletes
        self.touched = touched
        self.touched_session = None
        self.results: list[tuple[int, ZnodeChange | None]] | None = None
        self.seq = 0
        self.xid = 0
        self.owner: object | None = None
        self.request: object | None = None


@final
class FailedMulti:
    """A multi refused by one of its operations; `codes` has 0 before it, its error, and -2 after it."""

    __slots__ = ("codes",)

    def __init__(self, failed_index: int, code: int, count: int) -> None:
        self.codes: Final = [0] * failed_index + [code] + [RUNTIME_INCONSISTENCY] * (count - failed_index - 1)

    def encode(self) -> bytes:
        """Reply body; the reply's header says 0 all the same."""
        results = [_ERROR_RESULT.pack(OP_ERROR, False, code, code) for code in self.codes]
        return b"".join(results) + _RESULTS_END


def encode_answer(plan: Plan) -> bytes:
    """Reply body of an applied plan."""
    opcode = plan.opcode
    if opcode in (OP_SET_DATA, OP_SET_ACL):
        return stat_of(plan.changes[0])
    if opcode == OP_CREATE:
        return _encode_path(plan.changes[0])
    if opcode == OP_MULTI:
        return _encode_results(plan)
    if opcode in (OP_CREATE2, OP_CREATE_CONTAINER, OP_CREATE_TTL):
        return _encode_path(plan.changes[0]) + stat_of(plan.changes[0])
    return b""


def stat_of(change: Change) -> bytes:
    """The Stat that the replica captured right after this change."""
    assert isinstance(change, ZnodeChange)
    stat = change.stat
    assert stat is not None, "answered before it was applied"
    return stat


def _encode_path(change: Change) -> bytes:
    assert isinstance(change, ZnodeCreated)
    path = change.path.encode()
    return _INT.pack(len(path)) + path


def _encode_results(plan: Plan) -> bytes:
    results = plan.results
    assert results is not None
    parts: list[bytes] = []
    for result_type, change in results:
        parts.append(_RESULT.pack(result_type, False, 0))
        if isinstance(change, ZnodeCreated):
            parts.append(_encode_path(change))
            if result_type == OP_CREATE2:
                parts.append(stat_of(change))
        elif isinstance(change, DataSet):
            parts.append(stat_of(change))
    parts.append(_RESULTS_END)
    return b"".join(parts)
