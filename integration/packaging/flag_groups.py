"""Every flag of etcdcore that does something, in groups: each group is one server that answers over gRPC and HTTP.

Compiled code fails where it runs first, and most paths behind a flag run only with it; so each value differs from the
default.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from integration.peers.etcd import Certificates, OurEtcd
from integration.peers.process import free_port
from tests.certificates import Authority, Pair

PUT_PATH: Final = "/etcdserverpb.KV/Put"
RANGE_PATH: Final = "/etcdserverpb.KV/Range"
WATCH_PATH: Final = "/etcdserverpb.Watch/Watch"
WATCH: Final = b"\x0a\x03\x0a\x01k"
PUT: Final = b"\x0a\x01k\x12\x01v"
RANGE: Final = b"\x0a\x01k"
ANSWER_TIMEOUT_S: Final = 30.0


class Places:
    """Files and ports that flags name, made when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def authority(self) -> Authority:
        return Authority(self.folder / "pki")

    @cached_property
    def server(self) -> Pair:
        return self.authority.issue("server")

    @cached_property
    def client(self) -> Pair:
        return self.authority.issue("client", "alice")

    @cached_property
    def revoked(self) -> str:
        return self.authority.revoke(self.authority.issue("bob", "bob"))

    def key_pair(self) -> tuple[Path, Path]:
        """Of tokens: public, private."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public, private = self.folder / "token.pub", self.folder / "token.key"
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return public, private


class SelfSigned(OurEtcd):
    """Its certificates are of its own making."""

    @property
    def client_url(self) -> str:
        return f"https://{self.address}"

    @property
    def peer_url(self) -> str:
        return f"https://127.0.0.1:{self.peer_port}"

    @property
    def own_certificate(self) -> Path:
        """There once it has started."""
        return self.data_dir / "fixtures" / "client" / "cert.pem"

    def channel(self) -> grpc.Channel:
        made = self.own_certificate
        return grpc.secure_channel(
            self.address, grpc.ssl_channel_credentials(made.read_bytes() if made.exists() else None)
        )


@dataclass(frozen=True, slots=True)
class FlagGroup:
    """Words of one command line. The clients' port has TLS and asks for a certificate, or has TLS, or none."""

    name: str
    words: Callable[[Places], list[str]]
    asks_certificate: bool = False
    is_self_signed: bool = False


def _measured(places: Places) -> list[str]:
    return [
        "--metrics=extensive",
        f"--listen-metrics-urls=http://127.0.0.1:{free_port()}",
        "--warning-unary-request-duration=1ns",
        "--warning-apply-duration=1ns",
        "--log-level=debug",
        "--log-format=console",
        f"--log-outputs={places.folder / 'rotated.log'}",
        "--enable-log-rotation",
        '--log-rotation-config-json={"maxsize": 1, "maxbackups": 1}',
    ]


def _bounded(places: Places) -> list[str]:
    return [
        "--snapshot-count=1",
        "--heartbeat-interval=50",
        "--election-timeout=500",
        "--quota-backend-bytes=100000000",
        "--backend-batch-interval=1ms",
        "--backend-batch-limit=1",
        "--max-txn-ops=3",
        "--max-request-bytes=4096",
        "--max-concurrent-streams=10",
        "--grpc-keepalive-min-time=1s",
        "--grpc-keepalive-interval=1s",
        "--grpc-keepalive-timeout=30s",
        "--socket-reuse-port",
        "--enable-grpc-gateway=false",
        "--feature-gates=StopGRPCServiceOnDefrag=true",
        "--initial-cluster-state=new",
        "--initial-cluster-token=other",
        "--strict-reconfig-check=false",
        "--max-learners=2",
        "--auto-compaction-mode=revision",
        "--auto-compaction-retention=1",
        "--compaction-batch-limit=1",
        "--compaction-sleep-interval=1ms",
        "--watch-progress-notify-interval=100ms",
        "--unsafe-no-fsync",
        "--auth-token-ttl=1",
        "--bcrypt-cost=4",
        "--cors=http://example.net:80",
        "--host-whitelist=127.0.0.1",
    ]


def _secure(places: Places) -> list[str]:
    return [
        f"--client-crl-file={places.revoked}",
        "--client-cert-allowed-hostname=localhost",
        f"--peer-cert-file={places.server.cert_file}",
        f"--peer-key-file={places.server.key_file}",
        f"--peer-trusted-ca-file={places.authority.ca_file}",
        "--peer-client-cert-auth",
        "--peer-cert-allowed-cn=alice",
        f"--peer-crl-file={places.revoked}",
        "--tls-min-version=TLS1.2",
        "--tls-max-version=TLS1.2",
        "--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "--metrics=extensive",
    ]


