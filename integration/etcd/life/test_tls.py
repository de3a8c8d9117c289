"""TLS on both of etcd's ports, with etcdctl and our own client, on ours and on etcd."""

import asyncio
import json
import socket
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from etcdcore.client import ClientTls, EtcdError, connect
from integration.peers.etcd import TARGETS, Certificates, Etcdctl, EtcdServer, OurEtcd, target_names
from integration.peers.process import free_port, wait_until
from tests.certificates import Authority, Pair


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


def _certificates(authority: Authority, client: Pair | None = None) -> Certificates:
    server = authority.issue("server")
    return Certificates(
        Path(authority.ca_file),
        Path(server.cert_file),
        Path(server.key_file),
        None if client is None else Path(client.cert_file),
        None if client is None else Path(client.key_file),
    )


def _etcdctl(server: EtcdServer, authority: Authority, pair: Pair | None = None) -> Etcdctl:
    flags = ["--cacert", authority.ca_file, "--command-timeout=2s", "--dial-timeout=2s"]
    if pair is not None:
        flags += ["--cert", pair.cert_file, "--key", pair.key_file]
    return Etcdctl(server.client_url, *flags)


def _get(url: str, authority: Authority, pair: Pair | None = None) -> str:
    context = ssl.create_default_context(cafile=authority.ca_file)
    if pair is not None:
        context.load_cert_chain(pair.cert_file, pair.key_file)
    with urllib.request.urlopen(url, context=context, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.parametrize("target", target_names())
def test_etcdctl_and_plain_http_work_over_tls(target: str, authority: Authority, tmp_path: Path) -> None:
    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority)) as server:
        etcdctl = _etcdctl(server, authority)
        assert etcdctl("put", "a", "b").strip() == "OK"
        assert etcdctl("get", "a", "--print-value-only").strip() == "b"
        assert '"health":"true"' in _get(server.client_url + "/health", authority)


@pytest.mark.parametrize("target", target_names())
def test_only_clients_with_a_certificate_of_the_authority_come_in(
    target: str, authority: Authority, tmp_path: Path
) -> None:
    alice = authority.issue("alice", "alice")
    mallory = Authority(tmp_path / "other", "other").issue("mallory", "mallory")
    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority, alice)) as server:
        assert _etcdctl(server, authority, alice)("put", "a", "b").strip() == "OK"
        for pair in (None, mallory):
            assert _etcdctl(server, authority, pair).run("get", "a").status != 0
        with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)):
            _get(server.client_url + "/health", authority)
        assert '"health":"true"' in _get(server.client_url + "/health", authority, alice)


@pytest.mark.parametrize("is_grpc_alone", [False, True])
@pytest.mark.parametrize("target", target_names())
def test_revoked_certificates_and_wrong_names_stay_outside(
    target: str, is_grpc_alone: bool, authority: Authority, tmp_path: Path
) -> None:
    """Also on a port for gRPC alone, where older servers did not look at the list."""
    alice = authority.issue("alice", "alice", ("good.example.net",))
    bob = authority.issue("bob", "bob", ("good.example.net",))
    eve = authority.issue("eve", "eve", ("bad.example.net",))
    flags = ["--client-crl-file", authority.revoke(bob), "--client-cert-allowed-hostname", "good.example.net"]
    if is_grpc_alone:
        flags += ["--listen-client-http-urls", f"https://127.0.0.1:{free_port()}"]
    with TARGETS[target](tmp_path / "server", flags, certificates=_certificates(authority, alice)) as server:
        assert _etcdctl(server, authority, alice)("put", "a", "b").strip() == "OK"
        for pair in (bob, eve):
            assert _etcdctl(server, authority, pair).run("get", "a").status != 0
        if target == "etcd" and is_grpc_alone:
            return  # there the library shakes hands, and says it in its own words
        text = "rejected connection on client endpoint"
        wait_until(lambda: text in server.child.log_text(), 30, "the log tells of them, in etcd's words")
        line = next(line for line in server.child.log_text().splitlines() if text in line)
        told = json.loads(line)
        assert told["level"] == "warn" and str(told["remote-addr"]).startswith("127.0.0.1:")
        assert told["server-name"] == "" and told["error"]


