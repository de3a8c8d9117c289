"""The header of responses: which cluster, which member, at which revision, in which raft term.

`field 1 of every response: cluster_id u64 | member_id u64 | revision i64 | raft_term u64`, zero fields omitted.
"""

from typing import Final, final

from etcdcore.member.member import Member
from etcdcore.mvcc.revision import varint

_HEADER_TAG: Final = b"\x0a"


def encode_revision_header(revision: int) -> bytes:
    """The header of an operation inside a transaction: it says the revision and nothing else."""
    body = b"\x18" + varint(revision)
    return _HEADER_TAG + varint(len(body)) + body


@final
class Headers:
    """Everything but the revision is the same from one response to the next, so it is encoded once a term."""

    __slots__ = ("_head", "_member", "_tail", "_term", "revision", "whole")

    def __init__(self, member: Member) -> None:
        self._member: Final = member
        self._head: Final = b"\x08" + varint(member.cluster_id) + b"\x10" + varint(member.member_id)
        self._term = -1
        self._tail = b""
        self.revision = -1
        self.whole = b""
        """The header encoded last: many responses are of one revision."""

    def encode(self, revision: int) -> bytes:
        """The header with tag and length. Revision 0 is left out, as in etcd's cluster and some watch answers."""
        term = self._member.term
        if term != self._term:
            self._term = term
            self._tail = b"\x20" + varint(term) if term else b""
        elif revision == self.revision:
            return self.whole
        body = self._head + (b"\x18" + varint(revision) if revision else b"") + self._tail
        self.revision = revision
        self.whole = _HEADER_TAG + varint(len(body)) + body
        return self.whole

    def now(self) -> bytes:
        """The header at the revision applied last."""
        return self.encode(self._member.revision())
