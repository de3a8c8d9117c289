"""etcdcore.api.snapshot: the stream of reference section 2.10."""

import asyncio
import hashlib
import io
from pathlib import Path

import pytest

from etcdcore.api import kv
from etcdcore.api.snapshot import BLOB_BYTES, SNAPSHOT_PATH, SNAPSHOTS_MAX
from etcdcore.backup import export
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.errors import TooManyRequests
from etcdcore.mvcc.revision import decode_record, decode_record_key
from etcdcore.pb import rpc_pb2 as pb
from tests.unit.etcdcore.api.harness import Client, Refused, Stream, serving
from tests.unit.etcdcore.member.fakes import on_loop, until


async def fill(client: Client, count: int, value: bytes = b"v" * 500) -> None:
    for number in range(count):
        await client.call(kv.PUT, pb.PutRequest(key=b"%05d" % number, value=value), pb.PutResponse)


def begin(client: Client) -> Stream:
    stream = client.open(SNAPSHOT_PATH)
    stream.write(pb.SnapshotRequest())
    stream.listener.input_ended()
    return stream


async def read_all(stream: Stream) -> list[pb.SnapshotResponse]:
    responses: list[pb.SnapshotResponse] = []
    while True:
        try:
            responses.append(await stream.read(pb.SnapshotResponse))
        except EOFError:
            return responses


def records(responses: list[pb.SnapshotResponse]) -> list[tuple[int, bytes]]:
    """Revision and key of each record in the file."""
    database = Database(FileSource(io.BytesIO(b"".join(response.blob for response in responses[:-1]))))
    database.check()
    keys = dict(database.root.buckets())[b"key"]
    return [(decode_record_key(key)[0], decode_record(value).key) for key, value in keys.pairs()]


@on_loop
async def test_blobs_count_down_and_the_digest_comes_last(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await fill(client, 200)
        responses = await read_all(begin(client))
    *blobs, last = responses
    total = sum(len(response.blob) for response in blobs)
    assert total % 512 == 0
    assert total > 2 * BLOB_BYTES
    sent = 0
    for response in blobs:
        sent += len(response.blob)
        assert response.remaining_bytes == total - sent
    assert [len(response.blob) for response in blobs[:-1]] == [BLOB_BYTES] * (len(blobs) - 1)
    assert last.remaining_bytes == 0
    assert last.blob == hashlib.sha256(b"".join(response.blob for response in blobs)).digest()
    assert {response.version for response in responses} == {"3.6.0"}
    assert not any(response.HasField("header") for response in responses)


@on_loop
async def test_the_file_is_of_the_moment_of_the_call(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await fill(client, 50)
        stream = begin(client)
        await asyncio.sleep(0)
        await fill(client, 50)
        found = records(await read_all(stream))
    assert found == [(2 + number, b"%05d" % number) for number in range(50)]


@on_loop
async def test_a_slow_client_gets_no_more_than_it_takes(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await fill(client, 300)
        stream = begin(client)
        stream.set_writable(False)
        assert await stream.is_silent(0.2)
        stream.set_writable(True)
        assert len(records(await read_all(stream))) == 300


@on_loop
async def test_two_at_once_are_both_whole(tmp_path: Path) -> None:
    """Issue 18055 of etcd: two snapshots in a short time."""
    async with serving(tmp_path) as client:
        await fill(client, 100)
        first, second = begin(client), begin(client)
        found = await asyncio.gather(read_all(first), read_all(second))
        assert records(found[0]) == records(found[1])
        assert len(records(found[0])) == 100


@on_loop
async def test_one_more_than_the_bound_is_refused_and_a_cancelled_one_makes_room(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await fill(client, 10)
        streams = [begin(client) for _ in range(SNAPSHOTS_MAX)]
        for stream in streams:
            stream.set_writable(False)
        await asyncio.sleep(0.05)
        with pytest.raises(Refused) as refused:
            await begin(client).read(pb.SnapshotResponse)
        assert refused.value.text == str(TooManyRequests())
        streams[0].cancel()
        await asyncio.sleep(0.05)
        again = begin(client)
        assert len(records(await read_all(again))) == 10


@on_loop
async def test_a_client_that_goes_ends_the_thread_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_RECORDS", 1)
    async with serving(tmp_path) as client:
        await fill(client, 300)
        files = _files(tmp_path)
        stream = begin(client)
        await asyncio.sleep(0.02)
        stream.cancel()
        await fill(client, 1)
        assert _files(tmp_path) == files
        member = client.services.member
        await until(lambda: not _open_temporary_files(tmp_path))
        assert member.revision() == 302


def _files(folder: Path) -> set[Path]:
    return set(folder.iterdir()) | set((folder / "member").iterdir())


def _open_temporary_files(folder: Path) -> list[str]:
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith("(deleted)"):
            found.append(target)
    return found


@on_loop
async def test_a_full_disk_fails_the_call_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export.Export, "run", _run_on_a_full_disk)
    async with serving(tmp_path) as client:
        with pytest.raises(Refused, match="No space left") as refused:
            await begin(client).read(pb.SnapshotResponse)
        assert refused.value.code == 8
        await fill(client, 1)


def _run_on_a_full_disk(of: export.Export) -> int:
    raise export.ExportFailed("the copy could not be written: [Errno 28] No space left on device")
