"""One client connection that speaks HTTP/2: the socket on one side, methods and the plain HTTP handler on the other.

An asyncio Protocol without a task: at 25,000 calls a second a wake-up for each would cost more than the call. What one
`data_received` causes leaves in one write; so does what later turns of the loop cause, each turn's together.

Invariants:
1. A client that does not read is not read: while the socket is full nothing is received, and no new unary call is begun
   while OUTPUT_BACKLOG_BYTES_HIGH wait for windows.
2. Of unfinished requests at most KEPT_BYTES_MAX are kept.
3. Every open stream's user hears of the connection's end, once.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from time import monotonic
from typing import Final, cast, final

import structlog
from mypy_extensions import mypyc_attr

from etcdcore.errors import CANCELED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED
from etcdcore.http2.codes import ENHANCE_YOUR_CALM, REFUSED_STREAM
from etcdcore.http2.connection import Connection
from etcdcore.http2.frames import u32
from etcdcore.http2.request_head import RequestHead
from etcdcore.http2.stream import Stream
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.grpc_messages import PREFIX_BYTES, MessageReader
from etcdcore.rpc.h2_calls import CallHost, H2Call
from etcdcore.rpc.keepalive import TOO_MANY_PINGS, PingPolicy
from etcdcore.rpc.limits import RpcLimits
from etcdcore.rpc.request_plan import RequestPlan, plan_request

_log = structlog.get_logger()

OUTPUT_BACKLOG_BYTES_HIGH: Final = 8 << 20
"""Answers of one connection that wait for its windows, past which further requests wait before they are begun (I1)."""

KEPT_BYTES_MAX: Final = 64 << 20
"""Bytes of unfinished and waiting requests of one connection; a request that goes past it fails (I2)."""

EXCHANGES_MAX: Final = 256
"""Plain requests at once on one connection: each is a task."""

WRITE_BUFFER_BYTES_HIGH: Final = 256 * 1024

FLUSH_ROUNDS_MAX: Final = 4
"""Writes in a row for one connection before the others have their turn."""

UNFINISHED_MS_MAX: Final = 20_000
"""For a greeting, a frame or a header block from its first byte to its last."""

LINGER_MS: Final = 1000
"""Between our last byte and the end of the socket: closed at once, what the client still sends could take our reason
for closing away before it is read."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PlainExchange(ABC):
    """A request on a stream that is not gRPC."""

    @abstractmethod
    def data_received(self, data: bytes) -> None: ...

    @abstractmethod
    def request_ended(self) -> None: ...

    @abstractmethod
    def cancel(self) -> None: ...

    @abstractmethod
    def writable(self) -> None: ...


@mypyc_attr(allow_interpreted_subclasses=True)
class H2Owner(ABC):
    """The server of all connections."""

    @abstractmethod
    def connection_opened(self, protocol: "H2Protocol") -> None: ...

    @abstractmethod
    def connection_closed(self, protocol: "H2Protocol") -> None: ...

    @abstractmethod
    def open_exchange(self, protocol: "H2Protocol", stream: Stream, head: RequestHead) -> PlainExchange: ...


