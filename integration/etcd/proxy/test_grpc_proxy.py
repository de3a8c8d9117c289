"""etcdcore grpc-proxy in front of each server: what clients see through it, and what it saves the server.

Reference section 4.4; the server's own metrics say how many watches it has.
"""

import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from etcdcore.pb import kv_pb2, rpc_pb2
from integration.etcd import go_tests
from integration.etcd.clientv3 import test_clientv3
from integration.etcd.proxy.process import Front, front, metric
from integration.peers.etcd import Etcdctl, EtcdServer
from integration.peers.process import wait_until

WATCH = "/etcdserverpb.Watch/Watch"
KEEP_ALIVE = "/etcdserverpb.Lease/LeaseKeepAlive"
PATIENCE_S = 20
MANY = 1000


@pytest.fixture
def proxy(etcd: EtcdServer, tmp_path: Path) -> Iterator[Front]:
    with front(tmp_path, "grpc-proxy", [etcd]) as started:
        yield started


def server_metric(server: EtcdServer, name: str) -> int:
    with urllib.request.urlopen(f"{server.client_url}/metrics", timeout=10) as answer:
        return metric(answer.read().decode(), name)


class Stream:
    """A bidirectional call: requests go in by `send`, responses come by `next`."""

    def __init__(self, channel: grpc.Channel, path: str, kind: Any) -> None:
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._responses: queue.SimpleQueue[Any] = queue.SimpleQueue()
        ask: Callable[..., Any] = channel.stream_stream(
            path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=kind.FromString
        )
        self.call = ask(iter(self._requests.get, None))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for response in self.call:
                self._responses.put(response)
        except grpc.RpcError as error:
            self._responses.put(error)

    def send(self, request: Any) -> None:
        self._requests.put(request)

    def next(self, patience_s: float = PATIENCE_S) -> Any:
        found = self._responses.get(timeout=patience_s)
        if isinstance(found, grpc.RpcError):
            raise found
        return found

    @property
    def is_silent(self) -> bool:
        return self._responses.empty()

    def close(self) -> None:
        self._requests.put(None)
        self.call.cancel()


def watch(stream: Stream, key: bytes, **options: Any) -> Any:
    """Creates a watcher; the created response."""
    create = rpc_pb2.WatchCreateRequest(key=key, **options)
    stream.send(rpc_pb2.WatchRequest(create_request=create))
    created = stream.next()
    assert created.created
    return created


def call(channel: grpc.Channel, path: str, request: Any, kind: Any) -> Any:
    ask: Callable[..., Any] = channel.unary_unary(
        path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=kind.FromString
    )
    return ask(request, timeout=PATIENCE_S)


def put(channel: grpc.Channel, key: bytes, value: bytes) -> int:
    request = rpc_pb2.PutRequest(key=key, value=value)
    revision: int = call(channel, "/etcdserverpb.KV/Put", request, rpc_pb2.PutResponse).header.revision
    return revision


def test_etcdctl_works_through_the_proxy(proxy: Front) -> None:
    etcdctl = Etcdctl(proxy.address)
    assert etcdctl("put", "key", "1") == "OK\n"
    assert etcdctl("put", "--prev-kv", "key", "2") == "OK\nkey\n1\n"
    assert etcdctl("get", "key") == "key\n2\n"
    assert etcdctl("txn", stdin='value("key") = "2"\n\nput key 3\n\nget key\n\n') == "SUCCESS\n\nOK\n"
    lease = etcdctl("lease", "grant", "60").split()[1]
    etcdctl("put", "leased", "v", f"--lease={lease}")
    assert "[leased]" in etcdctl("lease", "timetolive", lease, "--keys")
    etcdctl("lease", "keep-alive", "--once", lease)
    etcdctl("lease", "revoke", lease)
    assert etcdctl("get", "leased") == ""
    assert "is healthy" in etcdctl.run("endpoint", "health").errors + etcdctl.run("endpoint", "health").output
    assert etcdctl("lock", "name", "echo", "held") == "held\n"
    assert etcdctl("del", "key") == "1\n"
    assert proxy.page("/proxy/health") == '{"health":"true","reason":""}'


