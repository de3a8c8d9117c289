"""etcd's v3 discovery: a new cluster is put together through another etcd, the discovery cluster.

Who made the token has put the cluster's size there; each member puts its name and peer URLs beside it and waits for the
others. Keys, below `/_etcd/registry/<token>`:

    _config/size          the number of members, decimal
    members/<member id>   name=peer URL, with commas between several; the id in hex

A cluster of one is complete once it has registered itself. Source: etcd server/etcdserver/api/v3discovery/discovery.go.
"""

import asyncio
import posixpath
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from etcdcore.apply.members import derive_member_id
from etcdcore.client import Client, ClientTls, EtcdError, connect
from etcdcore.config import DiscoveryConfig, ServerConfig
from etcdcore.errors import UNAVAILABLE
from etcdcore.pb.kv_pb2 import KeyValue
from etcdcore.tls import common_name

_log = structlog.get_logger()

PREFIX: Final = "/_etcd/registry"
DOUBLINGS_MAX: Final = 8
"""Pauses between attempts double from 2 s up to 256 s, as etcd's; attempts go on until somebody stops the server."""
_SIZE_MAX: Final = (1 << 63) - 1

T = TypeVar("T")


class DiscoveryRefused(Exception):
    """No further attempt can help; the text names the cause, and the cure where there is one."""


def parse_size(text: str) -> int:
    """Raises DiscoveryRefused."""
    size = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else 0
    if not 0 < size <= _SIZE_MAX:
        raise DiscoveryRefused("discovery: size key is bad")
    return size


def registered(pairs: Sequence[KeyValue]) -> list[tuple[str, str]]:
    """(key, peer URLs) of the members in the order in which they came; what is no member's line is passed over."""
    members = [pair for pair in pairs if b"=" in pair.value]
    members.sort(key=lambda pair: pair.create_revision)
    return [(_text(pair.key), _text(pair.value)) for pair in members]


def is_full(members: Sequence[tuple[str, str]], own_key: str, size: int) -> bool:
    """Whether others have all the places."""
    return own_key not in [key for key, _ in members[:size]] and len(members) >= size


def _text(data: bytes) -> str:
    return data.decode(errors="replace").strip()


async def join_cluster(config: ServerConfig) -> str:
    """Registers this member; ends when its cluster is complete. Returns why that cannot be, empty if all is well."""
    asked = config.discovery
    log = _log.bind(**{"discovery-token": asked.token, "discovery-endpoints": ",".join(asked.endpoints)})
    log.info("Bootstrapping cluster using v3 discovery.")
    urls = config.initial_advertise_peer_urls
    own_line = ",".join(sorted(f"{config.name}={url}" for url in urls))
    try:
        registration = _Registration(asked, f"{derive_member_id(urls, config.cluster_token):x}", log)
        cluster = await registration.join(own_line)
    except DiscoveryRefused as refusal:
        log.error("discovery failed to join cluster", cluster="", error=str(refusal))
        return str(refusal)
    log.info("discovery joined cluster successfully", cluster=cluster)
    return ""


