"""One client connection: the socket on one side, the dispatcher on the other.

An asyncio Protocol and not a task with streams: at 300,000 requests a second a wake-up for each read would cost more
than the request. Each thing still has one owner: the stream owns unfinished bytes, `pipeline` the requests that
can't be answered yet, `output` the bytes that leave with the next flush.

Invariants:
1. Nothing reaches the socket but through `output`, in order: an event put there before a reply leaves before it.
2. A client that does not read its answers is not read either; one that lets OUTPUT_BYTES_MAX of events pile up is cut.
3. What a client sends can end its own connection, never anything else: `data_received` lets no error of decoding out.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final, cast, final

import structlog
from mypy_extensions import mypyc_attr

from zkbridge.errors import ProtocolError
from zkbridge.plan.plan import PlanContext
from zkbridge.protocol.connection import ClientStream
from zkbridge.server.pipeline import Intake, Pipeline
from zkbridge.server.statistics import ResponseSizes
from zkbridge.sessions.expiry import Session, SessionHolder
from zkbridge.tree.acl import Credentials
from zkbridge.types import hex_of
from zkbridge.watches.table import Watcher

_log = structlog.get_logger()

OUTPUT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Unsent bytes past which a connection is cut: its client has stopped reading while its watches fire."""

OUTPUT_STEP_BYTES: Final = 256 * 1024
"""Answers made for one client in one go. A few bytes of request can ask for a megabyte: past this the socket is asked
whether the peer takes them at all (I2), and the other clients have their turn."""

LINGER_S: Final = 1.0
"""How long a client that was refused is still read, and not heard."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ClientAudience(ABC):
    """What a connection tells the server."""

    @abstractmethod
    def client_connected(self, client: Client) -> None: ...

    @abstractmethod
    def frames_received(self, client: Client, frames: list[bytes]) -> None: ...

    @abstractmethod
    def session_established(self, client: Client) -> None: ...

    @abstractmethod
    def four_letter_word_received(self, client: Client, word: str, mask: bytes) -> None: ...

    @abstractmethod
    def flush_dirty(self) -> None: ...

    @abstractmethod
    def client_writable(self, client: Client) -> None: ...

    @abstractmethod
    def client_disconnected(self, client: Client) -> None: ...


NO_OPCODE: Final = 0
"""Of a connection that has asked nothing yet; as a request's it is unknown."""


