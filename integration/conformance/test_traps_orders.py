"""Orders that come out of Java's hash tables, on the bridge and on ZooKeeper; see `zkbridge.tree.java_order`.

A session's ephemerals go in the order of a cloned `HashSet` of their paths (DataTree.getEphemerals,
PrepRequestProcessor closeSession); a connection's ids stand in that of a `ConcurrentHashMap` (ServerCnxn.authInfo).
"""

from __future__ import annotations

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    EPHEMERAL,
    RawClient,
    read_text,
    read_texts,
    text,
    wait_gone,
)
from integration.conformance.script import digest_id
from integration.conformance.wire import Acl

NAMES = ("c0000000006", "b0000000005", "s-0020000000017", "a", "z")
DELETED_ORDER = ["s-0020000000017", "c0000000006", "a", "z", "b0000000005"]
KEPT_ORDER = ["n3", "again", "n35", "n14", "n26", "n15"]
AUTH_ORDER = ["eve", "u3", "carol", "u1", "alice"]
WHO_AM_I_PLACE = 3
"""Where the address stands among them."""

GROWN_ORDER = b"25 0 11 4 1 21 3 23 5 19 24 10 16 27 7 12 22 28 9 6 15 2 8 13 26 29 20 14 17 18".split()


def _gone(client: RawClient) -> list[str]:
    return [event.path.rpartition("/")[2] for event in client.taken_events() if event.kind == 2]


@pytest.mark.parametrize("end", ["close", "expiry"])
def test_the_end_of_a_session_deletes_in_the_order_of_a_hash_set(
    connect: Connect, client: RawClient, end: str
) -> None:
    owner = connect(timeout_ms=1_000)
    client.create("/co")
    for name in NAMES:
        owner.create(f"/co/{name}", flags=EPHEMERAL)
        client.exists(f"/co/{name}", watch=True)
    listed = [path.rpartition("/")[2] for path in read_texts(owner.ok(wire.GET_EPHEMERALS, text("/")))]
    assert listed == DELETED_ORDER
    if end == "close":
        owner.close_session()
    else:
        owner.drop()
        wait_gone(client, "/co/a", 30)
    assert _gone(client) == DELETED_ORDER
    client.delete("/co")


def test_the_order_keeps_the_size_that_the_table_once_had(connect: Connect, client: RawClient) -> None:
    """The set has grown for forty names, its clone is made for the five that are left."""
    owner = connect()
    client.create("/ot")
    for number in range(40):
        owner.create(f"/ot/n{number}", flags=EPHEMERAL)
    for number in range(40):
        if number not in (3, 14, 15, 26, 35):
            owner.delete(f"/ot/n{number}")
    owner.create("/ot/again", flags=EPHEMERAL)
    left = ("n3", "n14", "n15", "n26", "n35", "again")
    for name in left:
        client.exists(f"/ot/{name}", watch=True)
    owner.close_session()
    assert _gone(client) == KEPT_ORDER
    client.delete("/ot")


def test_the_ids_of_a_connection_come_in_the_order_of_a_concurrent_map(client: RawClient, root: str) -> None:
    """What auth expands to is stored; whoAmI shows the address among them."""
    users = ("eve", "u1", "carol", "u3", "alice")
    for user in users:
        client.add_auth("digest", f"{user}:{user}".encode())
    auth: list[Acl] = [(31, b"auth", b"")]
    client.create(f"{root}/a", acl=auth)
    by_id: dict[bytes | None, str] = {digest_id(user, user): user for user in users}
    assert [by_id[id] for _, _, id in client.get_acl(f"{root}/a")[0]] == AUTH_ORDER
    cursor = client.ok(wire.WHO_AM_I)
    infos = [(read_text(cursor), read_text(cursor)) for _ in range(cursor.i32())]
    assert [user for scheme, user in infos if scheme == "digest"] == AUTH_ORDER
    assert infos[WHO_AM_I_PLACE] == ("ip", "127.0.0.1")


def test_more_ids_than_the_map_begins_with_make_it_grow(client: RawClient, root: str) -> None:
    for number in range(30):
        client.add_auth("digest", f"user{number}:x".encode())
    client.create(f"{root}/a", acl=[(31, b"auth", b"")])
    acl = client.get_acl(f"{root}/a")[0]
    assert [(id or b"").split(b":")[0].removeprefix(b"user") for _, _, id in acl] == GROWN_ORDER
