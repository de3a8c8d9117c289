"""The gateway and the pages over TLS, with HTTP/1.1 and HTTP/2, and with client certificates that have names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.etcd.web.http_client import without_ids
from integration.peers.etcd import TARGETS, Certificates, EtcdServer, target_names
from integration.peers.requirements import require_program
from tests.certificates import Authority

NAME_IGNORED = "CommonName of client sending a request against gateway will be ignored and not used as expected\n"


@pytest.fixture(params=target_names())
def secure(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EtcdServer]:
    """A server that wants certificates; the client's is of user `root`."""
    authority = Authority(tmp_path / "certificates")
    server, client = authority.issue("server", hosts=("127.0.0.1", "localhost")), authority.issue("client", "root")
    files = Certificates(
        Path(authority.ca_file),
        Path(server.cert_file),
        Path(server.key_file),
        Path(client.cert_file),
        Path(client.key_file),
    )
    with TARGETS[request.param](tmp_path / "etcd", ["--host-whitelist=nobody.example"], certificates=files) as started:
        yield started


def ask(server: EtcdServer, path: str, body: object = None, *flags: str) -> tuple[str, object]:
    """HTTP version with status, and what was answered."""
    files = server.certificates
    assert files is not None and files.client_certificate is not None and files.client_key is not None
    curl = [require_program("curl", "curl"), "-sS", "-w", "\n%{http_version} %{http_code}", *flags]
    curl += ["--cacert", str(files.authority), "--cert", str(files.client_certificate), "--key", str(files.client_key)]
    if body is not None:
        curl += ["-d", json.dumps(body)]
    done = subprocess.run([*curl, server.client_url + path], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer, _, status = done.stdout.rpartition(b"\n")
    return status.decode(), without_ids(answer)


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_secure_port_serves_all_of_it_in_both_versions(secure: EtcdServer, version: str) -> None:
    """The whitelist is for plain connections only."""
    flag = "--http2" if version == "2" else "--http1.1"
    assert ask(secure, "/health", None, flag) == (f"{version} 200", {"health": "true", "reason": ""})
    assert ask(secure, "/livez?verbose", None, flag) == (f"{version} 200", "[+]serializable_read ok\nok\n")
    status, answer = ask(secure, "/v3/kv/put", {"key": "YQ=="}, flag)
    assert status == f"{version} 200" and isinstance(answer, dict)
    status, answer = ask(secure, "/v3/lease/keepalive", {"ID": "5"}, flag)
    assert status == f"{version} 200"
    assert ask(secure, "/v3/nope", {}, flag) == (f"{version} 404", {"code": 5, "message": "Not Found"})


def test_a_named_certificate_is_nobody_at_the_gateway_and_refused_once_there_are_users(secure: EtcdServer) -> None:
    for path, body in (
        ("/v3/auth/user/add", {"name": "root", "password": "r"}),
        ("/v3/auth/role/add", {"name": "root"}),
        ("/v3/auth/user/grant", {"user": "root", "role": "root"}),
        ("/v3/auth/enable", {}),
    ):
        status, _ = ask(secure, path, body)
        assert status.endswith(" 200"), path
    for path in ("/v3/kv/range", "/v3beta/kv/range", "/v3/nope"):
        status, answer = ask(secure, path, {"key": "YQ=="}, "--http1.1")
        assert (status, answer) == ("1.1 400", NAME_IGNORED)
    assert ask(secure, "/health", None, "--http1.1") == ("1.1 200", {"health": "true", "reason": ""})
