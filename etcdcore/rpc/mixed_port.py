"""A listening socket that takes connections with and without TLS, told apart by the first byte, as etcd's cmux does.

A TLS client speaks first, and its first byte is 0x16; no byte of HTTP is. The byte is looked at and left in the socket,
so that whoever gets the connection reads all of it.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Final, final

import structlog

_log = structlog.get_logger()

TLS_HANDSHAKE: Final = b"\x16"
ACCEPTS_MAX: Final = 100
"""Connections taken in one turn of the loop."""
REST_S: Final = 1.0
"""After the process ran out of files or memory, so long until connections are taken again."""
_NO_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@final
class MixedPort:
    """From `start` to `close`. Tasks of the group do the handshakes."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        listening: socket.socket,
        tls: ssl.SSLContext,
        new_plain: Callable[[], asyncio.Protocol],
        new_secure: Callable[[], asyncio.Protocol],
        patience_s: float,
    ) -> None:
        self._group: Final = group
        self._listening: Final = listening
        self._tls: Final = tls
        self._new_plain: Final = new_plain
        self._new_secure: Final = new_secure
        self._patience_s: Final = patience_s
        """Who has said nothing for so long is cut."""
        self._loop: Final = asyncio.get_running_loop()
        self._silent: Final[dict[socket.socket, asyncio.TimerHandle]] = {}
        self._handshakes: Final[set[asyncio.Task[None]]] = set()
        self._is_closed = False

    def start(self) -> None:
        self._listening.setblocking(False)
        self._loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """No more connections; those that are not known yet are cut."""
        self._is_closed = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for connection in list(self._silent):
            self._forget(connection)
            connection.close()
        for handshake in self._handshakes:
            handshake.cancel()

    def _accept(self) -> None:
        for _ in range(ACCEPTS_MAX):
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_RESOURCES:
                    raise
                _log.warning("accept_failed", reason=error.strerror, again_s=REST_S)
                self._loop.remove_reader(self._listening)
                self._loop.call_later(REST_S, self._accept_again)
                return
            connection.setblocking(False)
            self._silent[connection] = self._loop.call_later(self._patience_s, self._cut, connection)
            self._loop.add_reader(connection, self._first_byte_came, connection)

    def _accept_again(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listening, self._accept)

    def _first_byte_came(self, connection: socket.socket) -> None:
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        if not first:
            self._cut(connection)
            return
        self._forget(connection)
        task = self._group.create_task(self._hand_over(connection, first == TLS_HANDSHAKE), name="connection accepted")
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _hand_over(self, connection: socket.socket, is_secure: bool) -> None:
        new_protocol = self._new_secure if is_secure else self._new_plain
        try:
            await self._loop.connect_accepted_socket(new_protocol, connection, ssl=self._tls if is_secure else None)
        except OSError as error:
            # A failed handshake (ssl.SSLError is an OSError) is the client's affair; its transport is closed by now.
            _log.debug("handshake_failed", reason=str(error))
            connection.close()

    def _cut(self, connection: socket.socket) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        self._silent.pop(connection).cancel()
