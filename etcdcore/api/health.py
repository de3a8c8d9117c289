"""gRPC's health service. Source: grpc.health.v1; etcd server/etcdserver/api/v3rpc/health.go.

The empty name is the server as a whole. Each watcher is told a status once, and again when it changes.
"""

from typing import Final, TypeVar, final

from google.protobuf.message import DecodeError, Message

from etcdcore.api.convert_slow import INTERNAL
from etcdcore.errors import INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED
from etcdcore.pb.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod, UnaryMethod

WATCHERS_MAX: Final = 10_000
"""Health watches at once: each lasts as long as its client likes."""
_UNARY: Final = "grpc: error unmarshalling request"
_STREAM: Final = "grpc: failed to unmarshal the received message"

AnyMessage = TypeVar("AnyMessage", bound=Message)


@final
class HealthService:
    """Which services serve. `set_serving` may be called at any time on the loop."""

    def __init__(self) -> None:
        self._is_serving: Final[dict[str, bool]] = {"": True}
        self._watchers: Final[dict[_Watcher, None]] = {}

    def set_serving(self, service: str, is_serving: bool) -> None:
        self._is_serving[service] = is_serving
        for watcher in list(self._watchers):
            watcher.tell()

    def response(self, service: str) -> bytes | None:
        """None: a service that nobody has named."""
        is_serving = self._is_serving.get(service)
        if is_serving is None:
            return None
        status = HealthCheckResponse.SERVING if is_serving else HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=status).SerializeToString()

    def listed(self) -> bytes:
        """All that were named, with what `response` says of each."""
        listed = HealthListResponse()
        for service, is_serving in self._is_serving.items():
            status = HealthCheckResponse.SERVING if is_serving else HealthCheckResponse.NOT_SERVING
            listed.statuses[service].status = status
        return listed.SerializeToString(deterministic=True)

    def add_watcher(self, watcher: "_Watcher") -> bool:
        if len(self._watchers) >= WATCHERS_MAX:
            return False
        self._watchers[watcher] = None
        return True

    def remove_watcher(self, watcher: "_Watcher") -> None:
        self._watchers.pop(watcher, None)


@final
class _Check(UnaryMethod):
    def __init__(self, service: HealthService) -> None:
        super().__init__("/grpc.health.v1.Health/Check")
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        wanted = _decode(HealthCheckRequest, request, call, _UNARY)
        if wanted is None:
            return
        response = self._service.response(wanted.service)
        if response is None:
            call.fail(NOT_FOUND, "unknown service")
        else:
            call.reply(response)


@final
class _List(UnaryMethod):
    def __init__(self, service: HealthService) -> None:
        super().__init__("/grpc.health.v1.Health/List")
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        if _decode(HealthListRequest, request, call, _UNARY) is not None:
            call.reply(self._service.listed())


@final
class _Watch(StreamMethod):
    def __init__(self, service: HealthService) -> None:
        super().__init__("/grpc.health.v1.Health/Watch")
        self._service: Final = service

    def open(self, call: Call) -> CallListener:
        return _Watcher(self._service, call)


@final
class _Watcher(CallListener):
    """One watch, from its request to the client's leaving. It may name a service that is not there yet."""

    def __init__(self, service: HealthService, call: Call) -> None:
        self._service: Final = service
        self._call: Final = call
        self._name: str | None = None
        self._told: bytes | None = None

    def message_received(self, message: bytes) -> None:
        if self._name is not None:
            self._call.fail(INVALID_ARGUMENT, "a health watch has one request")
            self._service.remove_watcher(self)
            return
        wanted = _decode(HealthCheckRequest, message, self._call, _STREAM)
        if wanted is None:
            return
        self._name = wanted.service
        if not self._service.add_watcher(self):
            self._call.fail(RESOURCE_EXHAUSTED, "too many health watches")
            return
        self.tell()

    def tell(self) -> None:
        assert self._name is not None
        response = self._service.response(self._name)
        if response is None:
            response = HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN).SerializeToString()
        # Statuses in between are nobody's loss: a client that does not read is told the last one.
        if response != self._told and self._call.is_writable:
            self._told = response
            self._call.send(response)

    def input_ended(self) -> None:
        """Of no meaning: the client goes on listening."""

    def call_cancelled(self) -> None:
        self._service.remove_watcher(self)

    def writable(self) -> None:
        self.tell()


def _decode(kind: type[AnyMessage], request: bytes, call: Call, where: str) -> AnyMessage | None:
    """Fails the call with grpc-go's text if the request is none of this kind: the service is gRPC's own, not etcd's."""
    try:
        return kind.FromString(request)
    except DecodeError:
        call.fail(INTERNAL, f"{where}: proto: cannot parse invalid wire-format data")
        return None


def add_health(table: MethodTable, service: HealthService) -> None:
    table.add(_Check(service))
    table.add(_List(service))
    table.add(_Watch(service))
