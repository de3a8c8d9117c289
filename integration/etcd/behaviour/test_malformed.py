"""Requests that are no messages of their method: both servers find the same wrong with the same bytes, and say so.

etcd 3.6 refuses more than protobuf's libraries do: a known field in another wire type is an error there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from etcdcore.mvcc.revision import varint
from etcdcore.pb.files import FILES
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd

SEED = 11
RANDOM_BODIES = 20
ANSWER_TIMEOUT_S = 0.2
"""What is well formed may wait for long (Lock, Campaign, Watch): only what is not matters here."""
PATIENCE_S = 10
"""For a second look at what seems to differ."""
WELL_FORMED_MAX = 8
"""Of each method: some of them wait."""
MALFORMED = ("grpc: error unmarshalling request: ", "grpc: failed to unmarshal the received message: ")
NO_UTF8 = "string field contains invalid UTF-8"
"""etcd 3.6 takes such texts, ours refuses them in the words of etcd 3.7."""
SERVICES = (
    "etcdserverpb.KV",
    "etcdserverpb.Watch",
    "etcdserverpb.Lease",
    "etcdserverpb.Cluster",
    "etcdserverpb.Maintenance",
    "etcdserverpb.Auth",
    "v3lockpb.Lock",
    "v3electionpb.Election",
)
METHODS = [
    method
    for file in FILES
    for service in file.services_by_name.values()
    if service.full_name in SERVICES
    for method in service.methods
    if method.name != "RangeStream"  # of etcd 3.7
]
# Well-formed requests of these change what the others meet.
TOUCHY = ("AuthEnable", "Snapshot", "Defragment", "MoveLeader", "Downgrade")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EtcdServer, EtcdServer]]:
    folder: Path = tmp_path_factory.mktemp("malformed")
    with OurEtcd(folder / "ours") as ours, RealEtcd(folder / "real") as real:
        yield ours, real


def _field(number: int, wire_type: int, body: bytes) -> bytes:
    return varint(number << 3 | wire_type) + body


BODIES_BY_WIRE_TYPE = {
    0: b"\x05",
    1: b"12345678",
    2: b"\x02ab",
    3: b"",
    4: b"",
    5: b"1234",
    6: b"\x01",
    7: b"\x01",
}
ODD_BODIES = (
    b"\x08",
    b"\x08\x80",
    b"\x0a\x05abc",
    b"\x0a" + b"\xff" * 9 + b"\x01",
    b"\x0a" + b"\x80" * 9 + b"\x01",
    b"\x0a" + b"\x80" * 10 + b"\x01",
    b"\x80" * 10 + b"\x01",
    b"\x00",
    b"\x00\x01",
    b"\x04",
    b"\x0b",
    b"\x0b\x0c",
    b"\xf8\xff\xff\xff\xff\x07\x01",
    b"\xa3\x06\x08\x01\xa4\x06",
    b"\xa3\x06\xa3\x06\x0d1234\xa4\x06\xa4\x06",
    b"\xa3\x06\x08\x01",
    b"\xa1\x06123",
    b"\xa5\x06123",
    b"\xa6\x06\x01",
    b"\xa7\x06\x01",
    b"\xa2\x06\x05abc",
    b"\xa2\x06" + b"\xff" * 9 + b"\x01",
    b"\xa0\x06" + b"\x80" * 9 + b"\x01",
    b"\xa0\x06" + b"\x80" * 10 + b"\x01",
)


def _bodies(kind: Descriptor, depth: int = 0) -> Iterator[bytes]:
    """Each field in each wire type, also inside of its messages."""
    for field in kind.fields:
        for wire_type, body in BODIES_BY_WIRE_TYPE.items():
            yield _field(field.number, wire_type, body)
        if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_ENUM):
            yield _field(field.number, 0, b"\x80" * 9 + b"\x01")
            yield _field(field.number, 0, b"\x80" * 10 + b"\x01")
            yield _field(field.number, 2, b"\x01\x80")
        if field.message_type is not None and depth < 2:
            for body in _bodies(field.message_type, depth + 1):
                yield _field(field.number, 2, varint(len(body)) + body)


def _random_bodies(kind: Descriptor, rng: Random) -> Iterator[bytes]:
    numbers = [field.number for field in kind.fields] or [1]
    for _ in range(RANDOM_BODIES):
        body = b""
        for _ in range(rng.randint(1, 3)):
            wire_type = rng.choice((0, 0, 1, 2, 2, 2, 3, 4, 5))
            value = rng.choice((b"", b"\x00", b"\x01a", rng.randbytes(3)))
            body += _field(rng.choice([*numbers, 99]), wire_type, value)
        yield body


def _complaint(
    channel: grpc.Channel, method: MethodDescriptor, body: bytes, timeout_s: float = ANSWER_TIMEOUT_S
) -> str:
    """The code and text of a request that is no message; empty for one that is."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if method.client_streaming:
            next(channel.stream_stream(path)(iter([body]), timeout=timeout_s), None)
        elif method.server_streaming:
            next(channel.unary_stream(path)(body, timeout=timeout_s), None)
        else:
            channel.unary_unary(path)(body, timeout=timeout_s)
    except grpc.RpcError as error:
        if str(error.details()).startswith(MALFORMED):
            return f"{error.code().name} {error.details()}"
    return ""


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.containing_service.name}-{method.name}")
def test_what_is_no_message_is_refused_alike(method: MethodDescriptor, both: tuple[EtcdServer, EtcdServer]) -> None:
    kind = method.input_type
    rng = Random(f"{SEED} {method.full_name}")
    bodies = dict.fromkeys([*ODD_BODIES, *_bodies(kind), *_random_bodies(kind, rng)])
    found: dict[bytes, tuple[str, str]] = {}
    with both[0].channel() as ours:
        real = both[1].channel()
        well_formed_count = 0
        for body in bodies:
            expected = _complaint(real, method, body)
            if not expected:
                if not both[1].child.is_running():
                    # An alarm with an unknown action is a panic of etcd 3.6.16.
                    both[1].start()
                    real.close()
                    real = both[1].channel()
                well_formed_count += 1
                if method.name in TOUCHY or well_formed_count > WELL_FORMED_MAX:
                    continue
            got = _complaint(ours, method, body)
            if got != expected:
                expected = _complaint(real, method, body, PATIENCE_S)
                got = _complaint(ours, method, body, PATIENCE_S)
            if got != expected and not (expected == "" and got.endswith(NO_UTF8)):
                found[body] = (got, expected)
        real.close()
    assert found == {}