@final
class H2Protocol(CallHost):
    """State of one connection. The loop takes it for an `asyncio.Protocol` by its methods."""

    __slots__ = (
        "_closing_since_ms",
        "_exchange_count",
        "_held",
        "_is_flush_due",
        "_is_full",
        "_is_receiving",
        "_kept_bytes",
        "_last_received_ms",
        "_limits",
        "_loop",
        "_message_bytes_max",
        "_owner",
        "_ping_interval_ms",
        "_ping_sent_ms",
        "_ping_timeout_ms",
        "_pings",
        "_slow_call_s",
        "_transport",
        "common_name",
        "connection",
        "is_secure",
        "peer",
    )

    def __init__(
        self, owner: H2Owner, table: MethodTable, limits: RpcLimits, peer: str, common_name: str, is_secure: bool
    ) -> None:
        super().__init__(table)
        self._owner: Final = owner
        self._message_bytes_max: Final = limits.receive_bytes_max
        self._slow_call_s: Final = limits.slow_call_s
        self._ping_interval_ms: Final = int(limits.ping_interval_s * 1000)
        self._ping_timeout_ms: Final = int(limits.ping_timeout_s * 1000)
        self._pings: Final = PingPolicy(int(limits.ping_interval_min_s * 1000))
        self._loop: Final = asyncio.get_running_loop()
        self.connection: Final = Connection(self, limits.streams_max)
        self.peer: Final = peer
        self.common_name: Final = common_name
        self.is_secure: Final = is_secure
        self._transport: asyncio.Transport | None = None
        self._is_receiving = False
        self._is_flush_due = False
        self._is_full = False
        self._kept_bytes = 0
        self._exchange_count = 0
        self._held: Final[deque[H2Call]] = deque()
        """Unary calls that begin when the backlog of answers is down (I1)."""
        self._last_received_ms = self._now_ms()
        self._ping_sent_ms = -1
        self._closing_since_ms = -1

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    # The socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_BUFFER_BYTES_HIGH)
        self._owner.connection_opened(self)
        self.flush()

    def data_received(self, data: bytes) -> None:
        now_ms = self._now_ms()
        self._last_received_ms = now_ms
        self._ping_sent_ms = -1
        self._is_receiving = True
        self.connection.receive_bytes(data, now_ms)
        self._is_receiving = False
        self.flush()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._end_streams()
        self._owner.connection_closed(self)

    def pause_writing(self) -> None:
        self._is_full = True
        self.connection.hold_output()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_full = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self.connection.resume_output()
        self.flush()

    def flush_soon(self) -> None:
        if not self._is_flush_due and not self._is_receiving:
            self._is_flush_due = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Writes what there is, as far as the socket takes it."""
        self._is_flush_due = False
        transport = self._transport
        connection = self.connection
        if transport is None or self._closing_since_ms >= 0:
            return
        rounds = 0
        while rounds < FLUSH_ROUNDS_MAX:
            data = connection.take_bytes()
            if not data:
                break
            transport.write(data)
            rounds += 1
            if self._is_full:
                break
            connection.resume_output()
        if rounds == FLUSH_ROUNDS_MAX and not self._is_full:
            self.flush_soon()
        if connection.is_broken:
            _log.info("connection_broken", peer=self.peer, reason=connection.broken_text)
            self._end_streams()
            self._linger(transport)
        elif connection.is_going_away and not connection.streams:
            self._linger(transport)
        elif self._held:
            self._begin_held()

    def _linger(self, transport: asyncio.Transport) -> None:
        self._closing_since_ms = self._now_ms()
        if not transport.can_write_eof():
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:  # asyncio's own loop, of a client that is gone; uvloop's leaves it to connection_lost
            transport.abort()
            return
        self._loop.call_later(LINGER_MS / 1000, transport.close)

    def sweep(self) -> None:
        """Now and then, by the owner's timer: cuts who stays silent inside a frame or to a ping, pings the idle."""
        now_ms = self._now_ms()
        transport = self._transport
        if transport is None:
            return
        since_ms = self.connection.unfinished_since_ms
        if self._closing_since_ms >= 0:
            if now_ms - self._closing_since_ms > 5 * LINGER_MS:
                transport.abort()
        elif since_ms >= 0 and now_ms - since_ms > UNFINISHED_MS_MAX and not self._is_full:
            self._cut("unfinished for too long")
        elif self._ping_sent_ms >= 0:
            if now_ms - self._ping_sent_ms >= self._ping_timeout_ms:
                self._cut("ping not answered")
        elif self._ping_interval_ms and now_ms - self._last_received_ms >= self._ping_interval_ms:
            self._ping_sent_ms = now_ms
            self.connection.ping(b"etcdcore")
            self.flush()

    def _cut(self, reason: str) -> None:
        _log.info("connection_cut", peer=self.peer, reason=reason)
        if self._transport is not None:
            self._transport.abort()

    def go_away(self) -> None:
        """Takes no more calls; closes when the last one has ended."""
        self.connection.go_away()
        self.flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _end_streams(self) -> None:
        for stream in list(self.connection.streams.values()):
            self.stream_reset(stream, CANCELED)
        self._held.clear()

    # What the connection tells

    def request_received(self, stream: Stream, head: RequestHead) -> None:
        plan = head.plan
        if plan is None:
            plan = plan_request(self.table, head)
            head.plan = plan
        assert isinstance(plan, RequestPlan)
        if not plan.is_grpc:
            if self._exchange_count >= EXCHANGES_MAX:
                self.connection.reset(stream, REFUSED_STREAM)
                return
            self._exchange_count += 1
            exchange = self._owner.open_exchange(self, stream, head)
            stream.user = exchange
            if stream.is_request_ended:
                exchange.request_ended()
            return
        call = H2Call(self, self.connection, stream, plan, head.headers, self.peer, self.common_name)
        stream.user = call
        if plan.fault is not None:
            call.fail(plan.fault.code, plan.fault.text)
            return
        started = self.table.started
        started[plan.path] = started.get(plan.path, 0) + 1
        if self.table.handling_s is not None:
            call.started_s = self._loop.time()
        if plan.timeout_ms >= 0:
            call.timer = self._loop.call_later(plan.timeout_ms / 1000, self._deadline_passed, call)
        if plan.stream_method is not None:
            try:
                call.listener = plan.stream_method.open(call)
            except Exception:
                self._failed(call)
        if stream.is_request_ended:
            self.request_ended(stream)

    def _data_received(self, call: H2Call, data: bytes) -> None:
        stream = call.stream
        size = len(data)
        reader = call.reader
        if (
            (reader is None or reader.kept_bytes == 0)
            and size >= PREFIX_BYTES
            and data[0] == 0
            and u32(data, 1) == size - PREFIX_BYTES
            and size - PREFIX_BYTES <= self._message_bytes_max
        ):
            self._message_received(call, data[PREFIX_BYTES:])
        else:
            self._pieces_received(call, data)
        if stream.is_request_ended:
            return
        if stream.is_throttled:
            call.untaken_bytes += size
        else:
            self.connection.consume(stream, size)

    def _pieces_received(self, call: H2Call, data: bytes) -> None:
        """Anything but one whole message."""
        reader = call.reader
        if reader is None:
            reader = call.reader = MessageReader(self._message_bytes_max, call.plan.encoding)
        before = reader.kept_bytes
        messages = reader.receive(data)
        self._keep(call, reader.kept_bytes - before)
        for message in messages:
            if call.is_done:
                return
            self._message_received(call, message)
        if reader.fault is not None:
            self._refuse(call, reader.fault.code, reader.fault.text)
        elif self._kept_bytes > KEPT_BYTES_MAX:
            self._refuse(call, RESOURCE_EXHAUSTED, "too many bytes of unfinished messages on one connection")

    def _keep(self, call: H2Call, count: int) -> None:
        call.kept_bytes += count
        self._kept_bytes += count

    def _message_received(self, call: H2Call, message: bytes) -> None:
        self.table.received_bytes += len(message)
        if call.plan.unary_method is not None:
            if call.message is not None:
                self._refuse(call, INTERNAL, "cardinality violation: a unary method has one request message")
                return
            call.message = message
            if call.stream.is_request_ended:
                call.is_begun = True
                call.began_s = monotonic()
                self._begin(call)
            else:
                self._keep(call, len(message))
            return
        listener = call.listener
        method = call.plan.stream_method
        assert listener is not None and method is not None
        method.received_count += 1
        try:
            listener.message_received(message)
        except Exception:
            self._failed(call)

    def _begin(self, call: H2Call) -> None:
        if self.connection.pending_bytes > OUTPUT_BACKLOG_BYTES_HIGH:
            assert call.message is not None
            if not call.kept_bytes:
                self._keep(call, len(call.message))
            self._held.append(call)
            return
        method = call.plan.unary_method
        message = call.message
        assert method is not None and message is not None
        call.message = None
        try:
            method.call(message, call)
        except Exception:
            self._failed(call)

    def _begin_held(self) -> None:
        while self._held and self.connection.pending_bytes <= OUTPUT_BACKLOG_BYTES_HIGH // 2:
            call = self._held.popleft()
            if not call.is_done:
                self._keep(call, -call.kept_bytes)
                self._begin(call)

    def _failed(self, call: H2Call) -> None:
        """A service raised, which is a bug of ours (calls, I2)."""
        _log.exception("call_failed", path=call.plan.path)
        self._refuse(call, INTERNAL, "internal error")

    def _refuse(self, call: H2Call, code: int, text: str) -> None:
        """Ends a call that its service has not ended."""
        listener = call.listener
        if call.is_done:
            return
        call.fail(code, text)
        if listener is not None:
            try:
                listener.call_cancelled()
            except Exception:
                _log.exception("call_failed", path=call.plan.path)

    def body_received(self, stream: Stream, data: bytes) -> None:
        user = stream.user
        if isinstance(user, H2Call):
            self._data_received(user, data)
        elif isinstance(user, PlainExchange):
            self._kept_bytes += len(data)
            user.data_received(data)
            if self._kept_bytes > KEPT_BYTES_MAX:
                self.connection.reset(stream, ENHANCE_YOUR_CALM)
                user.cancel()
        else:
            # The response is made and waits for windows; nobody is interested in the rest of the request.
            self.connection.consume(stream, len(data))

    def request_ended(self, stream: Stream) -> None:
        user = stream.user
        if isinstance(user, PlainExchange):
            user.request_ended()
        if not isinstance(user, H2Call) or user.is_done:
            return
        reader = user.reader
        if reader is not None and reader.kept_bytes:
            self._refuse(user, INTERNAL, "unexpected EOF")
        elif user.plan.unary_method is not None:
            if user.is_begun:
                return
            if user.message is None:
                self._refuse(user, INTERNAL, "unexpected EOF")
                return
            user.is_begun = True
            user.began_s = monotonic()
            self._keep(user, -user.kept_bytes)
            self._begin(user)
        elif user.listener is not None:
            try:
                user.listener.input_ended()
            except Exception:
                self._failed(user)

    def stream_reset(self, stream: Stream, code: int) -> None:
        user = stream.user
        stream.user = None
        if isinstance(user, H2Call):
            try:
                user.cancel()
            except Exception:
                _log.exception("call_failed", path=user.plan.path)
        elif isinstance(user, PlainExchange):
            user.cancel()

    def stream_writable(self, stream: Stream) -> None:
        user = stream.user
        if isinstance(user, PlainExchange):
            user.writable()
        if not isinstance(user, H2Call) or user.is_done:
            return
        user.is_writable = True
        if user.untaken_bytes:
            self.connection.consume(stream, user.untaken_bytes)
            user.untaken_bytes = 0
        if user.listener is not None:
            try:
                user.listener.writable()
            except Exception:
                self._failed(user)

    def ping_received(self) -> None:
        if self.connection.has_answered:
            self.connection.has_answered = False
            self._pings.has_responded = True
        if not self._pings.ping_received(self._last_received_ms, len(self.connection.streams) > 0):
            self.connection.break_off(ENHANCE_YOUR_CALM, TOO_MANY_PINGS)

    # What calls and exchanges tell

    def body_taken(self, stream: Stream, count: int) -> None:
        """Of a plain request, by its handler."""
        self._kept_bytes -= count
        self.connection.consume(stream, count)
        self.flush_soon()

    def exchange_ended(self, stream: Stream, kept_bytes: int) -> None:
        """`kept_bytes` of its body were never taken."""
        stream.user = None
        self._exchange_count -= 1
        self._kept_bytes -= kept_bytes
        self.flush_soon()

    def _deadline_passed(self, call: H2Call) -> None:
        self._refuse(call, DEADLINE_EXCEEDED, "context deadline exceeded")

    def call_ended(self, call: H2Call, code: int) -> None:
        plan = call.plan
        if plan.fault is None:
            handled = self.table.handled
            key = (plan.path, code)
            handled[key] = handled.get(key, 0) + 1
            if call.started_s:
                self.table.note_handling(plan.path, self._loop.time() - call.started_s)
            if call.is_begun:
                seconds = monotonic() - call.began_s
                if seconds > self._slow_call_s:
                    _log.warning("request stats", path=plan.path, code=code, peer=call.peer, time_spent_s=seconds)
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        if call.kept_bytes:
            self._keep(call, -call.kept_bytes)
        call.reader = None
        call.message = None
        call.listener = None
        call.stream.user = None
        self.flush_soon()
