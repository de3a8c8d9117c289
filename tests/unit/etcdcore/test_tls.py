"""What a port's TLS lets in, shown by handshakes in memory."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from etcdcore.config import ConfigError, TlsConfig
from etcdcore.tls import ServerTls, TlsRefused, self_signed
from tests.certificates import Authority, Pair


def _handshake(server: ServerTls, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.context.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends


def _client(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.set_alpn_protocols(["h2"])
    if pair is not None:
        context.load_cert_chain(pair.cert_file, pair.key_file)
    return context


def _config(pair: Pair) -> TlsConfig:
    return TlsConfig(cert_file=pair.cert_file, key_file=pair.key_file)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _shown_serial(end: ssl.SSLObject) -> int:
    encoded = end.getpeercert(binary_form=True)
    assert encoded is not None
    return x509.load_der_x509_certificate(encoded).serial_number


def test_a_server_certificate_is_enough_for_clients_without_one(authority: Authority) -> None:
    tls = ServerTls(_config(authority.issue("server")))
    client, server = _handshake(tls, _client(authority))
    assert client.selected_alpn_protocol() == "h2"
    assert tls.check_client(server) == ""


def test_a_certificate_that_changes_is_shown_in_the_next_handshake(authority: Authority) -> None:
    """etcd re-reads certificates at each handshake, TestTLSReload."""
    first = authority.issue("server")
    tls = ServerTls(_config(first))
    assert _shown_serial(_handshake(tls, _client(authority))[0]) == first.serial
    second = authority.issue("server")
    assert _shown_serial(_handshake(tls, _client(authority))[0]) == second.serial != first.serial


def test_a_certificate_half_written_leaves_the_last_one_in_use(authority: Authority) -> None:
    first = authority.issue("server")
    tls = ServerTls(_config(first))
    Path(first.cert_file).write_text("nothing")
    assert _shown_serial(_handshake(tls, _client(authority))[0]) == first.serial


@pytest.mark.parametrize("setting", ["client_cert_auth", "trusted_ca_file"])
def test_a_client_shows_a_certificate_of_the_authority_or_is_sent_away(authority: Authority, setting: str) -> None:
    """As in etcd a CA file alone asks for certificates too; without one the system's authorities count."""
    config = replace(_config(authority.issue("server")), trusted_ca_file=authority.ca_file)
    tls = ServerTls(replace(config, client_cert_auth=setting == "client_cert_auth"))
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        _handshake(tls, _client(authority))
    stranger = Authority(Path(authority.ca_file).parent / "other", "stranger").issue("client", "mallory")
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        _handshake(tls, _client(authority, stranger))
    _, server = _handshake(tls, _client(authority, authority.issue("client", "alice")))
    assert tls.check_client(server) == "alice"


def test_a_revoked_certificate_is_refused_as_soon_as_the_list_names_it(authority: Authority) -> None:
    alice, bob = authority.issue("alice", "alice"), authority.issue("bob", "bob")
    crl = authority.revoke(bob)
    config = replace(_config(authority.issue("server")), trusted_ca_file=authority.ca_file, crl_file=crl)
    tls = ServerTls(config)
    assert tls.check_client(_handshake(tls, _client(authority, alice))[1]) == "alice"
    with pytest.raises(TlsRefused, match="revoked"):
        tls.check_client(_handshake(tls, _client(authority, bob))[1])
    authority.revoke(alice, bob)
    with pytest.raises(TlsRefused, match="revoked"):
        tls.check_client(_handshake(tls, _client(authority, alice))[1])


def test_only_allowed_names_come_in(authority: Authority) -> None:
    config = replace(_config(authority.issue("server")), trusted_ca_file=authority.ca_file)
    by_cn = ServerTls(replace(config, allowed_cns=("alice", "carol")))
    by_host = ServerTls(replace(config, allowed_hostnames=("db.example.net",)))
    alice = _client(authority, authority.issue("alice", "alice", ("*.example.net",)))
    bob = _client(authority, authority.issue("bob", "bob", ("example.net", "10.0.0.1")))
    for tls in (by_cn, by_host):
        assert tls.check_client(_handshake(tls, alice)[1]) == "alice"
        with pytest.raises(TlsRefused, match="bob"):
            tls.check_client(_handshake(tls, bob)[1])
    by_address = ServerTls(replace(config, allowed_hostnames=("10.0.0.1",)))
    assert by_address.check_client(_handshake(by_address, bob)[1]) == "bob"


def test_versions_and_suites_are_held_to(authority: Authority) -> None:
    config = replace(
        _config(authority.issue("server")),
        max_version="TLS1.2",
        cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",),
    )
    client, _ = _handshake(ServerTls(config), _client(authority))
    cipher = client.cipher()
    assert client.version() == "TLSv1.2"
    assert cipher is not None and cipher[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    only_new = _client(authority)
    only_new.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(ssl.SSLError):
        _handshake(ServerTls(config), only_new)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        ServerTls(TlsConfig(cert_file="nowhere.pem", key_file="nowhere.key"))


def test_a_self_signed_certificate_is_made_once_and_used_again(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "fixtures", ("127.0.0.1", "localhost"), TlsConfig(auto_tls=True))
    first = Path(made.cert_file).read_bytes()
    assert Path(made.key_file).stat().st_mode & 0o777 == 0o600
    again = self_signed(tmp_path / "fixtures", ("127.0.0.1",), TlsConfig(auto_tls=True))
    assert Path(again.cert_file).read_bytes() == first
    context = ssl.create_default_context(cafile=made.cert_file)
    client, _ = _handshake(ServerTls(made), context)
    assert client.version() == "TLSv1.3"
