"""OpenStack's python client, which speaks nothing but the gateway: etcd3gw from PyPI, unchanged."""

from __future__ import annotations

import threading

import pytest
from etcd3gw.client import Etcd3Client
from etcd3gw.exceptions import ConnectionFailedError

from integration.peers.etcd import EtcdServer

ANSWER_S = 20


@pytest.fixture
def client(etcd: EtcdServer) -> Etcd3Client:
    return Etcd3Client("127.0.0.1", etcd.client_port, timeout=ANSWER_S)


def test_it_finds_the_path_of_the_api_by_the_version(client: Etcd3Client) -> None:
    assert client.api_path == "/v3/"
    assert client.status()["version"].startswith("3.6.")
    assert len(client.members()) == 1


def test_keys_are_put_read_replaced_and_deleted(client: Etcd3Client) -> None:
    assert client.put("key", b"\x00\xff")
    assert client.get("key") == [b"\x00\xff"]
    assert client.create("new", "1")
    assert not client.create("new", "2")
    assert client.replace("new", "1", "3")
    assert not client.replace("new", "1", "4")
    assert [value for value, _ in client.get_prefix("ne")] == [b"3"]
    assert {pair["key"] for _, pair in client.get_all()} == {b"key", b"new"}
    assert client.delete("key")
    assert not client.delete("key")
    assert client.delete_prefix("n")
    assert client.get("new") == []


def test_leases_and_locks(client: Etcd3Client) -> None:
    lease = client.lease(60)
    assert client.put("leased", "x", lease)
    assert 0 < lease.ttl() <= 60
    assert lease.refresh() == 60
    assert lease.keys() == [b"leased"]
    assert lease.revoke()
    assert client.get("leased") == []
    with client.lock("one", ttl=30) as lock:
        assert lock.is_acquired()
        assert not client.lock("one", ttl=30).acquire()
        assert lock.refresh() == 30
    assert client.lock("one", ttl=30).acquire()


def test_a_watch_tells_of_puts_and_deletes(client: Etcd3Client, etcd: EtcdServer) -> None:
    events, cancel = client.watch_prefix("w")
    writer = Etcd3Client("127.0.0.1", etcd.client_port, timeout=ANSWER_S)
    writer.put("w1", "a")
    writer.delete("w1")
    first, second = next(events), next(events)
    assert (first["kv"]["key"], first["kv"]["value"]) == (b"w1", b"a")
    assert (second["kv"]["key"], second["type"]) == (b"w1", "DELETE")
    cancel()


def test_waiting_once_for_a_key(client: Etcd3Client, etcd: EtcdServer) -> None:
    writer = Etcd3Client("127.0.0.1", etcd.client_port, timeout=ANSWER_S)
    timer = threading.Timer(0.5, writer.put, ("awaited", "now"))
    timer.start()
    assert client.watch_once("awaited", timeout=ANSWER_S)["kv"]["value"] == b"now"
    timer.join()


def test_a_server_that_is_not_there_is_its_connection_error(client: Etcd3Client, etcd: EtcdServer) -> None:
    client.put("a", "b")
    etcd.kill()
    with pytest.raises(ConnectionFailedError):
        client.get("a")
