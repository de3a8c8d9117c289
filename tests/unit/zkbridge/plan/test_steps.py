"""Which error comes first, and what a create may be called. Source: reference sections 2.3, 3.2, 4.1, 4.2."""

import pytest

from tests.unit.zkbridge.plan.worlds import OPEN, SESSION, STRANGER, USER, World, path_of
from zkbridge.errors import (
    BAD_ARGUMENTS,
    BAD_VERSION,
    INVALID_ACL,
    MARSHALLING_ERROR,
    NO_AUTH,
    NO_CHILDREN_FOR_EPHEMERALS,
    NO_NODE,
    NODE_EXISTS,
    NOT_EMPTY,
    SESSION_EXPIRED,
    UNIMPLEMENTED,
)
from zkbridge.jute.records import ACL, Id
from zkbridge.plan.plan import Plan
from zkbridge.plan.session import plan_close_session
from zkbridge.tree.znode import CONTAINER_OWNER, TTL_OWNER

PRIVATE = [ACL(31, Id("digest", "u:hash"))]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (None, MARSHALLING_ERROR),
        ("", BAD_ARGUMENTS),
        ("foo", BAD_ARGUMENTS),
        ("foo/bar", NO_NODE),
        ("/", NODE_EXISTS),
        ("/a\0b", BAD_ARGUMENTS),
        ("/missing/../x", NO_NODE),
        ("/missing/", NO_NODE),
        ("/here/", BAD_ARGUMENTS),
        ("/here/..", BAD_ARGUMENTS),
        ("/here/\ud800", BAD_ARGUMENTS),
        ("//", BAD_ARGUMENTS),
        ("/here", NODE_EXISTS),
        ("/zookeeper", NODE_EXISTS),
    ],
)
def test_create_refuses_a_path_with_zookeepers_code(path: str | None, code: int) -> None:
    world = World()
    world.create("/here")
    assert world.create(path) == code


def test_bad_flags_beat_everything_even_a_null_path() -> None:
    world = World()
    assert world.create("foo", flags=7, acl=None) == BAD_ARGUMENTS
    assert world.create(None, flags=7) == BAD_ARGUMENTS
    assert World(is_ttl_enabled=False).create(None, flags=5) == UNIMPLEMENTED


def test_a_ttl_mode_is_unimplemented_until_it_is_enabled() -> None:
    assert World(is_ttl_enabled=False).create_ttl("/t") == UNIMPLEMENTED
    assert World(is_ttl_enabled=False).create("/t", flags=5) == UNIMPLEMENTED
    assert World().create("/t", flags=5) == BAD_ARGUMENTS


@pytest.mark.parametrize(("flags", "ttl_ms"), [(5, 0), (5, -1), (5, 2**40), (0, 1_000), (6, -5)])
def test_a_ttl_out_of_range_or_with_a_plain_mode_is_a_bad_argument(flags: int, ttl_ms: int) -> None:
    assert World().create_ttl("/t", flags, ttl_ms) == BAD_ARGUMENTS


def test_a_bad_acl_beats_a_missing_parent() -> None:
    world = World()
    assert world.create("/missing/x", acl=[]) == INVALID_ACL
    assert world.create("/missing/x", acl=None) == INVALID_ACL
    assert world.create("/missing/x", acl=[ACL(31, Id("world", None))]) == MARSHALLING_ERROR


def test_a_refused_parent_beats_a_bad_path_and_an_existing_znode() -> None:
    world = World(USER)
    world.create("/p", acl=PRIVATE)
    world.create("/p/x")
    world.context.credentials = STRANGER
    assert world.create("/p/x") == NO_AUTH
    assert world.create("/p/..") == NO_AUTH


def test_node_exists_beats_no_children_for_ephemerals() -> None:
    world = World()
    world.create("/e", flags=1)
    assert world.create("/e/x") == NO_CHILDREN_FOR_EPHEMERALS
    assert world.create("/e") == NODE_EXISTS


def test_the_opcode_decides_what_is_stored() -> None:
    world = World()
    world.create("/plain", flags=4)
    world.create("/container", opcode=19)
    world.create("/container-ephemeral", flags=1, opcode=19)
    world.create("/ephemeral", flags=1)
    world.create_ttl("/ttl", 5, 1_234)
    owners = {path: znode.owner for path, znode in world.replica.znodes.items() if "zookeeper" not in path}
    assert owners == {
        "/": 0,
        "/plain": 0,
        "/container": CONTAINER_OWNER,
        "/container-ephemeral": CONTAINER_OWNER,
        "/ephemeral": SESSION,
        "/ttl": TTL_OWNER + 1_234,
    }
    assert world.replica.containers == {"/container", "/container-ephemeral"}


