"""Maintenance.Snapshot: the whole state as a bbolt file, in blobs, and then the SHA-256 of it.

view of the state -> bbolt file without a name in the data directory -> blobs at the client's pace

The file stands between the store and the client, so that a slow client keeps no view open (the engine could not use a
page again meanwhile), and since its size must be known before the first byte.

Invariants:
1. All that is sent is of one log index.
2. At most SNAPSHOTS_MAX at once; the files have no names, so that a crash leaves none.
3. The loop neither reads nor writes the file: each snapshot has a thread for that, which ends with the call.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import BinaryIO, Final, TypeVar, cast, final

import structlog

from etcdcore.api.convert_slow import parse
from etcdcore.api.gate import Gate
from etcdcore.api.tasks import CallStream
from etcdcore.backup.export import Export, ExportFailed
from etcdcore.backup.schema import STORAGE_VERSION
from etcdcore.errors import CoreError, TooManyRequests
from etcdcore.member.member import Member
from etcdcore.mvcc.revision import varint
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call

SNAPSHOT_PATH: Final = "/etcdserverpb.Maintenance/Snapshot"
SNAPSHOTS_MAX: Final = 4
"""Each needs the disk for one more copy of the store."""
BLOB_BYTES: Final = 32 * 1024
_READ_BYTES: Final = 32 * BLOB_BYTES
"""What the thread reads at a time, and hence what is sent before others have the loop again."""
_RESOURCE_EXHAUSTED: Final = 8

_log = structlog.get_logger()
_Result = TypeVar("_Result")


@final
class SnapshotService:
    """`serve_call` is the handler of each call."""

    def __init__(self, member: Member, gate: Gate) -> None:
        self._member: Final = member
        self._gate: Final = gate
        self._running_count = 0

    async def serve_call(self, request: bytes, stream: CallStream) -> None:
        """The request is empty. Refuses as the gate does, TooManyRequests, NoSpace."""
        parse(rpc_pb2.SnapshotRequest, request)
        self._check(stream.call)
        if self._running_count >= SNAPSHOTS_MAX:
            raise TooManyRequests()
        self._running_count += 1
        thread = ThreadPoolExecutor(1, "snapshot")
        started = perf_counter()
        try:
            with tempfile.TemporaryFile(dir=self._member.data_path) as file:
                size = await self._export(thread, cast(BinaryIO, file))
                _log.info("sending database snapshot to client", total_bytes=size, peer=stream.call.peer)
                await _send(thread, cast(BinaryIO, file), size, stream)
                self._member.counts.snapshot_s.observe(perf_counter() - started)
                _log.info("successfully sent database snapshot to client", total_bytes=size, peer=stream.call.peer)
        except (ExportFailed, OSError) as error:
            _log.warning("snapshot failed", error=str(error), peer=stream.call.peer)
            stream.call.fail(_RESOURCE_EXHAUSTED, f"etcdserver: no snapshot could be made: {error}")
        finally:
            thread.shutdown(wait=False)
            self._running_count -= 1

    def _check(self, call: Call) -> None:
        error = self._gate.check_call(call)
        if error is not None:
            raise error
        identity = self._gate.identify(call)
        if isinstance(identity, CoreError):
            raise identity
        error = self._gate.check_admin(identity)
        if error is not None:
            raise error

    async def _export(self, thread: ThreadPoolExecutor, file: BinaryIO) -> int:
        """Returns the size of the file."""
        view = self._member.open_view()
        if isinstance(view, CoreError):
            raise view
        export = Export(view.engine, view.index, view.term, view.conf_state, file)
        try:
            return await _run(thread, export.run)
        except asyncio.CancelledError:
            export.cancel()
            raise
        finally:
            view.engine.close()


async def _run(thread: ThreadPoolExecutor, work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(thread, work)


async def _send(thread: ThreadPoolExecutor, file: BinaryIO, size: int, stream: CallStream) -> None:
    digest = hashlib.sha256()

    def read() -> bytes:
        data = file.read(_READ_BYTES)
        digest.update(data)
        return data

    file.seek(0)
    left = size
    while left:
        data = await _run(thread, read)
        if not data:
            raise ExportFailed("the copy became shorter while it was read")
        for begin in range(0, len(data), BLOB_BYTES):
            blob = data[begin : begin + BLOB_BYTES]
            left -= len(blob)
            await stream.send(_encode(left, blob))
    await stream.send(_encode(0, digest.digest()))


_VERSION_FIELD: Final = b"\x22" + varint(len(STORAGE_VERSION)) + STORAGE_VERSION


def _encode(remaining: int, blob: bytes) -> bytes:
    """SnapshotResponse: 2 remaining_bytes u64 | 3 blob bytes | 4 version string. It has no header."""
    head = b"\x10" + varint(remaining) if remaining else b""
    return b"".join((head, b"\x1a", varint(len(blob)), blob, _VERSION_FIELD))