@final
class Client(Watcher, SessionHolder):
    """State of one connection. Everything runs on the event loop, which takes it for an `asyncio.Protocol` by its
    methods: the compiler allows no base of Python's own."""

    __slots__ = (
        "_audience",
        "_dirty",
        "_is_greeted",
        "_is_throttled",
        "_is_turn_over",
        "_response_sizes",
        "_stream",
        "connected_ms",
        "context",
        "early_frames",
        "is_closing",
        "is_connecting",
        "is_draining",
        "is_leaving",
        "is_peer_full",
        "last_latency_ms",
        "last_opcode",
        "last_response_ms",
        "last_xid",
        "last_zxid",
        "latency_max_ms",
        "latency_total_ms",
        "output",
        "peer_host",
        "peer_port",
        "pipeline",
        "received_bytes",
        "received_count",
        "sent_count",
        "session",
        "session_id",
        "transport",
        "unplanned_count",
    )

    def __init__(
        self,
        audience: ClientAudience,
        dirty: list[Client],
        frame_bytes_max: int,
        intake: Intake,
        response_sizes: ResponseSizes,
    ) -> None:
        self._audience: Final = audience
        self._dirty: Final = dirty
        self._stream: Final = ClientStream(frame_bytes_max)
        self._response_sizes: Final = response_sizes
        self._is_greeted = False
        self.is_peer_full = False
        self._is_throttled = False
        self._is_turn_over = False
        self.transport: asyncio.Transport | None = None
        self.output: list[bytes] = []
        self.pipeline: Final = Pipeline(intake)
        self.session_id = 0
        self.credentials = Credentials()
        self.session: Session | None = None
        self.context: PlanContext | None = None
        self.early_frames: list[bytes] = []
        self.unplanned_count = 0
        self.is_connecting = False
        self.is_draining = False
        self.is_leaving = False
        self.is_closing = False
        self.peer_host = ""
        self.peer_port = 0
        self.connected_ms = 0
        self.received_bytes = 0
        self.received_count = 0
        self.sent_count = 0
        self.last_opcode = NO_OPCODE
        self.last_xid = -1
        self.last_zxid = -1
        self.last_response_ms = 0
        self.last_latency_ms = 0
        self.latency_max_ms = 0
        self.latency_total_ms = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # a stream server hands out nothing else
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer_host, self.peer_port = str(peer[0]), int(peer[1])
        self._audience.client_connected(self)

    def data_received(self, data: bytes) -> None:
        if self.is_closing:
            return
        stream = self._stream
        self.received_bytes += len(data)
        try:
            frames = stream.receive_bytes(data)
            while frames:
                self.received_count += len(frames)
                self._audience.frames_received(self, frames)
                # Only a bad length behind good frames makes a second look worth while.
                frames = stream.take_frames() if stream.buffered_size() >= 4 else []
            if stream.four_letter_word is not None:
                self._audience.four_letter_word_received(self, stream.four_letter_word, stream.mask)
        except ProtocolError as error:
            self._end_violated(error)
            return
        if self._dirty:
            self._audience.flush_dirty()
        if self.output:
            self.flush()
        if self.pipeline.has_to_wait():
            self.throttle()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closing = True
        self.pipeline.clear()
        self.output.clear()
        self._audience.client_disconnected(self)

    def pause_writing(self) -> None:
        self._is_turn_over = False
        self.is_peer_full = True
        self.throttle()

    def resume_writing(self) -> None:
        self.is_peer_full = False
        self._audience.client_writable(self)

    def end_turn(self) -> None:
        """OUTPUT_STEP_BYTES of answers were made in one go: they leave, and the other clients come first."""
        self.flush()
        if not self.is_peer_full and not self.is_closing:
            self.is_peer_full = True
            self._is_turn_over = True
            asyncio.get_running_loop().call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        if self._is_turn_over:  # else the socket has filled up meanwhile, and will say when it takes more
            self._is_turn_over = False
            self.resume_writing()

    def established(self) -> None:
        """The session exists: what came behind the handshake may go on."""
        self._audience.session_established(self)
        frames, self.early_frames = self.early_frames, []
        self.resume_if_drained()
        if frames:
            # The caller is the feed of the store, which no client's bytes may end (I3).
            try:
                self._audience.frames_received(self, frames)
            except ProtocolError as error:
                self._end_violated(error)

    def _end_violated(self, error: ProtocolError) -> None:
        _log.info("client_protocol_violated", peer=self.peer, session_id=hex_of(self.session_id), reason=str(error))
        self.close()

    # Output

    def notify(self, frame: bytes) -> None:
        """Queues an event; it leaves with the next flush (I1)."""
        output = self.output
        if not output:
            self._dirty.append(self)
        output.append(frame)

    def reply(self, frame: bytes) -> None:
        """Queues a reply that is made outside `data_received`."""
        output = self.output
        if not output:
            self._dirty.append(self)
        output.append(frame)

    def flush(self) -> None:
        """Hands what is queued to the socket in one write."""
        output = self.output
        transport = self.transport
        if not output or transport is None:
            return
        if self.is_closing or transport.is_closing():
            output.clear()
            return
        self.sent_count += len(output)
        if self._is_greeted:
            self._response_sizes.note_frames(output)
        elif self.session is not None:
            # Replies and events count, not the answer to the handshake nor a four-letter word's, as in ZooKeeper.
            self._is_greeted = True
            self._response_sizes.note_frames(output[1:])
        data = output[0] if len(output) == 1 else b"".join(output)
        transport.write(data)
        output.clear()
        if self.is_peer_full and transport.get_write_buffer_size() > OUTPUT_BYTES_MAX:
            _log.warning("client_output_overflowed", peer=self.peer, session_id=hex_of(self.session_id))
            self.abort()

    # Flow and end

    def throttle(self) -> None:
        if not self._is_throttled and self.transport is not None and not self.transport.is_closing():
            self._is_throttled = True
            self.transport.pause_reading()

    def resume_if_drained(self) -> None:
        """Reads on once answers have gone out and the peer takes them (I2)."""
        if (
            self._is_throttled
            and not self.is_peer_full
            and self.pipeline.may_go_on()
            and self.transport is not None
            and not self.transport.is_closing()
        ):
            self._is_throttled = False
            self.transport.resume_reading()

    def close(self) -> None:
        """Sends what is queued, then ends the connection."""
        if self.is_closing:
            return
        self._end_output()
        if self.transport is not None:
            self.transport.close()

    def _end_output(self) -> None:
        self.flush()
        self.is_closing = True
        self.pipeline.clear()

    def close_refused(self) -> None:
        """As `close`, of a client that may not know yet and goes on sending: what meets a closed socket is answered
        with a reset, over which Java's client, writing between the two reads of a frame, loses the answer."""
        transport = self.transport
        if self.is_closing or transport is None or transport.is_closing() or not transport.can_write_eof():
            self.close()
            return
        self._end_output()
        try:
            transport.write_eof()
        except OSError:  # asyncio's own loop, of a client that is gone; uvloop's leaves it to connection_lost
            transport.abort()
            return
        if self._is_throttled:
            self._is_throttled = False
            transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER_S, transport.close)

    def abort(self) -> None:
        """Ends the connection at once and silently; what is queued is lost."""
        self.is_closing = True
        self.pipeline.clear()
        self.output.clear()
        if self.transport is not None:
            self.transport.abort()

    @property
    def is_reading(self) -> bool:
        """False while the socket is not read (I2)."""
        return not self._is_throttled

    @property
    def peer(self) -> str:
        return f"{self.peer_host}:{self.peer_port}"

    def note_latency(self, latency_ms: int) -> None:
        """Counts one answered request for `cons` and `stat`."""
        self.last_latency_ms = latency_ms
        self.latency_total_ms += latency_ms
        if latency_ms > self.latency_max_ms:
            self.latency_max_ms = latency_ms

    def reset_counts(self) -> None:
        """`crst`."""
        self.received_count = 0
        self.sent_count = 0
        self.last_opcode = NO_OPCODE
        self.last_xid = -1
        self.last_zxid = -1
        self.last_response_ms = 0
        self.last_latency_ms = 0
        self.latency_max_ms = 0
        self.latency_total_ms = 0