def test_a_container_and_a_ttl_znode_may_have_children() -> None:
    world = World()
    world.create("/c", opcode=19)
    world.create_ttl("/t")
    assert path_of(world.create("/c/x")) == "/c/x"
    assert path_of(world.create("/t/x")) == "/t/x"


def test_the_suffix_counts_every_create_and_no_delete() -> None:
    world = World()
    world.create("/q")
    assert path_of(world.create("/q/x", flags=2)) == "/q/x0000000000"
    world.create("/q/y")
    world.delete("/q/y")
    assert path_of(world.create("/q/z", flags=3)) == "/q/z0000000002"


def test_the_suffix_starts_anew_with_the_parent() -> None:
    world = World()
    world.create("/q")
    world.create("/q/x")
    world.delete("/q/x")
    world.delete("/q")
    world.create("/q")
    assert path_of(world.create("/q/x", flags=2)) == "/q/x0000000000"


def test_a_sequential_create_may_have_an_empty_name() -> None:
    world = World()
    world.create("/a")
    assert path_of(world.create("/a/", flags=2)) == "/a/0000000000"
    assert path_of(world.create("/", flags=2)) == "/0000000001"


def test_delete_refuses_in_zookeepers_order() -> None:
    world = World(USER)
    world.create("/p", acl=PRIVATE)
    world.create("/p/x")
    world.create("/p/x/y")
    for path in ("", "x", "/a\0", "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"):
        assert world.delete(path) == BAD_ARGUMENTS, path
    assert world.delete(None) == MARSHALLING_ERROR
    assert world.delete("/p/") == NO_NODE
    assert world.delete("/missing/x") == NO_NODE
    assert world.delete("/p/x", version=7) == BAD_VERSION
    assert world.delete("/p/x") == NOT_EMPTY
    assert world.delete("/p/missing") == NO_NODE
    world.context.credentials = STRANGER
    assert world.delete("/p/missing") == NO_AUTH


def test_set_data_refuses_in_zookeepers_order() -> None:
    world = World(USER)
    world.create("/p", acl=PRIVATE)
    assert world.set_data(None) == BAD_ARGUMENTS
    assert world.set_data("/p/") == BAD_ARGUMENTS
    assert world.set_data("/missing") == NO_NODE
    assert world.set_data("/p", version=1) == BAD_VERSION
    assert world.set_data("/p", version=-2) == BAD_VERSION
    assert world.set_data("/zookeeper/config") == NO_AUTH
    world.context.credentials = STRANGER
    assert world.set_data("/p", version=1) == NO_AUTH


def test_set_acl_refuses_in_zookeepers_order() -> None:
    world = World(USER)
    world.create("/p", acl=PRIVATE)
    assert world.set_acl("/p/") == BAD_ARGUMENTS
    assert world.set_acl("/missing", acl=[]) == INVALID_ACL
    assert world.set_acl("/missing") == NO_NODE
    assert world.set_acl("/p", version=1) == BAD_VERSION
    world.context.credentials = STRANGER
    assert world.set_acl("/p", version=1) == NO_AUTH


def test_a_version_wraps_as_javas_int_does() -> None:
    world = World()
    world.create("/v")
    world.replica.znodes["/v"].version = 2**31 - 1
    world.set_data("/v")
    assert world.replica.znodes["/v"].version == -(2**31)


def test_a_closed_session_writes_no_more() -> None:
    world = World()
    world.create("/x")
    world.hold = True
    world.done(plan_close_session(SESSION, world.overlay, world.context))
    assert world.create("/y", acl=OPEN) == SESSION_EXPIRED
    assert world.delete("/x") == SESSION_EXPIRED
    assert world.set_data("/x") == SESSION_EXPIRED
    assert world.set_acl("/x") == SESSION_EXPIRED
    assert plan_close_session(SESSION, world.overlay, world.context) == SESSION_EXPIRED


def test_a_refusal_leaves_no_trace_on_the_overlay() -> None:
    world = World()
    world.create("/here")
    world.create("/here")
    world.create("/missing/x")
    world.set_data("/here", version=9)
    world.delete("/here", version=9)
    assert world.overlay.pending_count() == 0


def test_plans_in_flight_are_seen_by_those_behind_them() -> None:
    world = World()
    world.hold = True
    assert isinstance(world.create("/a"), Plan)
    assert world.create("/a") == NODE_EXISTS
    assert isinstance(world.create("/a/b"), Plan)
    assert world.delete("/a") == NOT_EMPTY
    assert isinstance(world.set_data("/a/b", version=0), Plan)
    assert world.set_data("/a/b", version=0) == BAD_VERSION
    assert isinstance(world.delete("/a/b", version=1), Plan)
    assert isinstance(world.delete("/a"), Plan)
    assert world.set_data("/a") == NO_NODE