@pytest.mark.parametrize("target", target_names())
def test_a_handshake_that_fails_is_in_the_log_with_who_and_why(
    target: str, authority: Authority, tmp_path: Path
) -> None:
    alice = authority.issue("alice", "alice")
    mallory = Authority(tmp_path / "other", "other").issue("mallory", "mallory")
    nobody = ssl.create_default_context(cafile=authority.ca_file)
    stranger = ssl.create_default_context(cafile=authority.ca_file)
    stranger.load_cert_chain(mallory.cert_file, mallory.key_file)
    cases: tuple[tuple[ssl.SSLContext | None, str], ...] = (
        (nobody, "tls: client didn't provide a certificate"),
        (stranger, "tls: failed to verify certificate: "),
        (None, "tls: first record does not look like a TLS handshake"),
    )
    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority, alice)) as server:
        for context, reason in cases:
            with socket.create_connection(("127.0.0.1", server.client_port), timeout=30) as client:
                mine = f"127.0.0.1:{client.getsockname()[1]}"
                client.sendall(b"GET /health HTTP/1.1\r\n\r\n") if context is None else _shake(client, context)
                wait_until(lambda: f'"{mine}"' in server.child.log_text(), 30, "the log tells of it")  # noqa: B023
            told = json.loads(next(line for line in server.child.log_text().splitlines() if f'"{mine}"' in line))
            assert (told["level"], told["msg"]) == ("warn", "rejected connection on client endpoint")
            assert told["server-name"] == ("" if context is None else "localhost")
            assert told["error"].startswith(reason)
        assert _etcdctl(server, authority, alice)("put", "a", "b").strip() == "OK"


def _shake(client: socket.socket, context: ssl.SSLContext) -> None:
    """With TLS 1.3 a client thinks that it is in until it reads."""
    with suppress(OSError), context.wrap_socket(client.dup(), server_hostname="localhost") as secure:
        secure.recv(1)


@pytest.mark.parametrize("target", target_names())
def test_a_new_certificate_is_used_without_a_restart(target: str, authority: Authority, tmp_path: Path) -> None:
    """etcd's TestTLSReload."""
    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority)) as server:
        address = ("127.0.0.1", server.client_port)
        before = ssl.get_server_certificate(address)
        assert ssl.get_server_certificate(address) == before
        authority.issue("server")
        assert ssl.get_server_certificate(address) != before
        assert _etcdctl(server, authority)("put", "a", "b").strip() == "OK"


@pytest.mark.parametrize("target", target_names())
def test_a_certificates_common_name_is_the_user(target: str, authority: Authority, tmp_path: Path) -> None:
    root, alice = authority.issue("root", "root"), authority.issue("alice", "alice")
    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority, root)) as server:
        etcdctl = _etcdctl(server, authority, root)
        for words in ("user add root --no-password", "user add alice --no-password", "role add root", "role add r"):
            etcdctl(*words.split())
        etcdctl("user", "grant-role", "root", "root")
        etcdctl("user", "grant-role", "alice", "r")
        etcdctl("role", "grant-permission", "r", "readwrite", "mine")
        etcdctl("auth", "enable")
        as_alice = _etcdctl(server, authority, alice)
        assert as_alice("put", "mine", "1").strip() == "OK"
        refused = as_alice.run("put", "yours", "1")
        assert refused.status != 0 and "permission denied" in refused.errors + refused.output


def test_auto_tls_makes_a_certificate_that_stays(tmp_path: Path) -> None:
    class Secure(OurEtcd):
        @property
        def client_url(self) -> str:
            return f"https://127.0.0.1:{self.client_port}"

    server = Secure(tmp_path / "server", ["--auto-tls"])
    server.child.spawn()
    try:
        certificate = server.data_dir / "fixtures" / "client" / "cert.pem"
        insecure = Etcdctl(server.client_url, "--insecure-skip-tls-verify", "--insecure-transport=false")
        _until_answers(insecure)
        first = certificate.read_bytes()
        server.stop()
        server.child.spawn()
        _until_answers(insecure)
        assert certificate.read_bytes() == first
    finally:
        server.kill()


def _until_answers(etcdctl: Etcdctl) -> None:
    for _ in range(20):
        if etcdctl.run("put", "a", "b").status == 0:
            return
    raise AssertionError("no answer over TLS")


@pytest.mark.parametrize("target", target_names())
def test_our_client_speaks_tls_with_a_certificate(target: str, authority: Authority, tmp_path: Path) -> None:
    alice = authority.issue("alice", "alice")

    async def story(address: str) -> None:
        tls = ClientTls(authority.ca_file, alice.cert_file, alice.key_file)
        async with connect(address, tls=tls) as client:
            await client.put("a", "b")
            assert (await client.get("a")).kvs[0].value == b"b"
        async with connect(address, tls=ClientTls(authority.ca_file), timeout_s=2) as stranger:
            with pytest.raises(EtcdError):
                await stranger.get("a")

    with TARGETS[target](tmp_path / "server", certificates=_certificates(authority, alice)) as server:
        asyncio.run(story(server.client_url))


