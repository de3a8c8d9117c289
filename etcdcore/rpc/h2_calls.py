"""A gRPC call on a stream of our own HTTP/2 connection, and what carries it.

Invariants: a call that is done has no timer, no reader and is not its stream's user any more, so nothing that refers to
each other outlives a call (a cycle a call would keep the garbage collector busy).
"""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.errors import CANCELED, OK
from etcdcore.http2.connection import Connection, ConnectionAudience
from etcdcore.http2.header_encoder import ResponseFields
from etcdcore.http2.stream import Stream
from etcdcore.rpc.calls import Call, MethodTable
from etcdcore.rpc.grpc_messages import MessageReader, encode_message, encode_status_text
from etcdcore.rpc.request_plan import TRAILERS_OK, RequestPlan


@mypyc_attr(allow_interpreted_subclasses=True)
class CallHost(ConnectionAudience):
    """The connection of a call."""

    __slots__ = ("table",)

    def __init__(self, table: MethodTable) -> None:
        self.table: Final = table

    @abstractmethod
    def flush_soon(self) -> None:
        """Something waits to be written."""

    @abstractmethod
    def call_ended(self, call: "H2Call", code: int) -> None:
        """However it did."""


@final
class H2Call(Call):
    """One RPC on one stream."""

    __slots__ = (
        "_connection",
        "_host",
        "began_s",
        "is_begun",
        "kept_bytes",
        "message",
        "plan",
        "reader",
        "started_s",
        "stream",
        "timer",
        "untaken_bytes",
    )

    def __init__(
        self,
        host: CallHost,
        connection: Connection,
        stream: Stream,
        plan: RequestPlan,
        metadata: Mapping[str, str],
        peer: str,
        common_name: str,
    ) -> None:
        super().__init__(metadata, peer, common_name)
        self._host: Final = host
        self._connection: Final = connection
        self.stream: Final = stream
        self.plan: Final = plan
        self.reader: MessageReader | None = None
        """Only once a message did not come alone and whole in a DATA frame."""
        self.message: bytes | None = None
        """A unary call's request, until it is handed to its method."""
        self.began_s = 0.0
        """When it was complete, by the monotonic clock."""
        self.is_begun = False
        """A unary call's request is complete."""
        self.kept_bytes = 0
        """Of reader and message."""
        self.untaken_bytes = 0
        """Received while the client does not read: given back to its window when it does."""
        self.timer: asyncio.TimerHandle | None = None
        self.started_s = 0.0
        """By the loop's clock, if the table times its calls."""

    def send(self, message: bytes) -> None:
        if self.is_done:
            return
        stream = self.stream
        if not stream.has_sent_head:
            self._connection.send_head(stream, self.plan.head, False)
        self._connection.send_data(stream, encode_message(message))
        self._host.table.sent_bytes += len(message)
        method = self.plan.stream_method
        if method is not None:
            method.sent_count += 1
        self.is_writable = not stream.is_throttled
        self._host.flush_soon()

    def reply(self, message: bytes) -> None:
        if self.is_done:
            return
        self.is_done = True
        self._connection.respond(self.stream, self.plan.head, encode_message(message), TRAILERS_OK)
        self._host.table.sent_bytes += len(message)
        self._host.call_ended(self, OK)

    def finish(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        self._connection.send_head(self.stream, self.plan.head, False)
        self._connection.send_trailers(self.stream, TRAILERS_OK)
        self._host.call_ended(self, OK)

    def fail(self, code: int, text: str) -> None:
        if self.is_done:
            return
        self.is_done = True
        status = [(b"grpc-status", b"%d" % code), (b"grpc-message", encode_status_text(text))]
        if self.stream.has_sent_head:
            self._connection.send_trailers(self.stream, ResponseFields(status))
        else:
            fields = [*self.plan.head.fields, (b"grpc-accept-encoding", b"gzip,identity"), *status]
            self._connection.send_head(self.stream, ResponseFields(fields), True)
        self._host.call_ended(self, code)

    def cancel(self) -> None:
        """The stream is gone: nothing can be sent."""
        if self.is_done:
            return
        self.is_done = True
        listener = self.listener
        self._host.call_ended(self, CANCELED)
        if listener is not None:
            listener.call_cancelled()
