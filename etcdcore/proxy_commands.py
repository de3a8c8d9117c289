"""`etcdcore gateway start` and `etcdcore grpc-proxy start`, with etcd's flags.

What serves is imported late, so that no other command waits for it.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from etcdcore.config import ConfigError, parse_duration
from etcdcore.word_first import WordFirst

if TYPE_CHECKING:
    from etcdcore.client.remote import RemoteChannel
    from etcdcore.proxy.discovery import FoundEndpoint
    from etcdcore.proxy.grpc_proxy import GrpcProxy

_LISTEN: Final = "127.0.0.1:23790"
_STOP_GRACE_S: Final = 5.0


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)


_DURATION: Final = _Duration()


@click.group("gateway", cls=WordFirst)
def gateway() -> None:
    """A static TCP address in front of servers that change."""


@click.group("grpc-proxy", cls=WordFirst)
def grpc_proxy() -> None:
    """A proxy that merges watches and renewals, caches reads, and hides a prefix."""


def _discovery(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--insecure-discovery", is_flag=True, help="Accept SRV records of servers without TLS."),
        click.option("--discovery-srv-name", default="", help="Suffix of the service's name in DNS."),
        click.option("--discovery-srv", default="", help="Domain whose SRV records name the servers."),
        click.option("--endpoints", default="127.0.0.1:2379", show_default=True, help="Servers, separated by commas."),
        click.option("--listen-addr", default=_LISTEN, show_default=True, help="Where to listen."),
    ):
        command = option(command)
    return command


def _without_effect(command: Callable[..., None]) -> Callable[..., None]:
    """Flags of etcd's proxy that change nothing that a client of ours could see."""
    for option in (
        click.option("--dial-keepalive-time", default="0s", help="No effect: servers are not pinged."),
        click.option("--dial-keepalive-timeout", default="20s", help="No effect: servers are not pinged."),
        click.option("--permit-without-stream", is_flag=True, help="No effect: servers are not pinged."),
        click.option("--max-send-bytes", type=int, default=1572864, help="No effect: the servers' limit holds."),
        click.option("--enable-pprof", is_flag=True, help="No effect: pprof is Go's."),
        click.option("--debug", is_flag=True, help="No effect."),
        click.option("--experimental-enable-grpc-logging", is_flag=True, help="No effect."),
    ):
        command = option(command)
    return command


@gateway.command("start")
@_discovery
@click.option("--retry-delay", type=_DURATION, default="1m0s", show_default=True, help="Before a failed one is tried.")
@click.option("--trusted-ca-file", default="", help="Authorities of the discovered servers: those with TLS only.")
def gateway_start(
    listen_addr: str,
    endpoints: str,
    discovery_srv: str,
    discovery_srv_name: str,
    insecure_discovery: bool,
    retry_delay: float,
    trusted_ca_file: str,
) -> None:
    """Start the gateway."""
    from etcdcore.proxy.gateway import TcpGateway

    host, port = _address(listen_addr)
    if retry_delay <= 0:
        raise click.BadParameter(f"must be more than 0s, got {retry_delay}s", param_hint="--retry-delay")

    async def serve() -> None:
        found = await _find(endpoints, discovery_srv, discovery_srv_name, insecure_discovery and not trusted_ca_file)
        ready = asyncio.get_running_loop().create_future()
        ready.add_done_callback(lambda done: _announce("gateway", host, done))
        await TcpGateway(found, retry_delay).serve(host, port, ready)

    _run(serve())