def test_a_thousand_equal_watches_are_one_upstream(etcd: EtcdServer, proxy: Front) -> None:
    with proxy.channel() as channel, proxy.channel() as other:
        streams = [Stream(channel if number % 2 else other, WATCH, rpc_pb2.WatchResponse) for number in range(10)]
        watchers: list[tuple[Stream, int]] = []
        for number in range(MANY):
            stream = streams[number % len(streams)]
            watchers.append((stream, watch(stream, b"equal/", range_end=b"equal0").watch_id))
        assert proxy.metric("etcdcore_proxy_client_watchers") == MANY
        assert proxy.metric("etcdcore_proxy_upstream_watches") == 1
        assert proxy.metric("etcd_grpc_proxy_watchers_coalescing_total") == MANY - 1
        assert server_metric(etcd, "etcd_debugging_mvcc_watcher_total") == 1
        revision = put(channel, b"equal/a", b"v")
        told: set[tuple[int, int]] = set()
        for stream in streams:
            for _ in range(MANY // len(streams)):
                response = stream.next()
                assert [(event.kv.key, event.kv.mod_revision) for event in response.events] == [(b"equal/a", revision)]
                told.add((id(stream), response.watch_id))
        assert told == {(id(stream), watch_id) for stream, watch_id in watchers}
        for stream in streams:
            stream.close()
        wait_until(lambda: proxy.metric("etcdcore_proxy_upstream_watches") == 0, 10, "nobody watches any more")
        wait_until(
            lambda: server_metric(etcd, "etcd_debugging_mvcc_watcher_total") == 0, 10, "the server has no watcher"
        )


def test_each_watcher_gets_what_it_asked_for(proxy: Front) -> None:
    with proxy.channel() as channel:
        first = put(channel, b"k", b"1")
        stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        plain = watch(stream, b"k").watch_id
        with_former = watch(stream, b"k", prev_kv=True).watch_id
        deletions = watch(stream, b"k", filters=[rpc_pb2.WatchCreateRequest.FilterType.NOPUT]).watch_id
        assert (plain, with_former, deletions) == (0, 1, 2)
        chosen = watch(stream, b"k", watch_id=7, start_revision=first)
        assert chosen.watch_id == 7
        history = stream.next()
        assert (history.watch_id, history.events[0].kv.value) == (7, b"1")
        put(channel, b"k", b"2")
        answers = {response.watch_id: response for response in (stream.next() for _ in range(3))}
        assert answers.keys() == {plain, with_former, 7}
        assert not answers[plain].events[0].HasField("prev_kv")
        assert answers[with_former].events[0].prev_kv.value == b"1"
        call(channel, "/etcdserverpb.KV/DeleteRange", rpc_pb2.DeleteRangeRequest(key=b"k"), rpc_pb2.DeleteRangeResponse)
        answers = {response.watch_id: response for response in (stream.next() for _ in range(4))}
        assert answers[deletions].events[0].type == kv_pb2.Event.EventType.DELETE
        stream.send(rpc_pb2.WatchRequest(cancel_request=rpc_pb2.WatchCancelRequest(watch_id=7)))
        assert stream.next().canceled
        stream.close()


def test_a_watcher_from_now_on_is_told_nothing_from_before(proxy: Front) -> None:
    with proxy.channel() as channel:
        early = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        watch(early, b"k")
        for number in range(20):
            revision = put(channel, b"k", b"%d" % number)
            late = Stream(channel, WATCH, rpc_pb2.WatchResponse)
            created = watch(late, b"k")
            assert created.header.revision >= revision
            following = put(channel, b"k", b"next")
            assert [event.kv.mod_revision for event in late.next().events] == [following]
            late.close()
        early.close()


def test_refused_watches_are_refused_as_by_the_server(proxy: Front) -> None:
    with proxy.channel() as channel:
        stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        empty = watch(stream, b"b", range_end=b"a")
        assert (empty.watch_id, empty.canceled, empty.cancel_reason) == (-1, True, "mvcc: watcher range is empty")
        watch(stream, b"k", watch_id=3)
        twice = watch(stream, b"k", watch_id=3)
        assert twice.cancel_reason == "mvcc: duplicate watch ID provided on the WatchStream"
        last = 0
        for number in range(5):
            last = put(channel, b"k", b"%d" % number)
            stream.next()
        compact = rpc_pb2.CompactionRequest(revision=last, physical=True)
        call(channel, "/etcdserverpb.KV/Compact", compact, rpc_pb2.CompactionResponse)
        watch(stream, b"k", start_revision=last - 2)
        gone = stream.next()
        assert (gone.canceled, gone.compact_revision) == (True, last)
        stream.close()


def test_progress_is_told_when_it_is_asked_for(proxy: Front) -> None:
    with proxy.channel() as channel:
        stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        watch(stream, b"k")
        watch(stream, b"l")
        revision = put(channel, b"elsewhere", b"v")

        def progress() -> bool:
            stream.send(rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest()))
            try:
                response = stream.next(1)
            except queue.Empty:
                return False  # etcd answers nothing while one of the watchers still catches up
            assert (response.watch_id, len(response.events)) == (-1, 0)
            return bool(response.header.revision >= revision)

        wait_until(progress, 10, "progress reaches the last write")
        stream.close()


