"""What listens where: client, HTTP, metrics and peer URLs, each with its TLS and what is served there.

By default one listener serves gRPC, gateway and pages on the client URLs. With `listen_client_http_urls` those serve
gRPC alone; with grpcio as the server they always do, since it can't share a port. Peer URLs answer what another program
may ask of a member without being one: its version and the members.
"""

import asyncio
import json
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import structlog

from etcdcore.config import ConfigError, ServerConfig, TlsConfig, Url, parse_url
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse
from etcdcore.rpc.limits import GRPC_OVERHEAD_BYTES, RpcLimits
from etcdcore.rpc.listener import Doorkeeper, Listener

# What not every server has is loaded by those that do: grpcio and cryptography take long.
if TYPE_CHECKING:
    import grpc

    from etcdcore.rpc.grpcio_server import GrpcioServer
    from etcdcore.tls import ServerTls

_log = structlog.get_logger()

_METRICS_PATHS: Final = ("/metrics", "/health", "/livez", "/readyz")


class StartError(Exception):
    """The server cannot start; the text names the cause and the cure."""


@final
class _Guard(Doorkeeper):
    def __init__(self, tls: "ServerTls", endpoint: str) -> None:
        self._tls: Final = tls
        self._endpoint: Final = endpoint

    @property
    def endpoint(self) -> str:
        return self._endpoint

    def server_name(self, ssl_object: ssl.SSLObject) -> str:
        return self._tls.server_name(ssl_object)

    def handshake_began(self) -> list[str]:
        return self._tls.handshake_began()

    def refusal(self, ssl_object: ssl.SSLObject) -> str:
        from etcdcore.tls import TlsRefused

        try:
            self._tls.check_client(ssl_object)
        except TlsRefused as error:
            return str(error)
        return ""