def _self_signed(places: Places) -> list[str]:
    public, private = places.key_pair()
    return [
        "--auto-tls",
        "--peer-auto-tls",
        "--self-signed-cert-validity=2",
        "--peer-cert-allowed-hostname=localhost",
        f"--auth-token=jwt,sign-method=RS256,pub-key={public},priv-key={private},ttl=1m",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1s",
    ]


def _grpcio(places: Places) -> list[str]:
    http = f"--listen-client-http-urls=http://127.0.0.1:{free_port()}"
    return ["--grpc-server=grpcio", "--metrics=extensive", http, "--warning-unary-request-duration=1ns"]


GROUPS: Final = (
    FlagGroup("measured", _measured),
    FlagGroup("bounded", _bounded),
    FlagGroup("secure", _secure, asks_certificate=True),
    FlagGroup("self-signed", _self_signed, is_self_signed=True),
    FlagGroup("grpcio", _grpcio),
)


def serve_once(group: FlagGroup, folder: Path) -> None:
    """Start it, put and get, and read /metrics and /health."""
    places = Places(folder)
    words = group.words(places)
    certificates = None
    if group.asks_certificate:
        files = (places.authority.ca_file, places.server.cert_file, places.server.key_file)
        pair = (places.client.cert_file, places.client.key_file)
        certificates = Certificates(*map(Path, files), *map(Path, pair))
    kind = SelfSigned if group.is_self_signed else OurEtcd
    with kind(folder / "server", words, certificates=certificates) as server:
        with server.channel() as channel:
            put, get = channel.unary_unary(PUT_PATH), channel.unary_unary(RANGE_PATH)
            for _ in range(5):
                put(PUT, timeout=ANSWER_TIMEOUT_S)
                assert b"v" in get(RANGE, timeout=ANSWER_TIMEOUT_S)
            watch = channel.stream_stream(WATCH_PATH)(iter([WATCH]), timeout=ANSWER_TIMEOUT_S)
            assert next(watch)
            watch.cancel()
        alone = [word.partition("=")[2] for word in words if word.startswith("--listen-client-http-urls=")]
        url = alone[0] if alone else server.client_url
        context = _context(server)
        assert '"health":"true"' in _get(f"{url}/health", context)
        assert "etcd_server_id" in _get(f"{url}/metrics", context)
        if "--enable-grpc-gateway=false" not in words:
            assert '"count":"1"' in _get(f"{url}/v3/kv/range", context, b'{"key": "aw=="}')
        assert server.child.is_running()
        server.stop()


def _context(server: OurEtcd) -> ssl.SSLContext | None:
    if isinstance(server, SelfSigned):
        return ssl.create_default_context(cafile=server.own_certificate)
    files = server.certificates
    if files is None:
        return None
    assert files.client_certificate is not None
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(files.client_certificate, files.client_key)
    return context


def _get(url: str, context: ssl.SSLContext | None, body: bytes | None = None) -> str:
    with urllib.request.urlopen(url, body, context=context, timeout=ANSWER_TIMEOUT_S) as answer:
        text: str = answer.read().decode()
    return text


def bridge_words(places: Places) -> list[str]:
    """Every flag of the bridge but where its data and clients are, and the file."""
    return [
        f"--etcd-addr=127.0.0.1:{free_port()}",
        f"--admin-addr=127.0.0.1:{free_port()}",
        f"--metrics-addr=127.0.0.1:{free_port()}",
        "--log-level=debug",
        "--prefix=/other/",
        "--server-id=7",
        "--tick-time=500",
        "--min-session-timeout=1000",
        "--max-session-timeout=60000",
        "--max-client-cnxns=50",
        "--max-cnxns=60",
        "--four-letter-words=ruok,mntr,srvr",
        "--outstanding-limit=100",
        "--jute-maxbuffer=100000",
        "--extended-types",
        "--container-check-interval=100",
        "--super-digest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
        "--skip-acl",
        "--enforce-quota",
        "--compaction-retention=1",
        "--wal-segment-bytes=1048576",
    ]


def address_of(words: list[str], flag: str) -> str:
    """Of `--flag=host:port`."""
    return next(word.partition("=")[2] for word in words if word.startswith(f"--{flag}="))