def test_watches_go_on_after_the_server_was_killed(etcd: EtcdServer, proxy: Front) -> None:
    with proxy.channel() as channel:
        streams = [Stream(channel, WATCH, rpc_pb2.WatchResponse) for _ in range(3)]
        for stream in streams:
            watch(stream, b"k")
        revisions = [put(channel, b"k", b"1")]
        etcd.kill()
        etcd.start()
        revisions.append(int(Etcdctl.of(etcd)("put", "k", "2", "-w", "json").split('"revision":')[1].split(",")[0]))
        for stream in streams:
            seen: list[int] = []
            while len(seen) < 2:
                seen += [event.kv.mod_revision for event in stream.next().events]
            assert seen == revisions
            stream.close()


def test_one_renewal_serves_all_who_ask(proxy: Front) -> None:
    with proxy.channel() as channel:
        grant = rpc_pb2.LeaseGrantRequest(TTL=30)
        lease = call(channel, "/etcdserverpb.Lease/LeaseGrant", grant, rpc_pb2.LeaseGrantResponse).ID
        streams = [Stream(channel, KEEP_ALIVE, rpc_pb2.LeaseKeepAliveResponse) for _ in range(20)]
        for stream in streams:
            stream.send(rpc_pb2.LeaseKeepAliveRequest(ID=lease))
        for stream in streams:
            answer = stream.next()
            assert lease == answer.ID
            assert 29 <= answer.TTL <= 30
        assert proxy.metric("etcdcore_proxy_lease_renewals_total") == 20
        assert proxy.metric("etcdcore_proxy_lease_renewals_merged_total") >= 10
        revoke = rpc_pb2.LeaseRevokeRequest(ID=lease)
        call(channel, "/etcdserverpb.Lease/LeaseRevoke", revoke, rpc_pb2.LeaseRevokeResponse)
        streams[0].send(rpc_pb2.LeaseKeepAliveRequest(ID=lease))
        assert streams[0].next().TTL == 0
        for stream in streams:
            stream.close()


def test_serializable_reads_come_from_the_cache_until_they_are_written(proxy: Front) -> None:
    with proxy.channel() as channel:
        put(channel, b"k", b"1")

        def read(serializable: bool) -> bytes:
            request = rpc_pb2.RangeRequest(key=b"k", serializable=serializable)
            found = call(channel, "/etcdserverpb.KV/Range", request, rpc_pb2.RangeResponse)
            return bytes(found.kvs[0].value)

        assert read(False) == b"1"
        before = proxy.metric("etcd_grpc_proxy_cache_hits_total")
        assert {read(True) for _ in range(5)} == {b"1"}
        assert proxy.metric("etcd_grpc_proxy_cache_hits_total") == before + 5
        put(channel, b"k", b"2")
        assert read(True) == b"2"


def test_a_namespace_is_all_that_clients_see(etcd: EtcdServer, tmp_path: Path) -> None:
    Etcdctl.of(etcd)("put", "outside", "v")
    with front(tmp_path, "grpc-proxy", [etcd], "--namespace", "space/") as proxy:
        etcdctl = Etcdctl(proxy.address)
        with proxy.channel() as channel:
            stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
            watch(stream, b"\0", range_end=b"\0")
            etcdctl("put", "inside", "1")
            assert stream.next().events[0].kv.key == b"inside"
            stream.close()
        assert etcdctl("get", "", "--from-key", "--keys-only").split() == ["inside"]
        assert etcdctl("txn", stdin='mod("inside") > "0"\n\nget inside\nput other 2\n\n\n').split() == [
            "SUCCESS",
            "inside",
            "1",
            "OK",
        ]
        lease = etcdctl("lease", "grant", "60").split()[1]
        etcdctl("put", "leased", "v", f"--lease={lease}")
        Etcdctl.of(etcd)("put", "foreign", "v", f"--lease={lease}")
        assert "[leased]" in etcdctl("lease", "timetolive", lease, "--keys")
        assert etcdctl("lock", "name", "echo", "held") == "held\n"
    keys = set(Etcdctl.of(etcd)("get", "", "--from-key", "--keys-only").split())
    assert keys == {"outside", "foreign", "space/inside", "space/other", "space/leased"}