class _Registration:
    """One member at the discovery cluster."""

    def __init__(self, asked: DiscoveryConfig, member_id: str, log: structlog.stdlib.BoundLogger) -> None:
        folder = posixpath.normpath(f"{PREFIX}/{asked.token}")
        self._asked: Final = asked
        self._size_key: Final = f"{folder}/_config/size"
        self._members_key: Final = f"{folder}/members"
        self._own_key: Final = f"{self._members_key}/{member_id}"
        self._log: Final = log
        if bool(asked.cert) != bool(asked.key):
            raise DiscoveryRefused("--discovery-cert and --discovery-key must both be given, or none")
        try:
            self._door: Final = _Door(asked)
        except OSError as error:
            raise DiscoveryRefused(f"the files of --discovery-cert, -key and -cacert can't be used: {error}") from error

    async def join(self, own_line: str) -> str:
        """The cluster, as in --initial-cluster."""
        await self._until_answered("cluster status check", self._check)
        await self._until_answered("register member itself", lambda client: self._register(client, own_line))
        members = await self._until_answered("cluster status check", self._check)
        return ",".join(line for _, line in members[:1])

    async def _until_answered(self, step: str, call: Callable[[Client], Awaitable[T]]) -> T:
        retries = 0
        while True:
            try:
                async with await self._door.connect() as client:
                    return await call(client)
            except EtcdError as error:
                self._log.warning("no answer from discovery service", reason=step, error=str(error))
            retries += 1
            pause_s = 1 << min(retries, DOUBLINGS_MAX)
            self._log.warning("retry connecting to discovery service", reason=step, backoff=f"{pause_s}s")
            await asyncio.sleep(pause_s)

    async def _check(self, client: Client) -> list[tuple[str, str]]:
        found = (await client.get(self._size_key)).kvs
        if not found:
            raise DiscoveryRefused(
                "discovery: size key not found; who makes a token says how many members its cluster has: "
                f"etcdctl put {self._size_key} 1"
            )
        size = parse_size(found[0].value.decode(errors="replace"))
        if size > 1:
            raise DiscoveryRefused(
                f"{self._size_key} asks for {size} members, which is not supported: this server is the only member of "
                "its cluster; use a token with a size of 1"
            )
        members = registered((await client.get(self._members_key, prefix=True)).kvs)
        for key, line in members:
            self._log.info("found peer from discovery service", memberKey=key, memberInfo=line)
        if is_full(members, self._own_key, size):
            raise DiscoveryRefused("discovery: cluster is full; do not reuse a token, make a new one for each cluster")
        return members

    async def _register(self, client: Client, own_line: str) -> None:
        await client.put(self._own_key, own_line)
        self._log.info("register member itself successfully", memberKey=self._own_key, memberInfo=own_line)


class _Door:
    """How the discovery cluster is reached. Raises OSError for TLS files."""

    def __init__(self, asked: DiscoveryConfig) -> None:
        self._asked: Final = asked
        is_secure = asked.cert or asked.cacert or asked.insecure_skip_tls_verify or not asked.insecure_transport
        self._tls: Final = ClientTls(asked.cacert, asked.cert, asked.key) if is_secure else None
        self._blind: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if asked.insecure_skip_tls_verify else None
        if self._blind is not None:
            self._blind.check_hostname = False
            self._blind.verify_mode = ssl.CERT_NONE
            self._blind.set_alpn_protocols(["h2"])
            if asked.cert:
                self._blind.load_cert_chain(asked.cert, asked.key)

    async def connect(self) -> Client:
        """Raises EtcdError."""
        if self._blind is not None:
            return await self._connect_blindly(self._blind)
        return self._client(self._asked.endpoints, self._tls)

    async def _connect_blindly(self, context: ssl.SSLContext) -> Client:
        """grpcio always verifies: so it is told to trust the very certificate that the server shows."""
        cause: Exception = OSError("no endpoint")
        for endpoint in self._asked.endpoints:
            parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
            if parts.scheme != "https":
                return self._client((endpoint,), self._tls)
            try:
                async with asyncio.timeout(self._asked.dial_timeout_s):
                    _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
                    encoded = writer.get_extra_info("ssl_object").getpeercert(True)
                    writer.close()
            except OSError as error:  # a timeout is one
                cause = error
                continue
            certificate = x509.load_der_x509_certificate(encoded)
            shown = ClientTls(
                cert_file=self._asked.cert,
                key_file=self._asked.key,
                ca_data=certificate.public_bytes(Encoding.PEM),
                server_name=_a_name_of(certificate),
            )
            return self._client((endpoint,), shown)
        raise EtcdError(UNAVAILABLE, f"no discovery endpoint answers: {cause or type(cause).__name__}") from cause

    def _client(self, endpoints: Sequence[str], tls: ClientTls | None) -> Client:
        asked = self._asked
        # As clientv3, a user without a password is nobody.
        user = asked.user if asked.password else ""
        return connect(
            endpoints,
            user=user,
            password=asked.password,
            tls=tls,
            timeout_s=asked.request_timeout_s,
            dial_timeout_s=asked.dial_timeout_s,
            keepalive_s=(asked.keepalive_time_s, asked.keepalive_timeout_s),
        )


def _a_name_of(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return common_name(certificate)
    found = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return found[0].replace("*", "any") if found else common_name(certificate)
