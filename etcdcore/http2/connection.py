"""The server's end of one HTTP/2 connection: bytes in, requests to the audience; responses in, bytes out.

Inputs are `receive_bytes` and the sending methods, the output is `take_bytes`. Time comes as an argument.

Invariants:
1. `receive_bytes` raises nothing for what a client sent: a violation becomes a RST_STREAM, or a GOAWAY after which
   `is_broken` is true and nothing is read any more.
2. No frame leaves past a window, and no header block is encoded before the place where it is sent.
3. Whatever a client can make us keep is bounded: streams, header blocks, closed streams we remember, and by `_credit`
   the frames that cost us more than they cost it.
4. The audience hears of a stream's end exactly once: `request_ended` is not one, `stream_reset` is; after our own
   response or reset it hears nothing more of it.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.http2.codes import (
    CONTINUATION,
    DATA,
    ENHANCE_YOUR_CALM,
    FLAG_ACK,
    FLAG_END_HEADERS,
    FLAG_END_STREAM,
    FLOW_CONTROL_ERROR,
    FRAME_BYTES_MAX,
    FRAME_HEAD_BYTES,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PING,
    PREFACE,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    SETTINGS_ENABLE_PUSH,
    SETTINGS_HEADER_TABLE_SIZE,
    SETTINGS_INITIAL_WINDOW_SIZE,
    SETTINGS_MAX_CONCURRENT_STREAMS,
    SETTINGS_MAX_FRAME_SIZE,
    SETTINGS_MAX_HEADER_LIST_SIZE,
    STREAM_CLOSED,
    WINDOW_DEFAULT,
    WINDOW_MAX,
    WINDOW_UPDATE,
    ConnectionViolation,
    StreamViolation,
)
from etcdcore.http2.frames import (
    SETTINGS_ACK,
    encode_frame,
    encode_frame_start,
    encode_goaway,
    encode_ping,
    encode_rst_stream,
    encode_settings,
    encode_window_update,
    strip_padding,
    strip_priority,
    u32,
)
from etcdcore.http2.header_decoder import HEADER_LIST_BYTES_MAX, HeaderDecoder
from etcdcore.http2.header_encoder import HeaderEncoder, ResponseFields
from etcdcore.http2.request_head import RequestHead, check_trailers
from etcdcore.http2.stream import STREAM_WINDOW, Stream

STREAMS_MAX: Final = 65_536
"""Streams at once, however many more the limits allow: each costs about a kilobyte."""

CONNECTION_WINDOW: Final = 16 << 20
"""What a client may send on all its streams before we have read it. The layer above bounds what it keeps of it."""

HEADER_BLOCK_BYTES_MAX: Final = 65_536
"""Of one compressed block over its CONTINUATION frames."""

CLOSED_REMEMBERED_MAX: Final = 4096
"""Streams lately closed: frames that were under way when we reset one are let pass, others are violations."""

STREAM_PENDING_BYTES_HIGH: Final = 64 * 1024
"""Unsent data of a stream past which the layer above is told to hold back."""

CONNECTION_PENDING_BYTES_HIGH: Final = 32 << 20
"""Unsent data of all streams together past which each that sends more is told so."""

OUTPUT_STEP_BYTES: Final = 256 * 1024
"""Data written in one go. Past this the socket is asked first whether the peer takes it at all."""

CREDIT_MAX: Final = 10_000
CREDIT_PER_MS: Final = 1
CREDIT_PER_RESPONSE: Final = 10
"""A client has a credit of frames that make work and bring nothing: pings, settings, resets, empty or refused frames.
Each costs one or more; time and responses, which it has waited for, give it back. One ping for every round trip of a
busy connection, as Go's client sends them, costs nothing; a flood is over within a few tenths of a second."""

