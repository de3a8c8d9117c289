"""A client for scripts: unary calls that give a message or raise `Refused`, and streams read with a time limit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import grpc
from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2 as pb
from integration.peers.etcd import EtcdServer

AnswerMessage = TypeVar("AnswerMessage", bound=Message)
Metadata = Sequence[tuple[str, str]]
CALL_TIMEOUT_S: Final = 15
SILENCE_S: Final = 0.4
PREFIX_END: Final = b"\xff"


class Refused(Exception):
    """A status other than OK: its number and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code: Final = code
        self.text: Final = text


def _refused(error: grpc.RpcError) -> Refused:
    return Refused(error.code().value[0], error.details())


class Stream:
    """A call with messages both ways. Its answers are read by a thread of its own."""

    def __init__(self, channel: grpc.Channel, path: str, kind: type[Message], metadata: Metadata = ()) -> None:
        self._kind = kind
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Message | Exception] = queue.SimpleQueue()
        method = channel.stream_stream(
            path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=kind.FromString
        )
        self._call = method(self._outgoing(), metadata=list(metadata))
        self._reader = threading.Thread(target=self._read_all, name=f"read {path}", daemon=True)
        self._reader.start()

    def _outgoing(self) -> Iterator[Message]:
        while (message := self._requests.get()) is not None:
            yield message

    def _read_all(self) -> None:
        try:
            for message in self._call:
                self._answers.put(message)
            self._answers.put(EOFError())
        except grpc.RpcError as error:
            self._answers.put(_refused(error))

    def write(self, message: Message) -> None:
        self._requests.put(message)

    def done_writing(self) -> None:
        self._requests.put(None)

    def read(self, kind: type[AnswerMessage], timeout_s: float = CALL_TIMEOUT_S) -> AnswerMessage:
        """The next message; raises Refused, EOFError at the end, or queue.Empty when nothing comes."""
        answer = self._answers.get(timeout=timeout_s)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, kind)
        return answer

    def is_silent(self, seconds: float = SILENCE_S) -> bool:
        """Whether nothing comes for so long."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            return True
        raise AssertionError(f"expected silence, got {answer!r}")

    def cancel(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._reader.join(CALL_TIMEOUT_S)


class Watch(Stream):
    """A stream of watchers."""

    def __init__(self, channel: grpc.Channel, metadata: Metadata = ()) -> None:
        super().__init__(channel, "/etcdserverpb.Watch/Watch", pb.WatchResponse, metadata)

    def ask(self, request: pb.WatchCreateRequest) -> None:
        self.write(pb.WatchRequest(create_request=request))

    def create(self, request: pb.WatchCreateRequest) -> pb.WatchResponse:
        """Asks, and reads the answer, which must be the next that comes."""
        self.ask(request)
        response = self.next()
        assert response.created, f"expected a created response, got {response}"
        return response

    def cancel_watcher(self, watch_id: int) -> None:
        self.write(pb.WatchRequest(cancel_request=pb.WatchCancelRequest(watch_id=watch_id)))

    def ask_progress(self) -> None:
        self.write(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))

    def next(self, timeout_s: float = CALL_TIMEOUT_S) -> pb.WatchResponse:
        return self.read(pb.WatchResponse, timeout_s)

    def events(self, count: int) -> list[tuple[str, bytes, bytes]]:
        """So many events at least, whatever the watchers and responses they come in: kind, key, value."""
        heard: list[tuple[str, bytes, bytes]] = []
        while len(heard) < count:
            for event in self.next().events:
                heard.append(("delete" if event.type else "put", event.kv.key, event.kv.value))
        return heard


class Client:
    """One connection."""

    def __init__(self, server: EtcdServer) -> None:
        self.channel: Final = server.channel()
        self._streams: list[Stream] = []

    def close(self) -> None:
        for stream in self._streams:
            stream.cancel()
        self.channel.close()

    def call(
        self, path: str, request: Message | bytes, kind: type[AnswerMessage], metadata: Metadata = ()
    ) -> AnswerMessage:
        """Raises Refused."""
        method = self.channel.unary_unary(path, response_deserializer=kind.FromString)
        data = request if isinstance(request, bytes) else request.SerializeToString()
        try:
            answer = method(data, timeout=CALL_TIMEOUT_S, metadata=list(metadata))
        except grpc.RpcError as error:
            raise _refused(error) from None
        assert isinstance(answer, kind)
        return answer

    def range(self, request: pb.RangeRequest) -> pb.RangeResponse:
        return self.call("/etcdserverpb.KV/Range", request, pb.RangeResponse)

    def get(self, key: bytes, **fields: int) -> list[tuple[bytes, bytes]]:
        """Pairs of the key, or of all keys that begin with it and a slash when it ends in one."""
        end = key + PREFIX_END if key.endswith(b"/") else b""
        found = self.range(pb.RangeRequest(key=key, range_end=end, **fields))  # type: ignore[arg-type]  # bools too
        return [(pair.key, pair.value) for pair in found.kvs]

    def put(self, key: bytes, value: bytes = b"v", **fields: int) -> pb.PutResponse:
        request = pb.PutRequest(key=key, value=value, **fields)  # type: ignore[arg-type]  # bools too
        return self.call("/etcdserverpb.KV/Put", request, pb.PutResponse)

    def delete(self, key: bytes, range_end: bytes = b"", prev_kv: bool = False) -> pb.DeleteRangeResponse:
        request = pb.DeleteRangeRequest(key=key, range_end=range_end, prev_kv=prev_kv)
        return self.call("/etcdserverpb.KV/DeleteRange", request, pb.DeleteRangeResponse)

    def txn(
        self,
        compare: Sequence[pb.Compare] = (),
        success: Sequence[pb.RequestOp] = (),
        failure: Sequence[pb.RequestOp] = (),
    ) -> pb.TxnResponse:
        request = pb.TxnRequest(compare=compare, success=success, failure=failure)
        return self.call("/etcdserverpb.KV/Txn", request, pb.TxnResponse)

    def compact(self, revision: int, physical: bool = False) -> pb.CompactionResponse:
        request = pb.CompactionRequest(revision=revision, physical=physical)
        return self.call("/etcdserverpb.KV/Compact", request, pb.CompactionResponse)

    def revision(self) -> int:
        return self.range(pb.RangeRequest(key=b"\0")).header.revision

    def grant(self, ttl_s: int, lease_id: int = 0) -> pb.LeaseGrantResponse:
        request = pb.LeaseGrantRequest(TTL=ttl_s, ID=lease_id)
        return self.call("/etcdserverpb.Lease/LeaseGrant", request, pb.LeaseGrantResponse)

    def revoke(self, lease_id: int) -> pb.LeaseRevokeResponse:
        request = pb.LeaseRevokeRequest(ID=lease_id)
        return self.call("/etcdserverpb.Lease/LeaseRevoke", request, pb.LeaseRevokeResponse)

    def time_to_live(self, lease_id: int, keys: bool = False) -> pb.LeaseTimeToLiveResponse:
        request = pb.LeaseTimeToLiveRequest(ID=lease_id, keys=keys)
        return self.call("/etcdserverpb.Lease/LeaseTimeToLive", request, pb.LeaseTimeToLiveResponse)

    def leases(self) -> list[int]:
        answer = self.call("/etcdserverpb.Lease/LeaseLeases", pb.LeaseLeasesRequest(), pb.LeaseLeasesResponse)
        return [lease.ID for lease in answer.leases]

    def watch(self, metadata: Metadata = ()) -> Watch:
        stream = Watch(self.channel, metadata)
        self._streams.append(stream)
        return stream

    def keep_alive(self, metadata: Metadata = ()) -> Stream:
        stream = Stream(self.channel, "/etcdserverpb.Lease/LeaseKeepAlive", pb.LeaseKeepAliveResponse, metadata)
        self._streams.append(stream)
        return stream


def put_op(key: bytes, value: bytes = b"v", **fields: int) -> pb.RequestOp:
    return pb.RequestOp(request_put=pb.PutRequest(key=key, value=value, **fields))  # type: ignore[arg-type]  # bools too


def range_op(key: bytes, range_end: bytes = b"", **fields: int) -> pb.RequestOp:
    request = pb.RangeRequest(key=key, range_end=range_end, **fields)  # type: ignore[arg-type]  # bools too
    return pb.RequestOp(request_range=request)


def delete_op(key: bytes, range_end: bytes = b"", prev_kv: bool = False) -> pb.RequestOp:
    request = pb.DeleteRangeRequest(key=key, range_end=range_end, prev_kv=prev_kv)
    return pb.RequestOp(request_delete_range=request)


def txn_op(
    compare: Sequence[pb.Compare] = (),
    success: Sequence[pb.RequestOp] = (),
    failure: Sequence[pb.RequestOp] = (),
) -> pb.RequestOp:
    return pb.RequestOp(request_txn=pb.TxnRequest(compare=compare, success=success, failure=failure))
