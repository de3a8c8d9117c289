"""What a script is made of. Each step is played to its end before the next one; reads in a row go out together."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import text_format
from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2


@dataclass(frozen=True, slots=True)
class Method:
    """A unary method: its path, the class of its response, and whether it leaves everything as it is."""

    path: str
    response: type[Message]
    reads: bool = False


RANGE = Method("/etcdserverpb.KV/Range", rpc_pb2.RangeResponse, reads=True)
PUT = Method("/etcdserverpb.KV/Put", rpc_pb2.PutResponse)
DELETE = Method("/etcdserverpb.KV/DeleteRange", rpc_pb2.DeleteRangeResponse)
TXN = Method("/etcdserverpb.KV/Txn", rpc_pb2.TxnResponse)
COMPACT = Method("/etcdserverpb.KV/Compact", rpc_pb2.CompactionResponse)
GRANT = Method("/etcdserverpb.Lease/LeaseGrant", rpc_pb2.LeaseGrantResponse)
REVOKE = Method("/etcdserverpb.Lease/LeaseRevoke", rpc_pb2.LeaseRevokeResponse)
TIME_TO_LIVE = Method("/etcdserverpb.Lease/LeaseTimeToLive", rpc_pb2.LeaseTimeToLiveResponse, reads=True)
LEASES = Method("/etcdserverpb.Lease/LeaseLeases", rpc_pb2.LeaseLeasesResponse, reads=True)
HASH_KV = Method("/etcdserverpb.Maintenance/HashKV", rpc_pb2.HashKVResponse, reads=True)


@dataclass(frozen=True, slots=True)
class Unary:
    """One call on one of the connections; `surplus` are bytes of fields that no server knows."""

    method: Method
    message: Message
    connection: int = 0
    metadata: tuple[tuple[str, str], ...] = ()
    surplus: bytes = b""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """One renewal on the one stream for that."""

    lease_id: int


@dataclass(frozen=True, slots=True)
class WatchCreate:
    """One more watcher on a stream; what answers is awaited."""

    stream: int
    message: rpc_pb2.WatchCreateRequest


@dataclass(frozen=True, slots=True)
class WatchCancel:
    """The end of a watcher of a stream, if it has it."""

    stream: int
    watch_id: int


@dataclass(frozen=True, slots=True)
class WatchClose:
    """The end of a stream; the next watcher opens another."""

    stream: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Waits until every watcher has everything, and puts what they got into the record."""


Step = Unary | KeepAlive | WatchCreate | WatchCancel | WatchClose | Settle


def describe(step: Step) -> str:
    """One line for the report of a difference."""
    match step:
        case Unary():
            name = step.method.path.rsplit("/", 1)[1]
            more = f" {dict(step.metadata)}" if step.metadata else ""
            text = text_format.MessageToString(step.message, as_one_line=True)
            return f"{name} {text[:1500]}{more}{' + unknown fields' if step.surplus else ''}"
        case WatchCreate():
            return f"watch on stream {step.stream}: {text_format.MessageToString(step.message, as_one_line=True)}"
        case _:
            return repr(step)
