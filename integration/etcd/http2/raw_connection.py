"""A socket that speaks HTTP/2 frames, right or wrong."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Final, Self

from hpack import Encoder

from etcdcore.http2.codes import FLAG_END_HEADERS, FLAG_END_STREAM, GOAWAY, HEADERS, PREFACE
from etcdcore.http2.frames import encode_frame, encode_settings

TIMEOUT_S: Final = 20.0

Frame = tuple[int, int, int, bytes]


class RawConnection:
    """Greeted with `settings`, unless told otherwise."""

    def __init__(self, port: int, greets: bool = True, settings: tuple[tuple[int, int], ...] = ()) -> None:
        self.socket: Final = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._encoder: Final = Encoder()
        self._received = b""
        if greets:
            self.send(PREFACE + encode_settings(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def encode_fields(self, fields: list[tuple[str, str]]) -> bytes:
        """A header block. The blocks have to be sent in the order they were made."""
        return self._encoder.encode(fields)

    def call_head(self, stream_id: int, method: str, *more: tuple[str, str], is_end: bool = False) -> bytes:
        """The HEADERS frame of a gRPC call. The blocks have to be sent in the order they were made."""
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"/test.Echo/{method}"),
            (":authority", "here"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *more,
        ]
        flags = FLAG_END_HEADERS | (FLAG_END_STREAM if is_end else 0)
        return encode_frame(HEADERS, flags, stream_id, self.encode_fields(fields))

    def call(self, stream_id: int, method: str, message: bytes = b"") -> bytes:
        """A whole unary call."""
        body = len(message).to_bytes(5, "big") + message
        return self.call_head(stream_id, method) + encode_frame(0, FLAG_END_STREAM, stream_id, body)

    def receive(self) -> Frame | None:
        """The next frame; None at the connection's end."""
        while len(self._received) < 9 or len(self._received) < 9 + int.from_bytes(self._received[:3], "big"):
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._received += data
        length = int.from_bytes(self._received[:3], "big")
        frame = self._received[: 9 + length]
        self._received = self._received[9 + length :]
        return frame[3], frame[4], int.from_bytes(frame[5:9], "big"), frame[9:]

    def wait_for(self, kind: int, stream_id: int | None = None) -> Frame:
        """The next frame of a kind."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            frame = self.receive()
            assert frame is not None, f"closed before a frame of kind {kind}"
            if frame[0] == kind and stream_id in (None, frame[2]):
                return frame
            assert time.monotonic() < deadline, f"no frame of kind {kind}"

    def wait_for_end(self) -> tuple[int, str] | None:
        """Error code and text of the GOAWAY before the end, if there was one."""
        said = None
        while (frame := self.receive()) is not None:
            if frame[0] == GOAWAY:
                said = int.from_bytes(frame[3][4:8], "big"), frame[3][8:].decode()
        return said
