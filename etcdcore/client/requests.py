"""Builds requests: of single calls, and of the operations and compares of a transaction. Pure.

    txn([version("lock", "==", 0)], [put("lock", "me")], [get("lock")])

Keys and values are bytes, or text for its UTF-8. An interval is `key` up to, without, `range_end`; `prefix=True` is all
keys that begin with `key`, `from_key=True` all from `key` on.
"""

from collections.abc import Iterable
from typing import Any, Final, TypedDict, Unpack, cast

from etcdcore.pb import rpc_pb2
from etcdcore.types import prefix_end

Text = bytes | str

_RESULTS: Final = {"==": "EQUAL", ">": "GREATER", "<": "LESS", "!=": "NOT_EQUAL"}
_NO_END: Final = b"\0"


class Interval(TypedDict, total=False):
    """Which keys, beside the first."""

    range_end: Text
    prefix: bool
    from_key: bool


class RangeOptions(Interval, total=False):
    """Of a get; the names are etcd's."""

    limit: int
    revision: int
    sort_order: str
    """NONE, ASCEND or DESCEND."""
    sort_target: str
    """KEY, VERSION, CREATE, MOD or VALUE."""
    serializable: bool
    keys_only: bool
    count_only: bool
    min_mod_revision: int
    max_mod_revision: int
    min_create_revision: int
    max_create_revision: int


class PutOptions(TypedDict, total=False):
    """Of a put."""

    lease: int
    prev_kv: bool
    ignore_value: bool
    ignore_lease: bool


class DeleteOptions(Interval, total=False):
    """Of a delete."""

    prev_kv: bool


class WatchOptions(Interval, total=False):
    """Of a watch."""

    start_revision: int
    """0 is from now on."""
    prev_kv: bool
    progress_notify: bool
    filters: list[str]
    """NOPUT, NODELETE."""
    fragment: bool


Operation = rpc_pb2.RangeRequest | rpc_pb2.PutRequest | rpc_pb2.DeleteRangeRequest | rpc_pb2.TxnRequest


def encode(text: Text) -> bytes:
    return text.encode() if isinstance(text, str) else text


def interval_of(key: Text, options: Interval) -> tuple[bytes, bytes]:
    """(first key, end) as etcd wants them; takes what it understands out of the options."""
    first = encode(key)
    if options.pop("prefix", False):
        return (first, prefix_end(first)) if first else (_NO_END, _NO_END)
    if options.pop("from_key", False):
        return first or _NO_END, _NO_END
    return first, encode(options.pop("range_end", b""))


def get(key: Text, **options: Unpack[RangeOptions]) -> rpc_pb2.RangeRequest:
    first, end = interval_of(key, options)
    request = rpc_pb2.RangeRequest(**cast(dict[str, Any], options))  # interval_of has taken out what has no field
    request.key, request.range_end = first, end
    return request


def put(key: Text, value: Text = b"", **options: Unpack[PutOptions]) -> rpc_pb2.PutRequest:
    return rpc_pb2.PutRequest(key=encode(key), value=encode(value), **options)


def delete(key: Text, **options: Unpack[DeleteOptions]) -> rpc_pb2.DeleteRangeRequest:
    first, end = interval_of(key, options)
    return rpc_pb2.DeleteRangeRequest(key=first, range_end=end, prev_kv=options.get("prev_kv", False))


def watch(key: Text, **options: Unpack[WatchOptions]) -> rpc_pb2.WatchCreateRequest:
    first, end = interval_of(key, options)
    request = rpc_pb2.WatchCreateRequest(**cast(dict[str, Any], options))  # as in get
    request.key, request.range_end = first, end
    return request


def txn(
    compares: Iterable[rpc_pb2.Compare], success: Iterable[Operation] = (), failure: Iterable[Operation] = ()
) -> rpc_pb2.TxnRequest:
    """If all compares hold the operations of `success` are done, else those of `failure`."""
    return rpc_pb2.TxnRequest(
        compare=list(compares),
        success=[_operation(one) for one in success],
        failure=[_operation(one) for one in failure],
    )


def _operation(request: Operation) -> rpc_pb2.RequestOp:
    if isinstance(request, rpc_pb2.RangeRequest):
        return rpc_pb2.RequestOp(request_range=request)
    if isinstance(request, rpc_pb2.PutRequest):
        return rpc_pb2.RequestOp(request_put=request)
    if isinstance(request, rpc_pb2.DeleteRangeRequest):
        return rpc_pb2.RequestOp(request_delete_range=request)
    return rpc_pb2.RequestOp(request_txn=request)


def version(key: Text, sign: str, number: int, **interval: Unpack[Interval]) -> rpc_pb2.Compare:
    """How often the key was put since it was created; 0 for a key that is not there. `sign` is ==, !=, < or >."""
    compare = _compare(key, sign, "VERSION", interval)
    compare.version = number
    return compare


def create_revision(key: Text, sign: str, revision: int, **interval: Unpack[Interval]) -> rpc_pb2.Compare:
    """0 for a key that is not there."""
    compare = _compare(key, sign, "CREATE", interval)
    compare.create_revision = revision
    return compare


def mod_revision(key: Text, sign: str, revision: int, **interval: Unpack[Interval]) -> rpc_pb2.Compare:
    """0 for a key that is not there."""
    compare = _compare(key, sign, "MOD", interval)
    compare.mod_revision = revision
    return compare


def value(key: Text, sign: str, wanted: Text, **interval: Unpack[Interval]) -> rpc_pb2.Compare:
    """False for a key that is not there, whatever the sign."""
    compare = _compare(key, sign, "VALUE", interval)
    compare.value = encode(wanted)
    return compare


def lease(key: Text, sign: str, lease_id: int, **interval: Unpack[Interval]) -> rpc_pb2.Compare:
    """0 for a key without a lease, or that is not there."""
    compare = _compare(key, sign, "LEASE", interval)
    compare.lease = lease_id
    return compare


def _compare(key: Text, sign: str, target: str, interval: Interval) -> rpc_pb2.Compare:
    if sign not in _RESULTS:
        raise ValueError(f"a compare is one of {' '.join(_RESULTS)}, got {sign!r}")
    first, end = interval_of(key, interval)
    return rpc_pb2.Compare(key=first, range_end=end, result=_RESULTS[sign], target=target)
