"""Responses without what may differ from server to server, so that the rest can be compared byte for byte.

That is: the ids of cluster and member and the raft term; the time that a lease has left; the order of what etcd keeps
in no order; and of a range that is sorted by something many keys share, the order of those that share it. Where the
limit of such a range cuts through them, which of them are left is as undefined.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2 as rpc

# What sort_target 1 to 4 sort by; keys are never equal.
SORTED_BY: Final = {1: "version", 2: "create_revision", 3: "mod_revision", 4: "value"}
# A range with one of these fetches as much as there is, in key order, so that equal pairs stay together.
UNDEFINED: Final = b"(others with the same sort key)"


def comparable(request: Any, response: Any) -> bytes:
    """The response to a request, changed in place, as bytes."""
    for name in ("cluster_id", "member_id", "raft_term"):
        response.header.ClearField(name)
    match response:
        case rpc.RangeResponse():
            _settle_ties(request, response)
        case rpc.TxnResponse():
            _settle_all_ties(request, response)
        case rpc.LeaseTimeToLiveResponse():
            if response.TTL > 0:
                response.TTL = 1
            _sort(response.keys, sorted(response.keys))
        case rpc.LeaseLeasesResponse():
            # By time of expiry, which is the same only to the millisecond.
            _sort(response.leases, sorted(response.leases, key=lambda lease: int(lease.ID)))
        case _:
            pass
    encoded: bytes = response.SerializeToString(deterministic=True)
    return encoded


def _sort(field: Any, values: list[Any]) -> None:
    copies = [_copy(value) if isinstance(value, Message) else value for value in values]
    del field[:]
    field.extend(copies)


def _copy(message: Message) -> Message:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def _settle_all_ties(request: rpc.TxnRequest, response: rpc.TxnResponse) -> None:
    branch = request.success if response.succeeded else request.failure
    for asked, answered in zip(branch, response.responses, strict=True):
        if asked.HasField("request_range"):
            _settle_ties(asked.request_range, answered.response_range)
        elif asked.HasField("request_txn"):
            _settle_all_ties(asked.request_txn, answered.response_txn)


def _settle_ties(request: rpc.RangeRequest, response: rpc.RangeResponse) -> None:
    name = SORTED_BY.get(request.sort_target)
    if name is None:
        return
    pairs = list(response.kvs)
    if response.more:
        last = getattr(pairs[-1], name)
        cut = [pair for pair in pairs if getattr(pair, name) == last]
        pairs = [pair for pair in pairs if getattr(pair, name) != last]
        pairs += [type(pair)(key=UNDEFINED) for pair in cut]
    values = [getattr(pair, name) for pair in pairs]
    # Equal ones lie together, or the server did not sort at all; that must still show.
    place = {value: number for number, value in reversed(list(enumerate(values)))}
    _sort(response.kvs, sorted(pairs, key=lambda pair: (place[getattr(pair, name)], pair.key)))
