from etcdcore.api.convert_slow import INTERNAL
from etcdcore.api.health import HealthService, add_health
from etcdcore.errors import NOT_FOUND
from etcdcore.pb.health_pb2 import HealthCheckRequest, HealthCheckResponse
from etcdcore.rpc.calls import CallListener, MethodTable, StreamMethod, UnaryMethod
from tests.unit.etcdcore.api.harness import FakeCall

SERVING, NOT_SERVING, SERVICE_UNKNOWN = (
    HealthCheckResponse.SERVING,
    HealthCheckResponse.NOT_SERVING,
    HealthCheckResponse.SERVICE_UNKNOWN,
)


def _check(service: HealthService, request: bytes) -> FakeCall:
    table, call = MethodTable(), FakeCall()
    add_health(table, service)
    method = table.methods["/grpc.health.v1.Health/Check"]
    assert isinstance(method, UnaryMethod)
    method.call(request, call)
    return call


def _watch(service: HealthService, name: str) -> tuple[FakeCall, CallListener]:
    table, call = MethodTable(), FakeCall()
    add_health(table, service)
    method = table.methods["/grpc.health.v1.Health/Watch"]
    assert isinstance(method, StreamMethod)
    call.listener = method.open(call)
    call.listener.message_received(HealthCheckRequest(service=name).SerializeToString())
    return call, call.listener


def _told(call: FakeCall) -> list[int]:
    return [HealthCheckResponse.FromString(message).status for message in call.sent]


def test_the_server_serves_until_it_says_otherwise() -> None:
    service = HealthService()
    assert _told(_check(service, b"")) == [SERVING]
    service.set_serving("", False)
    assert _told(_check(service, b"")) == [NOT_SERVING]


def test_a_service_nobody_has_named_is_not_found() -> None:
    call = _check(HealthService(), HealthCheckRequest(service="x").SerializeToString())
    assert call.status is not None and (call.status.code, call.status.text) == (NOT_FOUND, "unknown service")


def test_a_request_that_is_none_is_refused() -> None:
    call = _check(HealthService(), b"\xff")
    assert call.status is not None and call.status.code == INTERNAL


def test_a_watcher_is_told_each_change_once_until_it_leaves() -> None:
    service = HealthService()
    call, listener = _watch(service, "")
    service.set_serving("", True)
    service.set_serving("", False)
    service.set_serving("other", False)
    assert _told(call) == [SERVING, NOT_SERVING]
    listener.call_cancelled()
    service.set_serving("", True)
    assert len(call.sent) == 2


def test_an_unknown_service_may_be_watched_until_it_comes() -> None:
    service = HealthService()
    call, _ = _watch(service, "later")
    service.set_serving("later", True)
    assert _told(call) == [SERVICE_UNKNOWN, SERVING]


def test_a_watcher_that_does_not_read_is_told_the_last_status() -> None:
    service = HealthService()
    call, listener = _watch(service, "")
    call.is_writable = False
    service.set_serving("", False)
    service.set_serving("", True)
    service.set_serving("", False)
    call.is_writable = True
    listener.writable()
    assert _told(call) == [SERVING, NOT_SERVING]
