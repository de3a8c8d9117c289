"""Fills a ZooKeeper-protocol server with nodes, many creates outstanding, frames built here."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO

_ACL = struct.pack(">ii", 1, 31) + b"".join(struct.pack(">i", len(word)) + word for word in (b"world", b"anyone"))
_FAN = 1000
"""Nodes under one parent."""


def load_nodes(host: str, port: int, count: int, size: int, window: int = 1000) -> None:
    """Creates `count` nodes of `size` bytes. Raises AssertionError at the first refusal."""
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile("rb")
        connection.sendall(struct.pack(">iiqiqi", 44, 0, 0, 30_000, 0, 16) + bytes(16))
        (length,) = struct.unpack(">i", stream.read(4))
        stream.read(length)
        data = b"x" * size
        frames: list[bytes] = []
        sent = answered = 0
        for index in range(count):
            if index % _FAN == 0:
                frames.append(_create(f"/load{index // _FAN}", b""))
            frames.append(_create(f"/load{index // _FAN}/node-{index:08d}", data))
            if len(frames) >= window:
                connection.sendall(b"".join(frames))
                sent += len(frames)
                frames.clear()
                while sent - answered > window:
                    _expect_created(stream)
                    answered += 1
        connection.sendall(b"".join(frames))
        sent += len(frames)
        while answered < sent:
            _expect_created(stream)
            answered += 1


def _create(path: str, data: bytes) -> bytes:
    name = path.encode()
    body = struct.pack(">iii", 1, 1, len(name)) + name + struct.pack(">i", len(data)) + data + _ACL + bytes(4)
    return struct.pack(">i", len(body)) + body


def _expect_created(stream: BinaryIO) -> None:
    (length,) = struct.unpack(">i", stream.read(4))
    reply = stream.read(length)
    (code,) = struct.unpack_from(">i", reply, 12)
    assert code == 0, f"create refused with {code}"
