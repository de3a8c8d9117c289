"""A byte stream cut into frames: `frame: length i32 BE (excludes itself) | body`.

Invariants:
1. No byte is copied more than a bounded number of times, however small the pieces in which a frame arrives.
2. What is held is at most one incomplete frame and what `receive_bytes` was given since the last take.
3. A refused length stays where it is: every later take meets it again, since the stream has lost its place.
"""

from typing import Final, final

from zkbridge.jute.wire import JuteError, layout, read_int

FRAME_BYTES_MAX_DEFAULT: Final = 0xFFFFF
"""ZooKeeper's `jute.maxbuffer`: the longest body a server takes, this very length included."""

_LENGTH_SIZE: Final = 4
_PACK_LENGTH: Final = layout("i").pack


@final
class FrameSplitter:
    """Bytes in, bodies out. Raises JuteError at a length that is negative or above the maximum, and ever after."""

    __slots__ = ("_buffer", "_frame_bytes_max", "_late", "_position", "_wanted")

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX_DEFAULT) -> None:
        self._frame_bytes_max: Final = frame_bytes_max
        self._buffer = b""
        self._position = 0
        # Bytes that came behind an incomplete frame wait here until it is complete (I1).
        self._late: Final = bytearray()
        self._wanted = _LENGTH_SIZE

    def receive_bytes(self, data: bytes) -> None:
        if not self._late and self._position == len(self._buffer):
            self._buffer = data
            self._position = 0
            return
        self._late.extend(data)

    def buffered_size(self) -> int:
        """How many bytes are held."""
        return len(self._buffer) - self._position + len(self._late)

    def peek(self, size: int) -> bytes:
        """The next bytes of the stream, fewer if fewer came; they stay. A four-letter word is seen with it."""
        if len(self._buffer) - self._position < size and self._late:
            self._join()
        return self._buffer[self._position : self._position + size]

    def take_frames(self) -> list[bytes]:
        """The bodies of all complete frames. A bad length is raised by the call that meets it first, so that the frames
        before it are not lost: call again until the list is empty.
        """
        frames: list[bytes] = []
        if self._late:
            if self.buffered_size() < self._wanted:
                return frames
            self._join()
        data = self._buffer
        position = self._position
        size = len(data)
        wanted = _LENGTH_SIZE
        while size - position >= _LENGTH_SIZE:
            length = read_int(data, position)
            if length < 0 or length > self._frame_bytes_max:
                if frames:
                    break
                raise JuteError(f"frame length {length}, expected 0 to {self._frame_bytes_max}")
            end = position + _LENGTH_SIZE + length
            if end > size:
                wanted = end - position
                break
            frames.append(data[position + _LENGTH_SIZE : end])
            position = end
        self._position = position
        self._wanted = wanted
        return frames

    def _join(self) -> None:
        self._buffer = self._buffer[self._position :] + self._late
        self._position = 0
        self._late.clear()
        self._wanted = _LENGTH_SIZE


def encode_frame(body: bytes) -> bytes:
    """The body behind its length."""
    return _PACK_LENGTH(len(body)) + body