def test_proxies_that_register_are_the_members(etcd: EtcdServer, tmp_path: Path) -> None:
    flags = ["--resolver-prefix", "proxies", "--resolver-ttl", "5"]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        front(tmp_path / "one", "grpc-proxy", [etcd], *flags, "--advertise-client-url", "127.0.0.1:1001") as one,
        front(tmp_path / "two", "grpc-proxy", [etcd], *flags, "--advertise-client-url", "127.0.0.1:1002"),
    ):

        def members() -> str:
            return Etcdctl(one.address)("member", "list")

        wait_until(lambda: "127.0.0.1:1001" in members() and "127.0.0.1:1002" in members(), 10, "both are members")


def test_the_go_clients_suite_passes_through_the_proxy(etcd: EtcdServer, proxy: Front) -> None:
    binary = go_tests.clientv3_binary()
    with go_tests.control(etcd) as control_url:
        environment = {"ETCD_ENDPOINT": f"http://{proxy.address}", "CONTROL_URL": control_url}
        go_tests.run(binary, environment, test_clientv3.TIMEOUT_S).check_all_pass()


def test_a_canceled_watch_is_answered_with_what_was_told_last(proxy: Front) -> None:
    """etcd's proxy answers with the header that the watcher was told last."""
    with proxy.channel() as channel:
        stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        created = watch(stream, b"key")
        assert created.header.revision == 1
        told = [put(channel, b"key", b"%d" % number) for number in range(3)]
        assert [stream.next().header.revision for _ in told] == told == [2, 3, 4]
        stream.send(rpc_pb2.WatchRequest(cancel_request=rpc_pb2.WatchCancelRequest(watch_id=created.watch_id)))
        canceled = stream.next()
        assert canceled.canceled and canceled.header.revision == 4
        assert canceled.header.cluster_id == created.header.cluster_id != 0
        stream.close()


def test_revisions_of_a_stream_never_go_back(etcd: EtcdServer, proxy: Front) -> None:
    """Watchers of several intervals, from now and from before, come, go and ask how far they are, beside writes."""
    with proxy.channel() as channel, etcd.channel() as direct:
        stream = Stream(channel, WATCH, rpc_pb2.WatchResponse)
        writing = threading.Event()

        def write() -> None:
            for number in range(300):
                put(direct, b"k%d" % (number % 5), b"v")
            writing.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen: list[Any] = []
        open_ids: list[int] = []
        number = 0
        while not writing.is_set():
            number += 1
            create = rpc_pb2.WatchCreateRequest(
                key=b"k%d" % (number % 6), start_revision=number % 3 and 2, progress_notify=number % 2 == 0
            )
            stream.send(rpc_pb2.WatchRequest(create_request=create))
            while not (created := stream.next()).created:
                seen.append(created)
            seen.append(created)
            open_ids.append(created.watch_id)
            if number % 2:
                stream.send(rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest()))
            if number % 4 == 0:
                cancel = rpc_pb2.WatchCancelRequest(watch_id=open_ids.pop(0))
                stream.send(rpc_pb2.WatchRequest(cancel_request=cancel))
        writer.join()
        for _ in range(PATIENCE_S):
            # A server answers no progress request while one of its watchers is behind.
            stream.send(rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest()))
            with suppress(queue.Empty):
                while (last := stream.next(1)).watch_id != -1 or last.header.revision < 301:
                    seen.append(last)
                break
        revisions = [response.header.revision for response in seen]
        assert revisions == sorted(revisions)
        assert last.header.revision == 301 and any(response.canceled for response in seen)
        for response in seen:
            assert all(event.kv.mod_revision <= response.header.revision for event in response.events)
        stream.close()


def test_revisions_of_renewals_never_go_back(proxy: Front) -> None:
    with proxy.channel() as channel:
        grant = "/etcdserverpb.Lease/LeaseGrant"
        for lease_id in (1, 2):
            call(channel, grant, rpc_pb2.LeaseGrantRequest(TTL=100, ID=lease_id), rpc_pb2.LeaseGrantResponse)
        stream = Stream(channel, KEEP_ALIVE, rpc_pb2.LeaseKeepAliveResponse)
        revisions = []
        # Some of them the proxy answers from a renewal of a moment ago.
        for lease_id in (1, 2, 1, 2, 1):
            put(channel, b"key", b"v")
            stream.send(rpc_pb2.LeaseKeepAliveRequest(ID=lease_id))
            revisions.append(stream.next().header.revision)
        assert revisions == sorted(revisions) and revisions[0] == 2
        stream.close()
