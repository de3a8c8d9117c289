"""Calls over gRPC, by grpcio's asyncio client. grpcio has no types, so its objects are `Any` here and nowhere else."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import grpc

from etcdcore.client.caller import Caller
from etcdcore.client.client import Client
from etcdcore.rpc.channel import Channel, Stream
from etcdcore.rpc.status import EtcdError, cut_off

SEND_BYTES_MAX: Final = 2 << 20
"""As clientv3."""
_NEVER_SENT: Final = ("failed to connect to all addresses", "DNS resolution failed")
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", SEND_BYTES_MAX),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3000),
)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Whom to trust, and who we are; files in PEM."""

    ca_file: str = ""
    """The system's authorities without one."""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """The name that the server's certificate must have, if it is not the endpoint's."""
    ca_data: bytes = b""
    """Instead of the file with the authorities."""


def connect(
    endpoints: str | Sequence[str],
    *,
    user: str = "",
    password: str = "",
    tls: ClientTls | None = None,
    timeout_s: float | None = None,
    dial_timeout_s: float = 0.0,
    keepalive_s: tuple[float, float] = (0.0, 0.0),
) -> Client:
    """A client of one cluster, to be used as `async with connect("http://127.0.0.1:2379") as client:`.

    Endpoints are `host:port`, `http://…`, `https://…` or `unix:…`; calls go to the first, and on to the next when it is
    not available. `timeout_s` bounds each unary call that has no timeout of its own; `dial_timeout_s`
    how long one connection may take to be made; `keepalive_s` is the time between pings and the wait for their answer.
    Raises OSError for TLS files.
    """
    names = [endpoints] if isinstance(endpoints, str) else list(endpoints)
    if not names:
        raise ValueError("connect needs at least one endpoint, as in http://127.0.0.1:2379")
    options: list[tuple[str, int]] = []
    if dial_timeout_s > 0:
        options.append(("grpc.min_reconnect_backoff_ms", int(dial_timeout_s * 1000)))
    ping_s, patience_s = keepalive_s
    if ping_s > 0:
        options.append(("grpc.keepalive_time_ms", int(ping_s * 1000)))
        options.append(("grpc.keepalive_timeout_ms", int(patience_s * 1000)))
    return Client(Caller(RemoteChannel(names, tls, options), user, password, timeout_s))


@final
class _RemoteStream(Stream):
    def __init__(self, call: Any) -> None:
        self._call: Final = call
        self._ending: asyncio.Future[tuple[Any]] | None = None

    async def send(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise _error_of(error) from error
        except (asyncio.InvalidStateError, grpc.aio.UsageError) as error:
            raise await self._cause() from error

    async def receive(self) -> bytes | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _error_of(error) from error
        except asyncio.CancelledError:
            if self._call.cancelled():
                raise cut_off("the call was cancelled") from None
            raise
        return None if message is grpc.aio.EOF else message

    async def _cause(self) -> EtcdError:
        code, text = await self._call.code(), await self._call.details()
        return EtcdError(code.value[0], text or "")

    def end_input(self) -> None:
        if self._ending is None and not self._call.done():
            self._ending = asyncio.gather(self._call.done_writing())

    def cancel(self) -> None:
        self._call.cancel()


def _error_of(error: grpc.aio.AioRpcError) -> EtcdError:
    text = error.details() or ""
    return EtcdError(error.code().value[0], text, not text.startswith(_NEVER_SENT))


@final
class RemoteChannel(Channel):
    """One connection for each endpoint, made when it is first used."""

    def __init__(
        self, endpoints: Sequence[str], tls: ClientTls | None, options: Sequence[tuple[str, int]] = ()
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._tls: Final = tls
        self._options: Final = tuple((dict(_OPTIONS) | dict(options)).items())
        self._credentials: Final = None if tls is None else _credentials(tls)
        self._channels: Final[dict[str, Any]] = {}
        self._current = 0

    async def unary(self, path: str, request: bytes, metadata: Mapping[str, str], timeout_s: float | None) -> bytes:
        method = self._channel().unary_unary(path)
        try:
            answer: bytes = await method(request, metadata=tuple(metadata.items()), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise _error_of(error) from error
        return answer

    def stream(self, path: str, metadata: Mapping[str, str]) -> _RemoteStream:
        return _RemoteStream(self._channel().stream_stream(path)(metadata=tuple(metadata.items())))

    def try_another(self) -> None:
        self._current = (self._current + 1) % len(self._endpoints)

    def set_endpoints(self, endpoints: Sequence[str]) -> list[Any]:
        """Other servers from now on. One on both lists keeps its connection; those of the others are for `retire`."""
        current = self._endpoints[self._current]
        self._endpoints = tuple(endpoints)
        self._current = self._endpoints.index(current) if current in self._endpoints else 0
        return [self._channels.pop(gone) for gone in self._channels.keys() - set(self._endpoints)]

    @staticmethod
    async def retire(channel: Any, grace_s: float) -> None:
        """Takes no more calls, and ends when those in progress have, or when the time is over."""
        await channel.close(grace_s)

    async def close(self) -> None:
        while self._channels:
            _, channel = self._channels.popitem()
            await channel.close()

    def _channel(self) -> Any:
        endpoint = self._endpoints[self._current]
        channel = self._channels.get(endpoint)
        if channel is None:
            channel = self._channels[endpoint] = self._open(endpoint)
        return channel

    def _open(self, endpoint: str) -> Any:
        scheme, separator, rest = endpoint.partition("://")
        if not separator:
            scheme, rest = ("http" if self._tls is None else "https"), endpoint
        target = f"unix:{rest}" if scheme.startswith("unix") else rest.rstrip("/")
        options: list[tuple[str, object]] = list(self._options)
        if scheme not in ("https", "unixs"):
            return grpc.aio.insecure_channel(target, options)
        if self._tls is not None and self._tls.server_name:
            options.append(("grpc.ssl_target_name_override", self._tls.server_name))
        return grpc.aio.secure_channel(target, self._credentials or grpc.ssl_channel_credentials(), options)


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    def read(path: str) -> bytes | None:
        return Path(path).read_bytes() if path else None

    authorities = tls.ca_data or read(tls.ca_file)
    return grpc.ssl_channel_credentials(authorities, read(tls.key_file), read(tls.cert_file))
