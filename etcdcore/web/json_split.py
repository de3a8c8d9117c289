"""Cuts a stream of bytes into the JSON objects in it, for requests that are streams of messages.

Objects follow each other with white space between them or nothing; they arrive in pieces of any size. What is inside an
object is not checked here but for its brackets and strings.
"""

import re
from typing import Final, final

from etcdcore.web.json_read import JsonError

_SPACE: Final = b" \t\r\n"
_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_INSIDE_STRING: Final = re.compile(rb'["\\]')


@final
class JsonSplitter:
    """`receive_bytes` returns the objects that are complete. `failure` says what behind them is no object, or too long:
    from then on nothing is returned any more.
    """

    __slots__ = ("_buffer", "_bytes_max", "_depth", "_in_string", "_position", "failure")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max: Final = bytes_max
        self._buffer = bytearray()
        self.failure: JsonError | None = None
        self._position = 0
        """Of the buffer, what is scanned."""
        self._depth = 0
        self._in_string = False

    def receive_bytes(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        if self.failure is not None:
            return found
        self._buffer += data
        while (message := self._next()) is not None:
            found.append(message)
        if len(self._buffer) > self._bytes_max:
            self.failure = JsonError(f"a message is longer than {self._bytes_max} bytes")
        return found

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if not self._depth:
            start = len(buffer) - len(buffer.lstrip(_SPACE))
            del buffer[:start]
            if not buffer:
                return None
            if buffer[:1] != b"{":
                self.failure = JsonError(f"expected an object, got {bytes(buffer[:1])!r}")
                return None
            self._position = 0
        while True:
            match = (_INSIDE_STRING if self._in_string else _OUTSIDE).search(buffer, self._position)
            if match is None:
                self._position = len(buffer)
                return None
            sign = match.group()
            self._position = match.end()
            if sign == b'"':
                self._in_string = not self._in_string
            elif sign == b"\\":
                if self._position == len(buffer):
                    # What it escapes is not here yet: this sign is looked at again.
                    self._position -= 1
                    return None
                self._position += 1
            elif sign in b"{[":
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    message = bytes(buffer[: self._position])
                    del buffer[: self._position]
                    self._position = 0
                    return message
