"""Answers of ranges, for serializable reads that don't mind if they are old.

A linearizable read is always asked upstream, and its answer kept for the others. What is written through this proxy is
forgotten at once; what others write is not seen, as in etcd's proxy: a serializable read through it may be stale.

Invariants:
1. At most ENTRIES_MAX answers and BYTES_MAX bytes are kept; the one read longest ago goes first.
2. No answer outlives a write through this proxy that touches its interval, nor one that was asked before such a write.
"""

from collections import OrderedDict
from typing import Final, final

from etcdcore.mvcc.store import OPEN_END
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.counts import ProxyCounts

ENTRIES_MAX: Final = 2048
BYTES_MAX: Final = 64 << 20
ENTRY_BYTES_MAX: Final = 1 << 20


@final
class CachedRange:
    __slots__ = ("answer", "key", "range_end")

    def __init__(self, key: bytes, range_end: bytes, answer: bytes) -> None:
        self.key: Final = key
        self.range_end: Final = range_end
        self.answer: Final = answer

    def overlaps(self, key: bytes, range_end: bytes) -> bool:
        return _is_before_end(key, self.key, self.range_end) and _is_before_end(self.key, key, range_end)


def _is_before_end(key: bytes, start: bytes, range_end: bytes) -> bool:
    if not range_end:
        return key <= start
    return range_end == OPEN_END or key < range_end


@final
class RangeCache:
    """`epoch` changes with every write: an answer is only kept if it is the one from before it was asked."""

    __slots__ = ("_bytes", "_counts", "_entries", "epoch")

    def __init__(self, counts: ProxyCounts) -> None:
        self._counts: Final = counts
        self._entries: Final[OrderedDict[tuple[str, bytes], CachedRange]] = OrderedDict()
        self._bytes = 0
        self.epoch = 0

    def get(self, token: str, request: rpc_pb2.RangeRequest) -> bytes | None:
        """The answer for the caller with this token."""
        found = self._entries.get((token, _name(request)))
        if found is None:
            self._counts.cache_misses += 1
            return None
        self._entries.move_to_end((token, _name(request)))
        self._counts.cache_hits += 1
        return found.answer

    def keep(self, token: str, request: rpc_pb2.RangeRequest, answer: bytes, epoch: int) -> None:
        """`epoch` as it was when the request went up."""
        if epoch != self.epoch or len(answer) > ENTRY_BYTES_MAX:
            return
        name = (token, _name(request))
        self._remove(name)
        self._entries[name] = CachedRange(request.key, request.range_end, answer)
        self._bytes += len(answer)
        while len(self._entries) > ENTRIES_MAX or self._bytes > BYTES_MAX:
            self._remove(next(iter(self._entries)))
        self._counts.cache_keys = len(self._entries)

    def forget(self, key: bytes, range_end: bytes) -> None:
        """Something in the interval is being written, or was."""
        self.epoch += 1
        for name in [name for name, entry in self._entries.items() if entry.overlaps(key, range_end)]:
            self._remove(name)
        self._counts.cache_keys = len(self._entries)

    def clear(self) -> None:
        self.forget(b"", OPEN_END)

    def _remove(self, name: tuple[str, bytes]) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._bytes -= len(entry.answer)


def _name(request: rpc_pb2.RangeRequest) -> bytes:
    """Serializable or not, it is the same question."""
    plain = rpc_pb2.RangeRequest()
    plain.CopyFrom(request)
    plain.serializable = True
    return plain.SerializeToString(deterministic=True)