def test_the_peer_port_is_secured_by_its_own_flags(authority: Authority, tmp_path: Path) -> None:
    peer, alice = authority.issue("peer"), authority.issue("alice", "alice")

    class SecurePeers(OurEtcd):
        @property
        def peer_url(self) -> str:
            return f"https://127.0.0.1:{self.peer_port}"

    flags = ["--peer-cert-file", peer.cert_file, "--peer-key-file", peer.key_file]
    flags += ["--peer-trusted-ca-file", authority.ca_file, "--peer-cert-allowed-cn", "alice"]
    with SecurePeers(tmp_path / "server", flags) as server:
        assert '"etcdserver":"3.6' in _get(server.peer_url + "/version", authority, alice)
        bob = authority.issue("bob", "bob")
        for pair in (None, bob):
            with pytest.raises((ssl.SSLError, OSError)):
                _get(server.peer_url + "/version", authority, pair)


def _mixed(target: str, authority: Authority, folder: Path, plain: str, secure: str, *more: str) -> EtcdServer:
    server = authority.issue("server")
    flags = ["--cert-file", server.cert_file, "--key-file", server.key_file]
    flags += ["--listen-client-urls", f"{secure},{plain}", "--advertise-client-urls", f"{plain},{secure}", *more]
    return TARGETS[target](folder, flags)


@pytest.mark.parametrize("target", target_names())
def test_one_port_takes_connections_with_and_without_tls(target: str, authority: Authority, tmp_path: Path) -> None:
    port = free_port()
    plain, secure = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}"
    server = _mixed(target, authority, tmp_path / "server", plain, secure)
    server.client_port = port
    with server, socket.create_connection(("127.0.0.1", port)) as silent:
        assert Etcdctl(plain)("put", "a", "b").strip() == "OK"
        assert Etcdctl(secure, f"--cacert={authority.ca_file}")("get", "a", "--print-value-only").strip() == "b"
        assert '"health":"true"' in _get(f"{secure}/health", authority)
        with urllib.request.urlopen(f"{plain}/health", timeout=5) as answer:
            assert b'"health":"true"' in answer.read()
        # Who ends a handshake, says nothing or speaks nothing known keeps nobody from coming in.
        with pytest.raises((ssl.SSLError, urllib.error.URLError)):
            urllib.request.urlopen(f"{secure}/health", timeout=5)
        for said in (b"\x16", b"\x16\x03\x01\x00\x05junk!", b"\xff" * 100):
            with socket.create_connection(("127.0.0.1", port)) as odd:
                odd.sendall(said)
        assert Etcdctl(secure, f"--cacert={authority.ca_file}")("get", "a", "--print-value-only").strip() == "b"
        members = Etcdctl(plain)("member", "list")
        assert plain in members and secure in members
        silent.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent.recv(1)
        if isinstance(server, OurEtcd):
            # etcd waits for the silent one, for good.
            server.stop()
            silent.settimeout(10)
            with suppress(ConnectionResetError):
                assert silent.recv(1) == b""


@pytest.mark.parametrize("target", target_names())
def test_a_unix_socket_takes_both_too(target: str, authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "etcd.sock"
    port = free_port()
    server = authority.issue("server")
    flags = ["--cert-file", server.cert_file, "--key-file", server.key_file]
    flags += ["--listen-client-urls", f"unix://{path},unixs://{path},http://127.0.0.1:{port}"]
    started = TARGETS[target](tmp_path / "server", flags)
    started.client_port = port
    with started:
        assert Etcdctl(f"unix://{path}")("put", "a", "b").strip() == "OK"
        context = ssl.create_default_context(cafile=authority.ca_file)
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(path))
            with context.wrap_socket(raw, server_hostname="localhost") as client:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
        started.stop()
    assert not path.exists()


@pytest.mark.parametrize("target", target_names())
def test_grpc_and_http_alone_do_not_share_an_address(target: str, authority: Authority, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    refused = TARGETS[target](tmp_path / "server", ["--listen-client-urls", url, "--listen-client-http-urls", url])
    refused.child.spawn()
    wait_until(lambda: not refused.child.is_running(), 30, "it ends")
    text = "cannot bind both --listen-client-urls and --listen-client-http-urls on the same url " + url
    assert text in refused.child.log_text()
