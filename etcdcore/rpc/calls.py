"""What a service sees of a call, and a carrier (gRPC server, gateway, in-process client) of a service.

Messages are the protobuf bytes of one message, without gRPC's five-byte prefix: a service may decode them with the
generated classes or by hand. Everything happens on one loop, by direct call: no task and no future for a unary call.

Invariants:
1. A call is finished exactly once: by `reply`, `finish` or `fail` of the service, or by its carrier (`is_done` is true
   from then on, and the listener hears `call_cancelled` if it was the carrier). What a service says after that is lost
   in silence, so that an answer may come after its client has gone.
2. Nothing here blocks, and no service method may raise for what a client sent; what it raises all the same is a bug,
   which the carrier logs and answers as INTERNAL.
3. Messages of one call are handed to the service in order, and sent in order.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.errors import CoreError
from etcdcore.statistics import HANDLING_BOUNDS_S, Histogram


@mypyc_attr(allow_interpreted_subclasses=True)
class CallListener(ABC):
    """The service's end of one call. Its methods are called by the carrier, and must not raise."""

    __slots__ = ()

    @abstractmethod
    def message_received(self, message: bytes) -> None:
        """One more message of the client (streaming calls only)."""

    @abstractmethod
    def input_ended(self) -> None:
        """The client will send no more messages; it may still be listening."""

    @abstractmethod
    def call_cancelled(self) -> None:
        """The client or its connection is gone, or its deadline has passed: the call is done, nothing can be sent."""

    @abstractmethod
    def writable(self) -> None:
        """`is_writable` was false and is true again."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Call(ABC):
    """One RPC in progress, as its service sees it. Made by a carrier."""

    __slots__ = ("common_name", "is_done", "is_writable", "listener", "metadata", "peer")

    def __init__(self, metadata: Mapping[str, str], peer: str, common_name: str = "") -> None:
        self.metadata: Final = metadata
        """The request's headers, lower-case names; of a repeated one the first. `-bin` ones still in base64."""
        self.peer: Final = peer
        """Where it comes from, for logs: `host:port`, a path, or the carrier's own name."""
        self.common_name: Final = common_name
        """Of the client's verified certificate, else empty; always empty through the JSON gateway."""
        self.is_done = False
        self.is_writable = True
        """False while the client does not read fast enough: a stream should hold back (`writable` tells when not)."""
        self.listener: CallListener | None = None
        """Set by the service, if it wants to hear more of the call."""

    @abstractmethod
    def send(self, message: bytes) -> None:
        """One response message of a streaming call."""

    @abstractmethod
    def reply(self, message: bytes) -> None:
        """The only response message of a unary call, and its end: status OK."""

    @abstractmethod
    def finish(self) -> None:
        """The end of a streaming call: status OK."""

    @abstractmethod
    def fail(self, code: int, text: str) -> None:
        """The end of any call, with a gRPC status number other than 0 and its message."""

    def refuse(self, error: CoreError) -> None:
        """`fail` with one of etcd's errors."""
        self.fail(error.grpc_code, str(error))


@mypyc_attr(allow_interpreted_subclasses=True)
class UnaryMethod(ABC):
    """One request, one response. `path` is `/package.Service/Method`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path: Final = path

    @abstractmethod
    def call(self, request: bytes, call: Call) -> None:
        """Answers by `call.reply` or `call.fail`, at once or later."""


@mypyc_attr(allow_interpreted_subclasses=True)
class StreamMethod(ABC):
    """Any number of requests and responses; a server-streaming method takes its only request as the first message."""

    __slots__ = ("path", "received_count", "sent_count")

    def __init__(self, path: str) -> None:
        self.path: Final = path
        self.received_count = 0
        """Messages of all its calls, counted by the carriers."""
        self.sent_count = 0

    @abstractmethod
    def open(self, call: Call) -> CallListener:
        """A new call: the carrier sets what this returns as `call.listener` and hands it the messages."""


Method = UnaryMethod | StreamMethod


@final
class MethodTable:
    """Every method a server offers, by path; and how calls of each have ended, for metrics.

    Whoever asks for a kind of method takes it from `unary` or `streams`: compiled abstract classes share what
    `isinstance` has remembered, so that plain Python is told that a method of one kind is of the other.
    """

    __slots__ = ("handled", "handling_s", "methods", "received_bytes", "sent_bytes", "started", "streams", "unary")

    def __init__(self) -> None:
        self.methods: Final[dict[str, Method]] = {}
        self.unary: Final[dict[str, UnaryMethod]] = {}
        self.streams: Final[dict[str, StreamMethod]] = {}
        self.started: Final[dict[str, int]] = {}
        """Calls begun, by path. Counted by the carriers that speak gRPC."""
        self.handled: Final[dict[tuple[str, int], int]] = {}
        """Calls ended, by path and gRPC status number."""
        self.handling_s: dict[str, Histogram] | None = None
        """How long calls took, by path; None while nobody wants to know (`--metrics=basic`)."""
        self.received_bytes = 0
        """Of messages, without gRPC's prefix; counted by the carriers."""
        self.sent_bytes = 0

    def note_handling(self, path: str, seconds: float) -> None:
        """Called by carriers for each call that has ended, if `handling_s` is not None."""
        if self.handling_s is not None:
            histogram = self.handling_s.get(path)
            if histogram is None:
                histogram = self.handling_s[path] = Histogram(HANDLING_BOUNDS_S)
            histogram.observe(seconds)

    def add(self, method: Method) -> None:
        assert method.path not in self.methods, f"{method.path} is offered twice"
        self.methods[method.path] = method
        if isinstance(method, UnaryMethod):
            self.unary[method.path] = method
        else:
            self.streams[method.path] = method
