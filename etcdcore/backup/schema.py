"""What etcd's buckets hold that our tables do not say, or say otherwise.

meta: consistent_index u64 BE | term u64 BE | confState JSON | storageVersion text | scheduledCompactRev and
finishedCompactRev as record keys. cluster: clusterVersion text. All other tables are the
same on both sides. Source: etcd server/storage/schema.
"""

import json
from struct import Struct
from typing import Final

from etcdcore.bbolt.layout import BboltCorrupt
from etcdcore.mvcc.compaction import FINISHED, SCHEDULED
from etcdcore.mvcc.engine import TABLE_NAMES
from etcdcore.raft.messages import ConfState

CONSISTENT_INDEX: Final = b"consistent_index"
TERM: Final = b"term"
CONF_STATE: Final = b"confState"
STORAGE_VERSION_NAME: Final = b"storageVersion"
CLUSTER_VERSION_NAME: Final = b"clusterVersion"

STORAGE_VERSION: Final = b"3.6.0"
"""Of the schema that is written; a real etcd 3.6 opens it as its own."""

KEPT_META: Final = (SCHEDULED, FINISHED)
"""Of the meta table these mean the same to every server; all else is made anew for the one that it is for."""

TABLES_BY_NAME: Final = tuple(sorted((name, number) for number, name in enumerate(TABLE_NAMES)))
"""Buckets in the order of a file."""

_NUMBER: Final = Struct(">Q")


def encode_number(number: int) -> bytes:
    return _NUMBER.pack(number)


def decode_number(data: bytes | None) -> int:
    """0 when it is absent. Raises BboltCorrupt."""
    if data is None:
        return 0
    if len(data) != _NUMBER.size:
        raise BboltCorrupt(f"a number in the meta bucket has {len(data)} bytes")
    number: int = _NUMBER.unpack(data)[0]
    return number


def encode_conf_state(state: ConfState) -> bytes:
    """As Go's encoding of raftpb.ConfState has it: lists that are empty are left out, the flag never is."""
    fields: dict[str, list[int] | bool] = {}
    for name, members in (
        ("voters", state.voters),
        ("learners", state.learners),
        ("voters_outgoing", state.voters_outgoing),
        ("learners_next", state.learners_next),
    ):
        if members:
            fields[name] = list(members)
    fields["auto_leave"] = state.auto_leave
    return json.dumps(fields, separators=(",", ":")).encode()


def meta_records(index: int, term: int, conf_state: ConfState, kept: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The meta bucket in order. `kept`: what the source had of KEPT_META."""
    records = {
        CONSISTENT_INDEX: encode_number(index),
        TERM: encode_number(term),
        CONF_STATE: encode_conf_state(conf_state),
        STORAGE_VERSION_NAME: STORAGE_VERSION,
        **kept,
    }
    return sorted(records.items())