@grpc_proxy.command("start")
@_discovery
@click.option(
    "--endpoints-auto-sync-interval",
    type=_DURATION,
    default="0s",
    show_default=True,
    help="Time between looks at which servers the cluster has; 0 is never.",
)
@click.option("--advertise-client-url", default=_LISTEN, show_default=True, help="The address to register.")
@click.option("--resolver-prefix", default="", help="Where proxies register; the same for all of them.")
@click.option("--resolver-ttl", type=click.IntRange(0), default=0, help="Seconds that a lost proxy stays registered.")
@click.option("--namespace", default="", help="Prefix that every key of the clients gets.")
@click.option("--metrics-addr", default="", help="A URL on which /metrics and /health are served as well.")
@click.option("--cert", default="", help="Our certificate for the servers.")
@click.option("--key", default="", help="Its key.")
@click.option("--cacert", default="", help="Authorities of the servers' certificates.")
@click.option("--cert-file", default="", help="Our certificate for clients.")
@click.option("--key-file", default="", help="Its key.")
@click.option("--trusted-ca-file", default="", help="Authorities of clients' certificates: clients must have one.")
@click.option("--client-crl-file", default="", help="Revoked certificates of clients.")
@click.option("--tls-min-version", default="TLS1.2", show_default=True)
@click.option("--tls-max-version", default="")
@click.option("--max-recv-bytes", type=click.IntRange(1), default=2147483647, show_default=True)
@click.option("--max-concurrent-streams", type=click.IntRange(1), default=4294967295, show_default=True)
@click.option("--grpc-keepalive-min-time", type=_DURATION, default="5s", show_default=True)
@click.option("--grpc-keepalive-interval", type=_DURATION, default="2h0m0s", show_default=True)
@click.option("--grpc-keepalive-timeout", type=_DURATION, default="20s", show_default=True)
@click.option("--listen-cipher-suites", default="", help="Cipher suites of TLS 1.2 for clients.")
@click.option("--auto-tls", is_flag=True, help="A self-signed certificate for clients.")
@click.option("--self-signed-cert-validity", type=click.IntRange(1), default=1, help="Years that it is valid.")
@click.option("--data-dir", default="default.proxy", show_default=True, help="Where it is kept.")
@_without_effect
def proxy_start(
    listen_addr: str,
    endpoints: str,
    discovery_srv: str,
    discovery_srv_name: str,
    insecure_discovery: bool,
    endpoints_auto_sync_interval: float,
    advertise_client_url: str,
    resolver_prefix: str,
    resolver_ttl: int,
    namespace: str,
    metrics_addr: str,
    cert: str,
    key: str,
    cacert: str,
    cert_file: str,
    key_file: str,
    trusted_ca_file: str,
    client_crl_file: str,
    tls_min_version: str,
    tls_max_version: str,
    max_recv_bytes: int,
    max_concurrent_streams: int,
    grpc_keepalive_min_time: float,
    grpc_keepalive_interval: float,
    grpc_keepalive_timeout: float,
    listen_cipher_suites: str,
    auto_tls: bool,
    self_signed_cert_validity: int,
    data_dir: str,
    **without_effect: object,
) -> None:
    """Start the proxy."""
    from etcdcore.client.remote import ClientTls, RemoteChannel
    from etcdcore.config import TlsConfig
    from etcdcore.proxy.grpc_proxy import GrpcProxy, ProxyConfig
    from etcdcore.proxy.upstream import Upstream
    from etcdcore.rpc.limits import RpcLimits
    from etcdcore.rpc.listener import Listener
    from etcdcore.tls import ServerTls, self_signed

    host, port = _address(listen_addr)
    for name in without_effect:
        if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
            click.echo(f"grpc-proxy: --{name.replace('_', '-')} has no effect here", err=True)
    if cert and (refusal := _name_in(cert)):
        raise click.ClickException(refusal)
    if bool(resolver_prefix) != bool(resolver_ttl):
        raise click.UsageError("--resolver-prefix and --resolver-ttl go together: give both or none")
    limits = RpcLimits(
        max_recv_bytes,
        max_concurrent_streams,
        grpc_keepalive_min_time,
        grpc_keepalive_interval,
        grpc_keepalive_timeout,
    )
    config = ProxyConfig(namespace, advertise_client_url, resolver_prefix, resolver_ttl)
    try:
        server_tls = TlsConfig(
            cert_file,
            key_file,
            trusted_ca_file,
            bool(trusted_ca_file),
            client_crl_file,
            auto_tls=auto_tls,
            validity_years=self_signed_cert_validity,
            cipher_suites=tuple(filter(None, listen_cipher_suites.split(","))),
            min_version=tls_min_version,
            max_version=tls_max_version,
        )
        if auto_tls and not cert_file:
            server_tls = self_signed(Path(data_dir) / "fixtures" / "proxy", [host or "localhost"], server_tls)
        context = ServerTls(server_tls).context if server_tls.cert_file else None
    except ConfigError as error:
        raise click.UsageError(str(error)) from error

    async def serve() -> None:
        found = await _find(endpoints, discovery_srv, discovery_srv_name, insecure_discovery)
        is_secure = bool(cacert or cert) or any(endpoint.is_secure for endpoint in found)
        tls = ClientTls(cacert, cert, key) if is_secure else None
        channel = RemoteChannel([endpoint.address for endpoint in found], tls)
        proxy = GrpcProxy(Upstream(channel), config)
        async with asyncio.TaskGroup() as group:
            listener = Listener(group, proxy.table, proxy.pages, limits)
            serving = group.create_task(_serve_proxy(proxy, channel, endpoints_auto_sync_interval), name="grpc_proxy")
            scheme = "https" if context is not None else "http"
            bound = await listener.start(f"{scheme}://{host}:{port}", context)
            if metrics_addr:
                await listener.start(metrics_addr, context)
            click.echo(f"grpc-proxy: listening on {host}:{bound}", err=True)
            try:
                await asyncio.Event().wait()
            finally:
                serving.cancel()
                await listener.stop(_STOP_GRACE_S)
                await channel.close()

    _run(serve())


