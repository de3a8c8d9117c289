"""One request and its response: state, windows, and what waits to be sent.

State moves (RFC 9113 §5.1, the part a server without push can see); `reserved` and `half-closed (local)` do not occur,
since a server that has ended its response resets what is left of the request (§8.1):

    from                 input                        to
    OPEN                 client ends its request      HALF_CLOSED_REMOTE
    OPEN                 response ends (+ RST_STREAM) CLOSED
    HALF_CLOSED_REMOTE   response ends                CLOSED
    any                  RST_STREAM of either side    CLOSED
"""

from collections import deque
from enum import Enum
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.http2.codes import (
    FLOW_CONTROL_ERROR,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
    WINDOW_MAX,
    StreamViolation,
)
from etcdcore.http2.header_encoder import ResponseFields

STREAM_WINDOW: Final = 4 << 20
"""What a client may send on a stream before we have taken any of it: the largest request and more, so that none waits
for a window."""


class StreamState(Enum):
    OPEN = "open"
    HALF_CLOSED_REMOTE = "half-closed (remote)"
    CLOSED = "closed"


_OPEN: Final = StreamState.OPEN
_HALF_CLOSED_REMOTE: Final = StreamState.HALF_CLOSED_REMOTE
_CLOSED: Final = StreamState.CLOSED


@final
@mypyc_attr(native_class=True)
class Stream:
    """Owned by its connection; the layer above reads it and sets `user`."""

    __slots__ = (
        "body_bytes_left",
        "has_sent_head",
        "is_throttled",
        "pending",
        "pending_bytes",
        "pending_offset",
        "receive_window",
        "send_window",
        "state",
        "stream_id",
        "trailers",
        "unacknowledged_bytes",
        "user",
        "will_end",
    )

    def __init__(self, stream_id: int, send_window: int, content_length: int) -> None:
        self.stream_id: Final = stream_id
        self.state = _OPEN
        self.user: object | None = None
        """The layer above's own record of this stream."""
        self.send_window = send_window
        """Below zero after a client has made its initial window smaller."""
        self.receive_window = STREAM_WINDOW
        self.unacknowledged_bytes = 0
        """Taken by the layer above, not given back to the client's window yet."""
        self.body_bytes_left = content_length
        """Of a content-length; -1: none was said."""
        self.has_sent_head = False
        self.pending: deque[bytes] | None = None
        """Data that waits for a window or for the socket."""
        self.pending_offset = 0
        """Of the first piece, already sent."""
        self.pending_bytes = 0
        self.trailers: ResponseFields | None = None
        """To be sent behind the pending data..."""
        self.will_end = False
        """...or, without trailers, the end is."""
        self.is_throttled = False
        """The layer above has been told to hold back."""

    @property
    def is_closed(self) -> bool:
        return self.state is _CLOSED

    @property
    def is_request_ended(self) -> bool:
        return self.state is not _OPEN

    def receive_data(self, frame_bytes: int, data_bytes: int, is_end: bool) -> None:
        """A DATA frame, with and without its padding. Raises StreamViolation."""
        if self.state is not _OPEN:
            raise StreamViolation(STREAM_CLOSED, "DATA after the end of the request")
        self.receive_window -= frame_bytes
        if self.receive_window < 0:
            raise StreamViolation(FLOW_CONTROL_ERROR, "DATA past the stream's window")
        if self.body_bytes_left >= 0:
            self.body_bytes_left -= data_bytes
            if self.body_bytes_left < 0:
                raise StreamViolation(PROTOCOL_ERROR, "a body longer than its content-length")
        if is_end:
            self.end_request()

    def end_request(self) -> None:
        """Raises StreamViolation."""
        if self.state is not _OPEN:
            raise StreamViolation(STREAM_CLOSED, "the request had ended")
        if self.body_bytes_left > 0:
            raise StreamViolation(PROTOCOL_ERROR, "a body shorter than its content-length")
        self.state = _HALF_CLOSED_REMOTE

    def close(self) -> None:
        self.state = _CLOSED
        self.pending = None
        self.pending_bytes = 0

    def widen_send_window(self, increment: int) -> None:
        """Raises StreamViolation past the largest window."""
        self.send_window += increment
        if self.send_window > WINDOW_MAX:
            raise StreamViolation(FLOW_CONTROL_ERROR, "a stream's window past its largest")

    def queue(self, data: bytes) -> None:
        if self.pending is None:
            self.pending = deque()
        self.pending.append(data)
        self.pending_bytes += len(data)

    def take_pending(self, count: int) -> bytes:
        """The next `count` bytes, all of them pending."""
        pending = self.pending
        assert pending is not None and count <= self.pending_bytes
        pieces: list[bytes] = []
        left = count
        while left > 0:
            first = pending[0]
            start = self.pending_offset
            rest = len(first) - start
            if rest <= left:
                pending.popleft()
                self.pending_offset = 0
                pieces.append(first[start:] if start else first)
                left -= rest
            else:
                pieces.append(first[start : start + left])
                self.pending_offset = start + left
                left = 0
        self.pending_bytes -= count
        self.send_window -= count
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
