"""How calls began and ended, method by method, under the names of etcd's gRPC middleware.

Messages of unary calls are not counted one by one: each call that began brought one, each that ended was answered by
one, with a refusal too, as that middleware counts.
"""

from typing import Final

from google.protobuf.descriptor import MethodDescriptor

from etcdcore.pb.files import FILES
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.status import CODE_NAMES, code_name
from etcdcore.statistics import HANDLING_BOUNDS_S, Histogram
from etcdcore.web.metrics_text import Labels, MetricsText


def add_grpc_metrics(metrics: MetricsText, table: MethodTable) -> None:
    metrics.counter(
        "etcd_network_client_grpc_received_bytes_total",
        "The total number of bytes received from grpc clients.",
        table.received_bytes,
    )
    metrics.counter(
        "etcd_network_client_grpc_sent_bytes_total",
        "The total number of bytes sent to grpc clients.",
        table.sent_bytes,
    )
    paths = sorted(table.methods)
    metrics.family(
        "grpc_server_started_total",
        "counter",
        "Total number of RPCs started on the server.",
        [(_labels(path), table.started.get(path, 0)) for path in paths],
    )
    if table.handling_s is not None:
        # A method that was never called has no histogram yet, and shows an empty one.
        unused = Histogram(HANDLING_BOUNDS_S)
        metrics.histogram(
            "grpc_server_handling_seconds",
            "Histogram of response latency (seconds) of calls handled by the server.",
            [(_labels(path), table.handling_s.get(path, unused)) for path in paths],
        )
    metrics.family(
        "grpc_server_handled_total",
        "counter",
        "Total number of RPCs completed on the server, regardless of success or failure.",
        _handled(table, paths),
    )
    ended: dict[str, int] = {}
    for (path, _), count in table.handled.items():
        ended[path] = ended.get(path, 0) + count
    received: list[tuple[Labels, float]] = []
    sent: list[tuple[Labels, float]] = []
    for path in paths:
        stream = table.streams.get(path)
        counted = (table.started.get(path, 0), ended.get(path, 0))
        if stream is not None:
            counted = (stream.received_count, stream.sent_count)
        received.append((_labels(path), counted[0]))
        sent.append((_labels(path), counted[1]))
    metrics.family(
        "grpc_server_msg_received_total",
        "counter",
        "Total number of RPC stream messages received on the server.",
        received,
    )
    metrics.family(
        "grpc_server_msg_sent_total", "counter", "Total number of gRPC stream messages sent by the server.", sent
    )


def is_stream(path: str) -> bool:
    """Whether calls of the method are streams; one that nobody knows is not."""
    return _KINDS.get(path, "unary") != "unary"


def _handled(table: MethodTable, paths: list[str]) -> list[tuple[Labels, float]]:
    """Every method with every code, from the start: a rate over what never happened is 0, not absent."""
    samples: list[tuple[Labels, float]] = []
    known = frozenset(range(len(CODE_NAMES)))
    for path in paths:
        labels = _labels(path)
        counts = {code: count for (of, code), count in table.handled.items() if of == path}
        for code in sorted(known | counts.keys()):
            samples.append(({"grpc_code": code_name(code), **labels}, counts.get(code, 0)))
    return samples


def _kinds() -> dict[str, str]:
    return {
        f"/{service.full_name}/{method.name}": _kind(method)
        for file in FILES
        for service in file.services_by_name.values()
        for method in service.methods
    }


def _kind(method: MethodDescriptor) -> str:
    if method.client_streaming:
        return "bidi_stream" if method.server_streaming else "client_stream"
    return "server_stream" if method.server_streaming else "unary"


_KINDS: Final = _kinds()


def _labels(path: str) -> dict[str, str]:
    service, _, method = path[1:].partition("/")
    return {"grpc_method": method, "grpc_service": service, "grpc_type": _KINDS.get(path, "unary")}
