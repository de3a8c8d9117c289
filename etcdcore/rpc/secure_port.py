"""A listening socket that takes connections with TLS, and plain ones too if it is told what to do with them.

The loop's own servers say nothing of a handshake that fails; here each is awaited, so that the log can tell who was
turned away and why, as etcd's does.

Where both kinds come in they are told apart by the first byte, as etcd's cmux does: a TLS client speaks first, and its
first byte is 0x16; no byte of HTTP is. The byte is looked at and left in the socket, so that whoever gets the
connection reads all of it.
"""

import asyncio
import errno
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Final, final

import structlog

from etcdcore.rpc.peer_names import peer_of_address

_log = structlog.get_logger()

TLS_HANDSHAKE: Final = b"\x16"
ACCEPTS_MAX: Final = 100
"""Connections taken in one turn of the loop."""
REST_S: Final = 1.0
"""After the process ran out of files or memory, so long until connections are taken again."""
_TLS_TEXTS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "tls: client didn't provide a certificate",
    "HTTP_REQUEST": "tls: first record does not look like a TLS handshake",
    "WRONG_VERSION_NUMBER": "tls: first record does not look like a TLS handshake",
    "UNSUPPORTED_PROTOCOL": "tls: client offered only unsupported versions",
    "TLSV1_ALERT_UNKNOWN_CA": "remote error: tls: unknown certificate authority",
}
"""Go's words for what OpenSSL calls so: people look for them in etcd's log."""
_NO_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class HandshakeWitness(ABC):
    """Hears of handshakes that fail."""

    @abstractmethod
    def handshake_began(self) -> list[str]:
        """In the task of one handshake: what comes back has the name that the client asks for, once it has."""

    @abstractmethod
    def rejected(self, peer: str, server_name: str, reason: str) -> None:
        """`peer` as in `peer_of`."""


@final
class SecurePort:
    """From `start` to `close`. Tasks of the group do the handshakes. Without `new_plain`, TLS alone is spoken."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        listening: socket.socket,
        tls: ssl.SSLContext,
        new_plain: Callable[[], asyncio.Protocol] | None,
        new_secure: Callable[[], asyncio.Protocol],
        witness: HandshakeWitness | None,
        patience_s: float,
    ) -> None:
        self._group: Final = group
        self._listening: Final = listening
        self._tls: Final = tls
        self._new_plain: Final = new_plain
        self._new_secure: Final = new_secure
        self._witness: Final = witness
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
                connection, address = self._listening.accept()
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
            if self._new_plain is None:
                self._begin(self._shake_hands(connection, address))
                continue
            self._silent[connection] = self._loop.call_later(self._patience_s, self._cut, connection)
            self._loop.add_reader(connection, self._first_byte_came, connection, address)

    def _accept_again(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listening, self._accept)

    def _first_byte_came(self, connection: socket.socket, address: object) -> None:
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
        is_secure = first == TLS_HANDSHAKE
        self._begin(self._shake_hands(connection, address) if is_secure else self._take_plain(connection))

    def _begin(self, handing_over: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(handing_over, name="connection accepted")
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _take_plain(self, connection: socket.socket) -> None:
        assert self._new_plain is not None, "first bytes are looked at where plain connections are taken"
        try:
            await self._loop.connect_accepted_socket(self._new_plain, connection)
        except OSError as error:
            _log.debug("connection_lost_early", reason=str(error))
            connection.close()

    async def _shake_hands(self, connection: socket.socket, address: object) -> None:
        names = [] if self._witness is None else self._witness.handshake_began()
        try:
            await self._loop.connect_accepted_socket(self._new_secure, connection, ssl=self._tls)
        except OSError as error:
            # ssl.SSLError is an OSError; the transport is closed by now.
            connection.close()
            if isinstance(error, ssl.SSLError) and self._witness is not None:
                self._witness.rejected(peer_of_address(address), names[-1] if names else "", _reason(error))
            else:
                # Who goes away in between, as port scanners and probes of load balancers do.
                _log.debug("handshake_failed", reason=str(error) or type(error).__name__)

    def _cut(self, connection: socket.socket) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        self._silent.pop(connection).cancel()


def _reason(error: ssl.SSLError) -> str:
    """In Go's words where we know them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {error.verify_message}"
    return _TLS_TEXTS.get(error.reason, str(error))