async def _serve_proxy(proxy: "GrpcProxy", channel: "RemoteChannel", interval_s: float) -> None:
    if interval_s <= 0:
        await proxy.serve()
        return
    from etcdcore.proxy.endpoints import serve_endpoint_sync

    async with asyncio.TaskGroup() as group:
        syncing = group.create_task(serve_endpoint_sync(channel, interval_s), name="sync endpoints")
        await proxy.serve()
        syncing.cancel()


def _name_in(cert_file: str) -> str:
    """Why etcd's proxy does not take the certificate: with auth on, all clients would act as that user. Else empty."""
    from cryptography import x509

    from etcdcore.tls import common_name

    try:
        certificate = x509.load_pem_x509_certificate(Path(cert_file).read_bytes())
    except (OSError, ValueError) as error:
        return f"--cert {cert_file} can't be used: {error}"
    name = common_name(certificate)
    return f"cert has non empty Common Name ({name}): {cert_file}; give the proxy one without" if name else ""


async def _find(endpoints: str, domain: str, name: str, insecure: bool) -> "list[FoundEndpoint]":
    from etcdcore.proxy.discovery import FoundEndpoint, discover

    if domain:
        return await discover(domain, name, insecure=insecure)
    found: list[FoundEndpoint] = []
    for endpoint in endpoints.split(","):
        scheme, separator, rest = endpoint.strip().partition("://")
        host, port = _address(rest if separator else endpoint.strip())
        found.append(FoundEndpoint(host, port, 0, 0, separator != "" and scheme == "https"))
    return found


def _address(text: str) -> tuple[str, int]:
    """Raises click.UsageError."""
    host, separator, port = text.strip().rstrip("/").rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"{text!r} is no address; expected host:port")
    return host.strip("[]"), int(port)


def _announce(what: str, host: str, done: "asyncio.Future[int]") -> None:
    if not done.cancelled() and done.exception() is None:
        click.echo(f"{what}: listening on {host}:{done.result()}", err=True)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Until SIGTERM or SIGINT; what keeps it from starting is one line with exit status 1."""
    import uvloop

    from etcdcore.proxy.discovery import DiscoveryError

    async def until_signal() -> None:
        task = asyncio.current_task()
        assert task is not None, "runs as a task"
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        await work

    try:
        uvloop.run(until_signal())
    except asyncio.CancelledError:
        sys.exit(0)
    except (OSError, DiscoveryError) as error:
        raise click.ClickException(str(error)) from error
    except ExceptionGroup as group:
        expected, bugs = group.split((OSError, DiscoveryError))
        if bugs is not None or expected is None:
            raise
        raise click.ClickException(str(_first(expected))) from group


def _first(group: BaseException) -> BaseException:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group
