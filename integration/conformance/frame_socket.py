"""A blocking socket that sends any bytes and reads whole frames; a close is told from a silence."""

from __future__ import annotations

import socket

REPLY_TIMEOUT_S = 20.0


class Closed(Exception):
    """The server has closed the connection."""


class FrameSocket:
    """One TCP connection to the client port. `received` is what came and is not read yet."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(REPLY_TIMEOUT_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()

    def send_bytes(self, data: bytes) -> None:
        """Write; that the server has closed shows when reading."""
        try:
            self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            return

    def fill(self) -> None:
        """Read what comes next. Raises Closed and TimeoutError."""
        try:
            piece = self.socket.recv(1 << 18)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise Closed
        self.received += piece

    def read_frame(self) -> bytes:
        """The body of the next frame. Raises Closed, and TimeoutError after a long silence."""
        while True:
            if len(self.received) >= 4:
                size = int.from_bytes(self.received[:4], "big", signed=True)
                if len(self.received) >= 4 + size:
                    body = bytes(self.received[4 : 4 + size])
                    del self.received[: 4 + size]
                    return body
            self.fill()

    def drop(self) -> None:
        """Close our side of the socket; a session lives on."""
        self.socket.close()
