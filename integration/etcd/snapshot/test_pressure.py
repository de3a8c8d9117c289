"""Snapshots that cannot be sent as fast as they could: clients that stop reading or go, many at once, a full disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psutil
import pytest

from etcdcore.api.snapshot import SNAPSHOTS_MAX
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.mvcc.revision import decode_record
from etcdcore.pb import rpc_pb2
from integration.durability.small_disk import fill, mounted
from integration.etcd.snapshot.tools import Caller, bbolt, make_history, save
from integration.peers.etcd import OurEtcd

SNAPSHOT = "/etcdserverpb.Maintenance/Snapshot"
VALUE = b"v" * 500_000
FILLED_KEYS = 80
GROWTH_BYTES_MAX = 24 << 20
# A log segment and another in spare, the store, and what the tests put there.
DISK_MIB = 330


@pytest.fixture
def filled_etcd(our_etcd: OurEtcd) -> OurEtcd:
    """40 MB in 80 keys: far more than any buffer on the way to a client."""
    with Caller(our_etcd) as caller:
        for number in range(FILLED_KEYS):
            caller.put(b"%05d" % number, VALUE)
    return our_etcd


def begin(caller: Caller) -> Iterator[bytes]:
    call: Iterator[bytes] = caller.channel.unary_stream(SNAPSHOT)(b"", timeout=120)
    return call


def take_all(call: Iterator[bytes]) -> bytes:
    """The file, its digest checked."""
    blobs = [rpc_pb2.SnapshotResponse.FromString(data).blob for data in call]
    data = b"".join(blobs[:-1])
    assert blobs[-1] == hashlib.sha256(data).digest()
    return data


def memory_of(server: OurEtcd) -> int:
    """What is the process's own: pages of the mapped store are not counted."""
    facts = psutil.Process(server.child.pid).memory_info()
    return int(facts.rss - facts.shared)


def open_unnamed_files(server: OurEtcd) -> list[str]:
    found = []
    for link in Path(f"/proc/{server.child.pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(str(server.data_dir)) and target.endswith("(deleted)"):
            found.append(target)
    return found


def test_a_client_that_stops_reading_costs_a_bounded_amount(filled_etcd: OurEtcd) -> None:
    """Its file stays on the disk, not in memory; others are served; once it reads on it gets the rest."""
    before = memory_of(filled_etcd)
    with Caller(filled_etcd) as slow, Caller(filled_etcd) as other:
        call = begin(slow)
        first = rpc_pb2.SnapshotResponse.FromString(next(call))
        time.sleep(2)
        assert memory_of(filled_etcd) - before < GROWTH_BYTES_MAX
        assert other.put(b"meanwhile", b"") > FILLED_KEYS
        assert len(open_unnamed_files(filled_etcd)) == 1
        data = take_all_but_first(first, call)
        assert len(data) == first.remaining_bytes + len(first.blob)
        assert len(data) > FILLED_KEYS * len(VALUE)
    assert memory_of(filled_etcd) - before < GROWTH_BYTES_MAX


def test_as_many_as_are_allowed_at_once_are_whole_and_one_more_is_refused(filled_etcd: OurEtcd) -> None:
    callers = [Caller(filled_etcd) for _ in range(SNAPSHOTS_MAX + 1)]
    calls = [begin(caller) for caller in callers[:-1]]
    firsts = [rpc_pb2.SnapshotResponse.FromString(next(call)) for call in calls]
    with pytest.raises(grpc.RpcError, match="too many requests"):
        next(begin(callers[-1]))
    for first, call in zip(firsts, calls, strict=True):
        assert len(take_all_but_first(first, call)) == first.remaining_bytes + len(first.blob)
    assert take_all(begin(callers[-1]))
    for caller in callers:
        caller.channel.close()


def take_all_but_first(first: rpc_pb2.SnapshotResponse, call: Iterator[bytes]) -> bytes:
    blobs = [first.blob, *(rpc_pb2.SnapshotResponse.FromString(data).blob for data in call)]
    data = b"".join(blobs[:-1])
    assert blobs[-1] == hashlib.sha256(data).digest()
    return data


def test_clients_that_go_leave_nothing_behind(filled_etcd: OurEtcd, tmp_path: Path) -> None:
    for pause_s in (0.0, 0.02, 0.1, 0.3, 0.5) * 2:
        with Caller(filled_etcd) as caller:
            call = begin(caller)
            time.sleep(pause_s)
            call.cancel()  # type: ignore[attr-defined]  # grpcio's call is an iterator and more
    deadline = time.monotonic() + 10
    while open_unnamed_files(filled_etcd):
        assert time.monotonic() < deadline, "files of cancelled snapshots are open"
        time.sleep(0.05)
    assert bbolt("check", str(save(filled_etcd, tmp_path / "snapshot.db"))).checked().strip() == "OK"


def test_a_server_stops_in_an_orderly_way_though_a_client_holds_a_snapshot(filled_etcd: OurEtcd) -> None:
    with Caller(filled_etcd) as caller:
        call = begin(caller)
        next(call)
        assert filled_etcd.stop() in (0, -15)
        with pytest.raises(grpc.RpcError):
            take_all(call)
    filled_etcd.start()
    with Caller(filled_etcd) as caller:
        assert caller.range(key=b"0", range_end=b"1").count == FILLED_KEYS


def test_snapshots_taken_while_it_writes_and_compacts_are_each_of_one_moment(our_etcd: OurEtcd, tmp_path: Path) -> None:
    """Issue 18055 of etcd: two in a short time. The keys of one transaction are in it all or none."""
    with ThreadPoolExecutor(2) as threads:
        history = threads.submit(make_history, our_etcd)
        twins_written = threads.submit(write_twins, our_etcd)
        paths = [save(our_etcd, tmp_path / f"{number}.db") for number in range(6)]
        history.result()
        twins_written.result()
    counts = []
    for path in paths:
        assert bbolt("check", str(path)).checked().strip() == "OK"
        twins = [key[:8] for key in read_keys(path, b"twin/")]
        assert all(twins.count(revision) == 2 for revision in twins), "one moment cuts a transaction"
        counts.append(len(twins))
    assert counts == sorted(counts)
    assert counts[-1] > 0


def write_twins(server: OurEtcd) -> None:
    with Caller(server) as caller:
        for number in range(300):
            put = [rpc_pb2.PutRequest(key=b"twin/%d/%s" % (number, name), value=b"x" * 200) for name in (b"a", b"b")]
            caller.txn([rpc_pb2.RequestOp(request_put=one) for one in put])


def read_keys(path: Path, prefix: bytes) -> list[bytes]:
    """The stored keys of records whose key begins so."""
    with path.open("rb") as file:
        bucket = Database(FileSource(file)).root.bucket(b"key")
        assert bucket is not None
        return [key for key, value in bucket.pairs() if decode_record(value).key.startswith(prefix)]


def test_on_a_disk_without_room_the_snapshot_fails_and_the_server_goes_on(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", DISK_MIB) as disk:
        server = OurEtcd(tmp_path / "etcd", data_dir=disk / "data")
        with server, Caller(server) as caller:
            for number in range(40):
                caller.put(b"%05d" % number, VALUE)
            ballast = disk / "ballast"
            fill(ballast)
            with pytest.raises(grpc.RpcError) as failed:
                next(begin(caller))
            assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert caller.range(key=b"00000").kvs[0].value == VALUE
            ballast.unlink()
            assert len(take_all(begin(caller))) > 40 * len(VALUE)
            assert server.stop() in (0, -15)