RESET_COST: Final = 2
CREDIT_DATA_BYTES: Final = 1024
"""A DATA frame of at least this size gives credit too: a smaller one may come from windows opened byte by byte."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ConnectionAudience(ABC):
    """What a connection tells the layer above. It may send from within; it must not raise."""

    @abstractmethod
    def request_received(self, stream: Stream, head: RequestHead) -> None:
        """A new stream; `stream.is_request_ended` if no body follows."""

    @abstractmethod
    def body_received(self, stream: Stream, data: bytes) -> None:
        """Part of a body; it is to be given back by `Connection.consume` once it is no longer kept."""

    @abstractmethod
    def request_ended(self, stream: Stream) -> None:
        """After the last data: the client has said everything."""

    @abstractmethod
    def stream_reset(self, stream: Stream, code: int) -> None:
        """The client or a violation ended the stream."""

    @abstractmethod
    def stream_writable(self, stream: Stream) -> None:
        """`is_throttled` was true, and the pending data is sent for the most part."""

    @abstractmethod
    def ping_received(self) -> None:
        """Answered already."""


@final
class Connection:
    """Its owner hands it bytes, writes what `take_bytes` has, and calls `resume_output` while the socket takes it."""

    __slots__ = (
        "_audience",
        "_block",
        "_block_ends_stream",
        "_block_frames",
        "_block_is_self_dependent",
        "_block_stream_id",
        "_closed",
        "_credit",
        "_decoder",
        "_drained",
        "_encoder",
        "_has_settings",
        "_is_held",
        "_now_ms",
        "_out",
        "_out_bytes",
        "_peer_stream_window",
        "_preface_bytes",
        "_ready",
        "_receive_window",
        "_rest",
        "_send_window",
        "_streams_max",
        "broken_text",
        "has_answered",
        "is_broken",
        "is_going_away",
        "last_stream_id",
        "pending_bytes",
        "pong_count",
        "streams",
        "unfinished_since_ms",
    )

    def __init__(self, audience: ConnectionAudience, streams_max: int) -> None:
        self._audience: Final = audience
        self._streams_max: Final = min(streams_max, STREAMS_MAX)
        self._decoder: Final = HeaderDecoder()
        self._encoder: Final = HeaderEncoder()
        self.streams: Final[dict[int, Stream]] = {}
        self.last_stream_id = 0
        self._closed: Final[dict[int, bool]] = {}
        """Lately closed streams, the oldest first: whether we reset it."""
        self._rest = b""
        self._preface_bytes = 0
        self._has_settings = False
        self._block: bytearray | None = None
        self._block_stream_id = 0
        self._block_ends_stream = False
        self._block_is_self_dependent = False
        self._block_frames = 0
        self._receive_window = WINDOW_DEFAULT
        self._send_window = WINDOW_DEFAULT
        self._peer_stream_window = WINDOW_DEFAULT
        self._credit = CREDIT_MAX
        self._now_ms = 0
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._is_held = False
        self.pending_bytes = 0
        """Data of all streams that waits for windows or for the socket."""
        self._ready: Final[dict[int, Stream]] = {}
        """Streams with pending data and a window of their own, in turn."""
        self._drained: list[Stream] = []
        self.is_going_away = False
        self.has_answered = False
        """HEADERS or DATA were written since the owner put it back to false."""
        self.is_broken = False
        """Nothing is read any more: send what is left, then close."""
        self.broken_text = ""
        self.pong_count = 0
        self.unfinished_since_ms = -1
        """Since when the greeting, a frame or a header block is incomplete; -1: none is."""
        self._greet()

    def _greet(self) -> None:
        settings = [
            (SETTINGS_MAX_CONCURRENT_STREAMS, self._streams_max),
            (SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            (SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES_MAX),
        ]
        self._out.append(encode_settings(settings) + encode_window_update(0, CONNECTION_WINDOW - WINDOW_DEFAULT))
        self._receive_window = CONNECTION_WINDOW

    # Input

    def receive_bytes(self, data: bytes, now_ms: int) -> None:
        if self.is_broken:
            return
        elapsed_ms = now_ms - self._now_ms
        self._now_ms = now_ms
        if elapsed_ms > 0 and self._credit < CREDIT_MAX:
            self._credit = min(CREDIT_MAX, self._credit + elapsed_ms * CREDIT_PER_MS)
        try:
            self._receive_frames(self._rest + data if self._rest else data)
        except ConnectionViolation as violation:
            self.break_off(violation.code, violation.text)
        is_unfinished = len(self._rest) > 0 or self._block is not None or not self._has_settings
        if not is_unfinished:
            self.unfinished_since_ms = -1
        elif self.unfinished_since_ms < 0:
            self.unfinished_since_ms = now_ms
        if self._drained:
            self._tell_drained()

    def _receive_frames(self, data: bytes) -> None:
        at = 0
        end = len(data)
        if self._preface_bytes < len(PREFACE):
            at = self._receive_preface(data)
        while not self.is_broken:
            if end - at < FRAME_HEAD_BYTES:
                break
            length = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
            if length > FRAME_BYTES_MAX:
                raise ConnectionViolation(FRAME_SIZE_ERROR, "a frame past the largest size")
            start = at + FRAME_HEAD_BYTES
            if end - start < length:
                break
            kind = data[at + 3]
            flags = data[at + 4]
            stream_id = u32(data, at + 5) & 0x7FFFFFFF
            at = start + length
            try:
                self._receive_frame(kind, flags, stream_id, data[start:at])
            except StreamViolation as violation:
                self._violated(stream_id, violation.code, kind == HEADERS and flags & FLAG_END_STREAM != 0)
        if at and self._block is None and self._has_settings:
            self.unfinished_since_ms = -1
        self._rest = data[at:] if at else data

    def _receive_preface(self, data: bytes) -> int:
        taken = min(len(data), len(PREFACE) - self._preface_bytes)
        if data[:taken] != PREFACE[self._preface_bytes : self._preface_bytes + taken]:
            raise ConnectionViolation(PROTOCOL_ERROR, "not the preface of HTTP/2")
        self._preface_bytes += taken
        return taken

    def _receive_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is not None:
            if kind != CONTINUATION or stream_id != self._block_stream_id:
                raise ConnectionViolation(PROTOCOL_ERROR, "another frame inside a header block")
            self._receive_continuation(flags, payload)
        elif kind == HEADERS and self._has_settings:
            self._receive_headers(flags, stream_id, payload)
        elif kind == DATA and self._has_settings:
            self._receive_data(flags, stream_id, payload)
        elif kind == SETTINGS:
            self._receive_settings(flags, stream_id, payload)
        elif not self._has_settings:
            raise ConnectionViolation(PROTOCOL_ERROR, "SETTINGS come first")
        elif kind == WINDOW_UPDATE:
            self._receive_window_update(stream_id, payload)
        elif kind == PING:
            self._receive_ping(flags, stream_id, payload)
        elif kind == RST_STREAM:
            self._receive_rst_stream(stream_id, payload)
        elif kind == PRIORITY:
            self._receive_priority(stream_id, payload)
        elif kind == GOAWAY:
            if stream_id:
                raise ConnectionViolation(PROTOCOL_ERROR, "GOAWAY on a stream")
            if len(payload) < 8:
                raise ConnectionViolation(FRAME_SIZE_ERROR, "GOAWAY is too short")
            self._charge(1)
        elif kind in (CONTINUATION, PUSH_PROMISE):
            raise ConnectionViolation(PROTOCOL_ERROR, "a frame that a client may not send here")
        else:
            self._charge(1)

    def _charge(self, cost: int) -> None:
        self._credit -= cost
        if self._credit < 0:
            raise ConnectionViolation(ENHANCE_YOUR_CALM, "too many frames that bring nothing")

    # Header blocks

    def _receive_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id & 1 == 0:
            raise ConnectionViolation(PROTOCOL_ERROR, "a client's streams have odd numbers")
        is_self_dependent = False
        if flags & ~(FLAG_END_HEADERS | FLAG_END_STREAM):
            payload, is_self_dependent = strip_priority(flags, strip_padding(flags, payload), stream_id)
        if flags & FLAG_END_HEADERS:
            self._receive_block(stream_id, payload, flags & FLAG_END_STREAM != 0, is_self_dependent)
            return
        self._block = bytearray(payload)
        self._block_stream_id = stream_id
        self._block_ends_stream = flags & FLAG_END_STREAM != 0
        self._block_is_self_dependent = is_self_dependent
        self._block_frames = 0

    def _receive_continuation(self, flags: int, payload: bytes) -> None:
        block = self._block
        assert block is not None
        self._charge(1)
        block += payload
        if len(block) > HEADER_BLOCK_BYTES_MAX:
            raise ConnectionViolation(ENHANCE_YOUR_CALM, "a header block is too large")
        if flags & FLAG_END_HEADERS:
            self._block = None
            self._receive_block(
                self._block_stream_id, bytes(block), self._block_ends_stream, self._block_is_self_dependent
            )

    def _receive_block(self, stream_id: int, block: bytes, is_end: bool, is_self_dependent: bool) -> None:
        if stream_id <= self.last_stream_id:
            self._receive_late_block(stream_id, block, is_end)
            return
        self.last_stream_id = stream_id
        head = self._decoder.decode_head(block)
        if self.is_going_away:
            return
        if is_self_dependent:
            raise StreamViolation(PROTOCOL_ERROR, "a stream that depends on itself")
        if len(self.streams) >= self._streams_max:
            raise StreamViolation(REFUSED_STREAM, "too many streams")
        # A request that ends with its head has no body, whatever length it says: as Go's server, and h2spec's 6.1.
        stream = Stream(stream_id, self._peer_stream_window, -1 if is_end else head.content_length)
        if is_end:
            stream.end_request()
        self.streams[stream_id] = stream
        self._audience.request_received(stream, head)

    def _receive_late_block(self, stream_id: int, block: bytes, is_end: bool) -> None:
        """Trailers, or a stream that was there before. The block is read whatever becomes of it."""
        fields = self._decoder.decode(block)
        stream = self.streams.get(stream_id)
        if stream is None:
            was_ours = self._closed.get(stream_id)
            if was_ours is None:
                raise ConnectionViolation(PROTOCOL_ERROR, "a stream's number below an earlier one's")
            if not was_ours:
                raise ConnectionViolation(STREAM_CLOSED, "HEADERS on a closed stream")
            self._charge(1)
            return
        if stream.is_request_ended:
            raise StreamViolation(STREAM_CLOSED, "HEADERS after the end of the request")
        if not is_end:
            raise StreamViolation(PROTOCOL_ERROR, "trailers that do not end the request")
        check_trailers(fields)
        stream.end_request()
        self._audience.request_ended(stream)

    # The other frames

    def _receive_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id == 0:
            raise ConnectionViolation(PROTOCOL_ERROR, "DATA without a stream")
        frame_bytes = len(payload)
        self._receive_window -= frame_bytes
        if self._receive_window < CONNECTION_WINDOW // 2:
            self._widen_receive_window()
        is_end = flags & FLAG_END_STREAM != 0
        if flags & ~FLAG_END_STREAM:
            payload = strip_padding(flags, payload)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_not_idle(stream_id)
            if self.is_going_away or self._closed.get(stream_id, False):
                self._charge(1 if frame_bytes < CREDIT_DATA_BYTES else 0)
                return
            raise StreamViolation(STREAM_CLOSED, "DATA on a closed stream")
        stream.receive_data(frame_bytes, len(payload), is_end)
        if frame_bytes > len(payload):
            self.consume(stream, frame_bytes - len(payload))
        if payload:
            self._audience.body_received(stream, payload)
        elif not is_end:
            self._charge(1)
        if is_end and not stream.is_closed:
            self._audience.request_ended(stream)

    def _widen_receive_window(self) -> None:
        self._out.append(encode_window_update(0, CONNECTION_WINDOW - self._receive_window))
        self._receive_window = CONNECTION_WINDOW

    def _receive_settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ConnectionViolation(PROTOCOL_ERROR, "SETTINGS on a stream")
        self._charge(1)
        if flags & FLAG_ACK:
            if payload:
                raise ConnectionViolation(FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS with settings")
            if not self._has_settings:
                raise ConnectionViolation(PROTOCOL_ERROR, "SETTINGS come first")
            return
        if len(payload) % 6:
            raise ConnectionViolation(FRAME_SIZE_ERROR, "SETTINGS of a wrong length")
        self._has_settings = True
        self._charge(len(payload) // 60)
        for at in range(0, len(payload), 6):
            self._set(payload[at] << 8 | payload[at + 1], u32(payload, at + 2))
        # Before any data: until the client has read it, it holds us to the windows of before.
        self._out.append(SETTINGS_ACK)
        self._pump()

    def _set(self, setting: int, value: int) -> None:
        if setting == SETTINGS_INITIAL_WINDOW_SIZE:
            if value > WINDOW_MAX:
                raise ConnectionViolation(FLOW_CONTROL_ERROR, "an initial window past the largest")
            self._set_peer_stream_window(value)
        elif setting == SETTINGS_MAX_FRAME_SIZE:
            if not FRAME_BYTES_MAX <= value <= 16_777_215:
                raise ConnectionViolation(PROTOCOL_ERROR, "a frame size that may not be")
        elif setting == SETTINGS_HEADER_TABLE_SIZE:
            self._encoder.set_table_bytes_max(value)
        elif setting == SETTINGS_ENABLE_PUSH and value > 1:
            raise ConnectionViolation(PROTOCOL_ERROR, "push is on or off")

    def _set_peer_stream_window(self, window: int) -> None:
        change = window - self._peer_stream_window
        self._peer_stream_window = window
        if not change:
            return
        self._charge(len(self.streams) // 64)
        for stream in list(self.streams.values()):
            stream.send_window += change
            if stream.send_window > WINDOW_MAX:
                raise ConnectionViolation(FLOW_CONTROL_ERROR, "a stream's window past its largest")
            if stream.pending_bytes and stream.send_window > 0:
                self._ready[stream.stream_id] = stream

    def _receive_window_update(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionViolation(FRAME_SIZE_ERROR, "WINDOW_UPDATE of a wrong length")
        increment = u32(payload, 0) & 0x7FFFFFFF
        self._charge(1)
        if stream_id == 0:
            if not increment:
                raise ConnectionViolation(PROTOCOL_ERROR, "a window widened by nothing")
            self._send_window += increment
            if self._send_window > WINDOW_MAX:
                raise ConnectionViolation(FLOW_CONTROL_ERROR, "the connection's window past its largest")
        else:
            stream = self.streams.get(stream_id)
            if stream is None:
                self._check_not_idle(stream_id)
                return
            if not increment:
                raise StreamViolation(PROTOCOL_ERROR, "a window widened by nothing")
            stream.widen_send_window(increment)
            if stream.pending_bytes and stream.send_window > 0:
                self._ready[stream_id] = stream
        self._pump()

    def _receive_ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ConnectionViolation(PROTOCOL_ERROR, "PING on a stream")
        if len(payload) != 8:
            raise ConnectionViolation(FRAME_SIZE_ERROR, "PING of a wrong length")
        self._charge(1)
        if flags & FLAG_ACK:
            self.pong_count += 1
            return
        self._out.append(encode_ping(payload, True))
        self._audience.ping_received()

    def _receive_rst_stream(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionViolation(FRAME_SIZE_ERROR, "RST_STREAM of a wrong length")
        self._charge(RESET_COST)
        self._check_not_idle(stream_id)
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._forget(stream, False)
            self._audience.stream_reset(stream, u32(payload, 0))

    def _receive_priority(self, stream_id: int, payload: bytes) -> None:
        """Priorities are ignored, but have to be well-formed."""
        if stream_id == 0:
            raise ConnectionViolation(PROTOCOL_ERROR, "PRIORITY without a stream")
        self._charge(1)
        if len(payload) != 5:
            raise StreamViolation(FRAME_SIZE_ERROR, "PRIORITY of a wrong length")
        if u32(payload, 0) & 0x7FFFFFFF == stream_id:
            raise StreamViolation(PROTOCOL_ERROR, "a stream that depends on itself")

    def _check_not_idle(self, stream_id: int) -> None:
        if stream_id == 0 or stream_id > self.last_stream_id or stream_id & 1 == 0:
            raise ConnectionViolation(PROTOCOL_ERROR, "a frame on a stream that nobody opened")

    # Endings

    def _violated(self, stream_id: int, code: int, has_ended: bool) -> None:
        """A stream's violation: reset it, whether it was there or not. A client that has ended its request can't have
        more under way."""
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._forget(stream, not stream.is_request_ended)
        else:
            self._remember_closed(stream_id, not has_ended)
        self._out.append(encode_rst_stream(stream_id, code))
        if stream is not None:
            self._audience.stream_reset(stream, code)
        self._charge(RESET_COST)

    def _forget(self, stream: Stream, was_ours: bool) -> None:
        self.pending_bytes -= stream.pending_bytes
        stream.close()
        del self.streams[stream.stream_id]
        self._ready.pop(stream.stream_id, None)
        self._remember_closed(stream.stream_id, was_ours)

    def _remember_closed(self, stream_id: int, was_ours: bool) -> None:
        closed = self._closed
        closed[stream_id] = was_ours
        if len(closed) > CLOSED_REMEMBERED_MAX:
            del closed[next(iter(closed))]

    def reset(self, stream: Stream, code: int) -> None:
        """Ends a stream from our side. The audience is not told."""
        if not stream.is_closed:
            self._forget(stream, True)
            self._out.append(encode_rst_stream(stream.stream_id, code))

    def go_away(self, text: str = "") -> None:
        """Takes no more streams; those that are open go on."""
        if not self.is_going_away:
            self.is_going_away = True
            self._out.append(encode_goaway(self.last_stream_id, NO_ERROR, text.encode()))

    def break_off(self, code: int, text: str) -> None:
        """Ends the connection; the streams that are open are for the owner to end."""
        if not self.is_broken:
            self.is_broken = True
            self.broken_text = text
            self._rest = b""
            self._block = None
            self._out.append(encode_goaway(self.last_stream_id, code, text.encode()))

    def ping(self, opaque: bytes) -> None:
        self._out.append(encode_ping(opaque, False))

    def consume(self, stream: Stream, count: int) -> None:
        """The layer above has taken so many bytes of the stream's body: the client may send as many again."""
        if stream.is_request_ended:
            return
        stream.unacknowledged_bytes += count
        if stream.unacknowledged_bytes >= STREAM_WINDOW // 4:
            self._out.append(encode_window_update(stream.stream_id, stream.unacknowledged_bytes))
            stream.receive_window += stream.unacknowledged_bytes
            stream.unacknowledged_bytes = 0

    # Output

    def respond(self, stream: Stream, head: ResponseFields, body: bytes, trailers: ResponseFields) -> None:
        """A whole response, in one piece if the windows allow it."""
        size = len(body)
        if (
            stream.is_closed
            or self._is_held
            or size > self._send_window
            or size > stream.send_window
            or size > FRAME_BYTES_MAX
            or len(trailers.plain) > FRAME_BYTES_MAX
            or stream.has_sent_head
        ):
            self.send_head(stream, head, False)
            self.send_data(stream, body)
            self.send_trailers(stream, trailers)
            return
        self._send_window -= size
        number = stream.stream_id.to_bytes(4, "big")
        head_block = self._encoder.encode(head)
        trailer_block = self._encoder.encode(trailers)
        piece = b"".join(
            [
                encode_frame_start(HEADERS, FLAG_END_HEADERS, len(head_block)),
                number,
                head_block,
                encode_frame_start(DATA, 0, size),
                number,
                body,
                encode_frame_start(HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, len(trailer_block)),
                number,
                trailer_block,
            ]
        )
        self._out.append(piece)
        self._wrote(len(piece))
        self._ended(stream)

    def send_head(self, stream: Stream, head: ResponseFields, is_end: bool) -> None:
        """The response's head; with `is_end` it is all of it. Heads of 16 KiB and less only."""
        if stream.is_closed or stream.has_sent_head:
            return
        stream.has_sent_head = True
        self._write_block(stream, head, is_end)

    def send_data(self, stream: Stream, data: bytes) -> None:
        if stream.is_closed or not data:
            return
        size = len(data)
        if (
            stream.pending_bytes
            or self._is_held
            or size > self._send_window
            or size > stream.send_window
            or size > FRAME_BYTES_MAX
        ):
            stream.queue(data)
            self.pending_bytes += size
            if stream.send_window > 0:
                self._ready[stream.stream_id] = stream
                self._pump()
            is_much = stream.pending_bytes >= STREAM_PENDING_BYTES_HIGH
            if is_much or (stream.pending_bytes and self.pending_bytes >= CONNECTION_PENDING_BYTES_HIGH):
                stream.is_throttled = True
            return
        self._send_window -= size
        stream.send_window -= size
        self._write_data(stream, data, 0)

    def send_trailers(self, stream: Stream, trailers: ResponseFields) -> None:
        """The end of the response, behind all its data."""
        if stream.is_closed:
            return
        if stream.pending_bytes:
            stream.trailers = trailers
        else:
            self._write_block(stream, trailers, True)

    def send_end(self, stream: Stream) -> None:
        """The end of a response without trailers."""
        if stream.is_closed:
            return
        if stream.pending_bytes:
            stream.will_end = True
        else:
            self._out.append(encode_frame(DATA, FLAG_END_STREAM, stream.stream_id, b""))
            self._ended(stream)

    def take_bytes(self) -> bytes:
        """Everything to be written, once."""
        out = self._out
        if not out:
            return b""
        self._out = []
        self._out_bytes = 0
        return out[0] if len(out) == 1 else b"".join(out)

    def hold_output(self) -> None:
        """The socket is full: data waits in its streams until `resume_output`."""
        self._is_held = True

    def resume_output(self) -> None:
        self._is_held = self._out_bytes >= OUTPUT_STEP_BYTES
        if self._ready:
            self._pump()
        if self._drained:
            self._tell_drained()

    def _write_block(self, stream: Stream, fields: ResponseFields, is_end: bool) -> None:
        """A block past the largest frame goes on in CONTINUATION frames, in one piece with its HEADERS."""
        block = self._encoder.encode(fields)
        flags = FLAG_END_STREAM if is_end else 0
        kind = HEADERS
        at = 0
        while True:
            part = block[at : at + FRAME_BYTES_MAX]
            at += len(part)
            if at >= len(block):
                flags |= FLAG_END_HEADERS
            self._out.append(encode_frame(kind, flags, stream.stream_id, part))
            if at >= len(block):
                break
            kind, flags = CONTINUATION, 0
        self._wrote(len(block))
        if is_end:
            self._ended(stream)

    def _write_data(self, stream: Stream, data: bytes, flags: int) -> None:
        # Two pieces: what is joined once when it is taken need not be joined here.
        self._out.append(encode_frame_start(DATA, flags, len(data)) + stream.stream_id.to_bytes(4, "big"))
        self._out.append(data)
        self._wrote(len(data))
        if len(data) >= CREDIT_DATA_BYTES:
            self._earn()

    def _wrote(self, count: int) -> None:
        self._out_bytes += count
        self.has_answered = True
        if self._out_bytes >= OUTPUT_STEP_BYTES:
            self._is_held = True

    def _earn(self) -> None:
        if self._credit < CREDIT_MAX:
            self._credit += CREDIT_PER_RESPONSE

    def _ended(self, stream: Stream) -> None:
        """Our END_STREAM is out. A client that still sends is told to stop (RFC 9113 §8.1)."""
        self._earn()
        if stream.is_request_ended:
            self._forget(stream, False)
        else:
            self.reset(stream, NO_ERROR)

    def _pump(self) -> None:
        """One frame of each ready stream in turn, while there is a window and the socket takes it."""
        ready = self._ready
        while ready and self._send_window > 0 and not self._is_held:
            stream_id = next(iter(ready))
            stream = ready.pop(stream_id)
            count = min(stream.pending_bytes, FRAME_BYTES_MAX, self._send_window, stream.send_window)
            if count <= 0:
                continue
            self._send_window -= count
            self.pending_bytes -= count
            data = stream.take_pending(count)
            if stream.pending_bytes:
                self._write_data(stream, data, 0)
                if stream.send_window > 0:
                    ready[stream_id] = stream
            else:
                self._write_last(stream, data)
            if stream.is_throttled and stream.pending_bytes < STREAM_PENDING_BYTES_HIGH // 2:
                stream.is_throttled = False
                if not stream.is_closed:
                    self._drained.append(stream)

    def _write_last(self, stream: Stream, data: bytes) -> None:
        """Nothing pends behind this data but, it may be, the end."""
        self._write_data(stream, data, FLAG_END_STREAM if stream.will_end else 0)
        if stream.trailers is not None:
            self._write_block(stream, stream.trailers, True)
        elif stream.will_end:
            self._ended(stream)

    def _tell_drained(self) -> None:
        drained = self._drained
        self._drained = []
        for stream in drained:
            if not stream.is_closed and not stream.is_throttled:
                self._audience.stream_writable(stream)

    def check_invariants(self) -> None:
        assert self.pending_bytes == sum([stream.pending_bytes for stream in self.streams.values()])
        assert len(self.streams) <= self._streams_max and len(self._closed) <= CLOSED_REMEMBERED_MAX  # I3
        assert self._send_window >= 0 and 0 <= self._receive_window <= CONNECTION_WINDOW  # I2
        for stream_id, stream in self.streams.items():
            assert stream_id <= self.last_stream_id and not stream.is_closed
            assert stream.pending_bytes == 0 or stream.send_window <= 0 or stream_id in self._ready
