"""Whatever comes over HTTP: an answer that says whose fault it is, a process that lives, and memory that stays.

Source: style section 10 (no client input may cause anything but a refusal), reference 8.3.30.
"""

from __future__ import annotations

import json
import random
import re
import socket
from pathlib import Path

import pytest

from etcdcore.web.routes import ROUTES
from integration.etcd.web.http_client import HttpClient, b64
from integration.peers.etcd import OurEtcd

ROUNDS = 20
MEMORY_GROWTH_MAX = 64 << 20
HONEST_500 = re.compile(rb'"code":(2|13|15),"message":"(?!internal error)')
"""etcd's own errors of code Unknown, such as `election: no leader`."""
ENDLESS = frozenset({"/v3/watch", "/v3/election/observe", "/v3/election/campaign", "/v3/lock/lock"})
"""These wait for what never comes, as in etcd."""
WORDS = (
    "key", "range_end", "limit", "value", "lease", "ID", "TTL", "compare", "success", "failure", "request_put",
    "requestRange", "request_txn", "create_request", "cancel_request", "watch_id", "name", "password", "role", "perm",
    "permType", "leader", "rev", "revision", "action", "alarm", "memberID", "peerURLs", "targetID", "version", "target",
)  # fmt: skip


def any_value(rng: random.Random, depth: int = 0) -> object:
    kind = rng.randrange(12 if depth < 4 else 8)
    if kind < 2:
        return b64(rng.randbytes(rng.randrange(6)))
    if kind == 2:
        return rng.choice([0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 1.5, 1e300])
    if kind == 3:
        return str(rng.choice([0, 1, -1, 2**63 - 1, 2**64, "x", "", "1e5"]))
    if kind == 4:
        return rng.choice([None, True, False])
    if kind < 8:
        return rng.choice(["PUT", "DESCEND", "VALUE", "READWRITE", "NOSPACE", "\x00", "é€😀", "%", "a" * 300])
    if kind < 10:
        return {rng.choice(WORDS): any_value(rng, depth + 1) for _ in range(rng.randrange(5))}
    return [any_value(rng, depth + 1) for _ in range(rng.randrange(4))]


def any_body(rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return rng.randbytes(rng.randrange(200))
    text = json.dumps({rng.choice(WORDS): any_value(rng) for _ in range(rng.randrange(6))}).encode()
    if rng.random() < 0.3:
        cut = rng.randrange(len(text) + 1)
        text = text[:cut] + rng.randbytes(rng.randrange(3)) + text[cut + rng.randrange(3) :]
    return text


def memory_of(http: HttpClient) -> int:
    found = re.search(rb"^process_resident_memory_bytes (\d+)$", http.get("/metrics").body, re.MULTILINE)
    assert found is not None
    return int(found.group(1))


@pytest.fixture
def http(our_etcd: OurEtcd) -> HttpClient:
    return HttpClient(our_etcd)


@pytest.mark.parametrize("seed", range(3))
def test_any_json_to_any_endpoint_is_answered(http: HttpClient, seed: int) -> None:
    rng = random.Random(seed)
    for path in sorted(ROUTES):
        if path in ENDLESS or path == "/v3/auth/enable":
            continue
        for _ in range(ROUNDS):
            body = any_body(rng)
            answer = http.request("POST", path, body)
            assert answer.status < 500 or answer.status in (501, 503) or HONEST_500.search(answer.body), (
                path,
                body,
                answer,
            )
    assert http.get("/health").status == 200
    log = Path(http.server.folder / "server.log").read_text()
    assert "Traceback" not in log
    assert "call_failed" not in log


def test_any_paths_methods_and_headers_are_answered(http: HttpClient) -> None:
    rng = random.Random(7)
    for _ in range(400):
        path = "/" + "".join(rng.choice("abv3/%.?&=~;:@*é\\'\"{}[]|^`<>") for _ in range(rng.randrange(30)))
        raw = f"{rng.choice(['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'X'])} {path} HTTP/1.1\r\n"
        for _ in range(rng.randrange(4)):
            name = rng.choice(["Host", "Authorization", "Grpc-Timeout", "Origin", "Content-Length", "Upgrade", "X"])
            raw += f"{name}: {''.join(chr(rng.randrange(32, 300)) for _ in range(rng.randrange(20)))}\r\n"
        with socket.create_connection(("127.0.0.1", http.server.client_port), timeout=10) as connection:
            connection.sendall(raw.encode("utf-8") + b"\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert http.get("/health").status == 200
    assert "Traceback" not in Path(http.server.folder / "server.log").read_text()


def test_bodies_without_end_are_bounded(http: HttpClient) -> None:
    """To a unary method, to a stream that waits for the end of an object, and to a page that reads no body."""
    http.get("/health")
    before = memory_of(http)
    for path in ("/v3/kv/put", "/v3/watch", "/v3/maintenance/snapshot", "/health", "/nope"):
        with socket.create_connection(("127.0.0.1", http.server.client_port), timeout=10) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            piece = b'{"key":"' + b"A" * (1 << 20)
            try:
                for _ in range(128):
                    connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
                    piece = b"A" * (1 << 20)
            except OSError:
                continue  # turned away, which is as good
    assert memory_of(http) - before < MEMORY_GROWTH_MAX
    assert http.get("/health").status == 200


def test_a_watcher_that_never_reads_costs_a_bounded_amount(http: HttpClient) -> None:
    """Its socket, its queue and the stream's outbox fill up, then history serves it (reference 8.3.30)."""
    create = json.dumps({"create_request": {"key": b64("k")}}).encode()
    with socket.create_connection(("127.0.0.1", http.server.client_port), timeout=10) as connection:
        head = f"POST /v3/watch HTTP/1.1\r\nHost: a\r\nContent-Length: {len(create)}\r\n\r\n".encode()
        connection.sendall(head + create)
        value = b64(bytes(100_000))
        http.call("/v3/kv/put", {"key": b64("k"), "value": value})
        before = memory_of(http)
        for _ in range(600):
            http.call("/v3/kv/put", {"key": b64("k"), "value": value})
        # The values themselves are in the store's file, whose mapped pages count as resident.
        assert memory_of(http) - before < MEMORY_GROWTH_MAX + 2 * 600 * 100_000
        assert http.get("/health").status == 200


def test_keepalives_that_nobody_reads_answers_of_are_held_back(http: HttpClient) -> None:
    http.get("/health")
    before = memory_of(http)
    with socket.create_connection(("127.0.0.1", http.server.client_port), timeout=2) as connection:
        connection.sendall(b"POST /v3/lease/keepalive HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b'{"ID":"5"}' * 5000
        with pytest.raises(TimeoutError):
            for _ in range(2000):
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    assert memory_of(http) - before < MEMORY_GROWTH_MAX
    assert http.get("/health").status == 200
