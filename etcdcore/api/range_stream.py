"""KV.RangeStream of etcd 3.7: a range in pieces, all of one revision, so that nobody holds a large answer whole.

The pieces merge into the answer that Range would have given: pairs are in every piece, the header, `more` and the count
in the last one. Each piece holds twice as many pairs as the one before until it has a request's size at most.
Source: etcd server/etcdserver/v3_server.go (rangeStream).
"""

import asyncio
from typing import Final, final

from etcdcore.api.admin_calls import AdminCalls, checked
from etcdcore.api.convert_kv import encode_pair
from etcdcore.api.convert_slow import slow_range
from etcdcore.api.tasks import CallStream
from etcdcore.apply.checks import check_range
from etcdcore.apply.commands import SORT_ASCEND, SORT_BY_KEY, SORT_NONE, Range
from etcdcore.apply.reads import read_range
from etcdcore.mvcc.revision import varint
from etcdcore.rpc.status import EtcdError
from etcdcore.types import KeyValue

RANGE_STREAM: Final = "/etcdserverpb.KV/RangeStream"
FIRST_PIECE_PAIRS: Final = 10
_UNIMPLEMENTED: Final = 12
_MORE: Final = b"\x18\x01"


@final
class RangeStreamService:
    """`serve_call` is the handler of each call."""

    def __init__(self, calls: AdminCalls, piece_bytes: int) -> None:
        self._calls: Final = calls
        self._piece_bytes: Final = piece_bytes

    async def serve_call(self, request: bytes, stream: CallStream) -> None:
        """Refuses as Range does, and what cannot be told piece by piece."""
        wanted = slow_range(request)
        calls = self._calls
        refusal = calls.gate.check_call(stream.call, wanted.serializable) or check_range(wanted)
        if refusal is not None:
            raise refusal
        _check_order(wanted)
        identity = checked(calls.gate.identify(stream.call))
        if not wanted.serializable and not calls.member.is_current():
            await calls.admin.read_index()
        refusal = calls.gate.check_range(identity, wanted)
        if refusal is not None:
            raise refusal
        if wanted.count_only:
            counted = checked(read_range(calls.member.store, wanted))
            body = calls.headers.encode(counted.revision) + _count(counted.count)
            await stream.send(_piece(body))
            return
        await self._send_pieces(wanted, stream)

    async def _send_pieces(self, wanted: Range, stream: CallStream) -> None:
        member = self._calls.member
        store = member.store
        store.counts.range_count += 1
        told_revision = store.visible_revision
        revision = wanted.revision if wanted.revision > 0 else told_revision
        start, left, told_count = wanted.key, wanted.limit if wanted.limit > 0 else -1, 0
        pairs_max = FIRST_PIECE_PAIRS
        while True:
            # The store may be another one by now, and the revision may have been compacted.
            store = member.store
            refusal = store.check_revision(revision)
            if refusal is not None:
                raise refusal
            wanted_count = pairs_max if left < 0 else min(pairs_max, left)
            pairs = store.page(start, wanted.range_end, revision, wanted_count + 1)
            has_more = len(pairs) > wanted_count
            del pairs[wanted_count:]
            body = b"".join(_pair(pair, wanted.keys_only) for pair in pairs)
            told_count += len(pairs)
            if left >= 0:
                left -= len(pairs)
            if not has_more or left == 0:
                count = told_count
                if has_more:
                    behind = Range(pairs[-1].key + b"\0", wanted.range_end, 0, revision, count_only=True)
                    count += checked(read_range(store, behind)).count
                header = self._calls.headers.encode(told_revision)
                await stream.send(_piece(header + body + (_MORE if has_more else b"") + _count(count)))
                return
            await stream.send(_piece(body))
            start = pairs[-1].key + b"\0"
            if len(body) < self._piece_bytes // 2:
                pairs_max = wanted_count * 2
            elif len(body) > self._piece_bytes * 2:
                pairs_max = max(wanted_count // 2, 1)
            await asyncio.sleep(0)  # others have the loop between two pieces


def _check_order(wanted: Range) -> None:
    """Pieces come in the order of the keys, before the others are known."""
    if wanted.sort_order != SORT_NONE and not (
        wanted.sort_target == SORT_BY_KEY and wanted.sort_order == SORT_ASCEND
    ):
        raise EtcdError(_UNIMPLEMENTED, "RangeStream does not support custom sort orders")
    bounds = (wanted.min_mod_revision, wanted.max_mod_revision, wanted.min_create_revision, wanted.max_create_revision)
    if any(bounds):
        raise EtcdError(_UNIMPLEMENTED, "RangeStream does not support revision filters")


def _pair(pair: KeyValue, keys_only: bool) -> bytes:
    """With its tag in the response. Keys alone come without their lease, as etcd 3.7 reads them from its index."""
    if keys_only:
        pair = KeyValue(pair.key, pair.create_revision, pair.mod_revision, pair.version, b"", 0)
    record = encode_pair(pair)
    return b"\x12" + varint(len(record)) + record


def _count(count: int) -> bytes:
    return b"\x20" + varint(count) if count else b""


def _piece(body: bytes) -> bytes:
    """A RangeStreamResponse, whose one field is a RangeResponse."""
    return b"\x0a" + varint(len(body)) + body