@final
class _NoPages(HttpHandler):
    async def handle(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found\n")


@final
class _MetricsPages(HttpHandler):
    """Of all pages, those that a monitor reads."""

    def __init__(self, pages: HttpHandler) -> None:
        self._pages: Final = pages

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if any(request.path == path or request.path.startswith(path + "/") for path in _METRICS_PATHS):
            return await self._pages.handle(request)
        return await _NoPages().handle(request)


@final
class _PeerPages(HttpHandler):
    """`/version` and `/members`; raft's own paths are nobody's here."""

    def __init__(self, pages: HttpHandler, members: "MemberPage") -> None:
        self._pages: Final = pages
        self._members: Final = members

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/version":
            return await self._pages.handle(request)
        if request.path == "/members" and request.method == "GET":
            headers = {"Content-Type": "application/json", "X-Etcd-Cluster-ID": f"{self._members.cluster_id:x}"}
            return HttpResponse(200, headers, self._members.text().encode())
        return await _NoPages().handle(request)


@final
class MemberPage:
    """The list of members as peers ask for it."""

    def __init__(self, config: ServerConfig, member_id: int, cluster_id: int) -> None:
        self._config: Final = config
        self._member_id: Final = member_id
        self.cluster_id: Final = cluster_id
        self.client_urls: tuple[str, ...] = ()

    def text(self) -> str:
        config = self._config
        member = {
            "id": self._member_id,
            "peerURLs": list(config.initial_advertise_peer_urls),
            "name": config.name,
            "clientURLs": list(self.client_urls),
        }
        return json.dumps([member], separators=(",", ":")) + "\n"


@final
class Ports:
    """Everything that listens, from `start` to `stop`."""

    def __init__(self, config: ServerConfig) -> None:
        self._config: Final = config
        self._listeners: Final[list[Listener]] = []
        self._grpcio: GrpcioServer | None = None
        self.client_urls: tuple[Url, ...] = ()
        """Where clients are served, with the ports that were found for port 0."""

    async def start(
        self, group: asyncio.TaskGroup, table: MethodTable, pages: HttpHandler, members: MemberPage
    ) -> None:
        """Binds and serves, with tasks of the group. Raises StartError and ConfigError; `stop` is due all the same."""
        config = self._config
        _check_apart(config)
        limits = _limits(config)
        client_tls = _port_tls(config, config.client_tls, config.listen_client_urls + config.listen_client_http_urls)
        apart = config.listen_client_http_urls
        if config.grpc_server == "grpcio":
            self.client_urls = await self._start_grpcio(table, limits)
            if not apart:
                _log.warning(
                    "grpcio has the client port for itself: no gateway, no /health, no /metrics; "
                    "give --listen-client-http-urls to have them on a port of their own"
                )
        else:
            shared = Listener(group, table, _NoPages() if apart else pages, limits)
            self.client_urls = await self._listen(shared, config.listen_client_urls, client_tls, "listen-client-urls")
        nothing = MethodTable()
        await self._listen(Listener(group, nothing, pages, limits), apart, client_tls, "listen-client-http-urls")
        metrics = Listener(group, nothing, _MetricsPages(pages), limits)
        metrics_tls = client_tls or _port_tls(config, config.client_tls, config.listen_metrics_urls)
        await self._listen(metrics, config.listen_metrics_urls, metrics_tls, "listen-metrics-urls")
        members.client_urls = config.advertise_client_urls or tuple(str(url) for url in self.client_urls)
        peers = Listener(group, nothing, _PeerPages(pages, members), limits)
        peer_tls = _port_tls(config, config.peer_tls, config.listen_peer_urls, "peer")
        await self._listen(peers, config.listen_peer_urls, peer_tls, "listen-peer-urls")

    async def stop(self, grace_s: float) -> None:
        """No more connections and calls; what is in progress may end for so long."""
        async with asyncio.TaskGroup() as group:
            if self._grpcio is not None:
                group.create_task(self._grpcio.stop(grace_s), name="stop grpcio")
            for listener in self._listeners:
                group.create_task(listener.stop(grace_s), name="stop listener")

    async def _listen(
        self, listener: Listener, urls: Sequence[str], tls: "ServerTls | None", flag: str
    ) -> tuple[Url, ...]:
        bound = []
        self._listeners.append(listener)
        for sharing in _by_address(urls):
            # The secure one of several, if there is one: it takes plain connections too.
            url = max(sharing, key=lambda one: one.is_secure)
            context = None if tls is None else tls.context
            endpoint = "peer" if flag == "listen-peer-urls" else "client"
            guard = None if tls is None or not url.is_secure else _Guard(tls, endpoint)
            reuse_port = self._config.socket_reuse_port
            try:
                port = await listener.start(
                    str(url), context, doorkeeper=guard, reuse_port=reuse_port, is_mixed=len(sharing) > 1
                )
            except OSError as error:
                raise StartError(_cannot_listen(url, flag, error)) from error
            bound += [one if one.is_unix else Url(one.scheme, one.host, port) for one in sharing]
        return tuple(bound)

    async def _start_grpcio(self, table: MethodTable, limits: RpcLimits) -> tuple[Url, ...]:
        config = self._config
        tls = config.client_tls
        if tls.crl_file or tls.allowed_hostnames:
            raise ConfigError(
                "--client-crl-file and --client-cert-allowed-hostname are not supported with --grpc-server=grpcio, "
                "which does not show the whole certificate; use --grpc-server=own"
            )
        urls = config.listen_client_urls
        if any(len(sharing) > 1 for sharing in _by_address(urls)):
            raise ConfigError(
                "--grpc-server=grpcio cannot tell TLS from plain connections on one port; "
                "give each URL of --listen-client-urls a port of its own, or use --grpc-server=own"
            )
        credentials = None
        if any(parse_url(url).is_secure for url in urls):
            _check_certificates(config, tls, "client", urls)
            credentials = _grpcio_credentials(_with_auto(config, tls, urls, "client"))
        from etcdcore.rpc.grpcio_server import GrpcioServer

        self._grpcio = GrpcioServer(table, limits)
        try:
            ports = await self._grpcio.start(urls, credentials)
        except OSError as error:
            raise StartError(f"{error}; stop what holds the address, or give --listen-client-urls another") from error
        parsed = [parse_url(url) for url in urls]
        pairs = zip(parsed, ports, strict=True)
        return tuple(url if url.is_unix else Url(url.scheme, url.host, port) for url, port in pairs)


def _by_address(urls: Sequence[str]) -> list[list[Url]]:
    """URLs that share an address listen on one socket, where TLS is told from plain by the first byte, as in etcd."""
    sharing: dict[tuple[str, int, str], list[Url]] = {}
    for url in dict.fromkeys(map(parse_url, urls)):
        sharing.setdefault(_address_of(url), []).append(url)
    return list(sharing.values())


def _address_of(url: Url) -> tuple[str, int, str]:
    return url.host, url.port, url.path


def _check_apart(config: ServerConfig) -> None:
    """Raises ConfigError."""
    taken = {_address_of(parse_url(url)) for url in config.listen_client_urls}
    for url in config.listen_client_http_urls:
        if _address_of(parse_url(url)) in taken:
            raise ConfigError(
                f"cannot bind both --listen-client-urls and --listen-client-http-urls on the same url {url}; "
                "give one of them another port"
            )


def _cannot_listen(url: Url, flag: str, error: OSError) -> str:
    cause = os.strerror(error.errno) if error.errno else str(error)
    return f"cannot listen on {url}: {cause}; stop what holds the address, or give --{flag} another"


def _port_tls(config: ServerConfig, tls: TlsConfig, urls: Sequence[str], port: str = "client") -> "ServerTls | None":
    """Of the URLs of one port; None if none of them is secure."""
    if not any(parse_url(url).is_secure for url in urls):
        if tls.is_set and urls:
            _log.warning("the URLs are not https, so the certificate is not used", urls=list(urls))
        return None
    _check_certificates(config, tls, port, urls)
    from etcdcore.tls import ServerTls

    return ServerTls(_with_auto(config, tls, urls, port))


def _check_certificates(config: ServerConfig, tls: TlsConfig, port: str, urls: Sequence[str]) -> None:
    if tls.is_set:
        return
    prefix = "" if port == "client" else f"{port}-"
    secure = [url for url in urls if parse_url(url).is_secure]
    asking = {
        "listen-client-urls": config.listen_client_urls,
        "listen-client-http-urls": config.listen_client_http_urls,
        "listen-metrics-urls": config.listen_metrics_urls,
        "listen-peer-urls": config.listen_peer_urls,
    }
    flags = [f"--{flag}" for flag, named in asking.items() if set(named) & set(secure)]
    raise ConfigError(
        f"{' and '.join(flags)} {','.join(secure)} with the scheme https: "
        f"--{prefix}cert-file and --{prefix}key-file (or --{prefix}auto-tls) must be given"
    )


def _with_auto(config: ServerConfig, tls: TlsConfig, urls: Sequence[str], port: str) -> TlsConfig:
    if tls.cert_file or not tls.auto_tls:
        return tls
    hosts = tuple(dict.fromkeys(url.host for url in map(parse_url, urls) if url.host))
    from etcdcore.tls import self_signed

    return self_signed(Path(config.data_path) / "fixtures" / port, hosts or ("localhost",), tls)


def _grpcio_credentials(tls: TlsConfig) -> "grpc.ServerCredentials":
    import grpc

    try:
        key, certificate = Path(tls.key_file).read_bytes(), Path(tls.cert_file).read_bytes()
        authority = Path(tls.trusted_ca_file).read_bytes() if tls.trusted_ca_file else None
    except OSError as error:
        raise ConfigError(f"{error.filename} can't be read: {error.strerror}") from error
    wants_client = authority is not None
    return grpc.ssl_server_credentials([(key, certificate)], authority, require_client_auth=wants_client)


def _limits(config: ServerConfig) -> RpcLimits:
    return RpcLimits(
        config.max_request_bytes + GRPC_OVERHEAD_BYTES,
        config.max_concurrent_streams,
        config.grpc_keepalive_min_time_s,
        config.grpc_keepalive_interval_s,
        config.grpc_keepalive_timeout_s,
        config.warning_unary_request_duration_s,
    )
