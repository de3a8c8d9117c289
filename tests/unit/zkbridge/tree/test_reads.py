"""Reads answer from the replica with ZooKeeper's bytes. Source: reference sections 2.1, 2.2, 2.5, 3.2."""

from tests.unit.zkbridge.plan.worlds import OPEN, STRANGER, USER, World
from zkbridge.errors import MARSHALLING_ERROR, NO_AUTH, NO_NODE, OK
from zkbridge.jute.multi import MultiReadRequest, MultiResponse
from zkbridge.jute.records import (
    ACL,
    ErrorResponse,
    ExistsResponse,
    GetACLResponse,
    GetAllChildrenNumberResponse,
    GetChildren2Response,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    GetEphemeralsResponse,
    Id,
    Stat,
)
from zkbridge.tree import reads

HIDDEN = [ACL(30, Id("world", "anyone")), ACL(1, Id("digest", "u:hash"))]


def world_of_znodes() -> World:
    world = World()
    world.create("/p", data=b"data")
    world.create("/p/x", data=None)
    world.create("/p/e", flags=1)
    world.create("/hidden")
    world.set_acl("/hidden", HIDDEN)
    return world


def children_of(body: bytes | int) -> list[str]:
    assert isinstance(body, bytes)
    children = GetChildrenResponse.decode(body).children
    assert children is not None
    return sorted(str(child) for child in children)


def test_each_read_gives_what_the_records_say() -> None:
    replica = world_of_znodes().replica
    stat = Stat.decode(replica.znodes["/p"].stat())
    assert reads.read_data(replica, "/p", STRANGER) == GetDataResponse(b"data", stat).encode()
    assert reads.read_exists(replica, "/p", STRANGER) == ExistsResponse(stat).encode()
    assert reads.read_acl(replica, "/p", STRANGER) == GetACLResponse(OPEN, stat).encode()
    body = reads.read_children2(replica, "/p", STRANGER)
    assert isinstance(body, bytes)
    assert GetChildren2Response.decode(body).stat == stat
    assert children_of(reads.read_children(replica, "/p", STRANGER)) == ["e", "x"]
    null = reads.read_data(replica, "/p/x", STRANGER)
    assert isinstance(null, bytes)
    assert GetDataResponse.decode(null).data is None


def test_a_child_list_is_never_older_than_the_tree() -> None:
    world = world_of_znodes()
    assert children_of(reads.read_children(world.replica, "/p", STRANGER)) == ["e", "x"]
    world.create("/p/y")
    assert children_of(reads.read_children(world.replica, "/p", STRANGER)) == ["e", "x", "y"]
    world.delete("/p/x")
    assert children_of(reads.read_children(world.replica, "/p", STRANGER)) == ["e", "y"]
    assert children_of(reads.read_children(world.replica, "/p/y", STRANGER)) == []


def test_the_empty_path_is_the_root_and_malformed_paths_are_missing() -> None:
    replica = world_of_znodes().replica
    assert reads.read_exists(replica, "", STRANGER) == replica.znodes["/"].stat()
    for path in ("/p/", "p", "//", "/missing"):
        assert reads.read_data(replica, path, STRANGER) == NO_NODE
        assert reads.read_exists(replica, path, STRANGER) == NO_NODE
        assert reads.read_children2(replica, path, STRANGER) == NO_NODE


def test_every_read_but_get_acl_needs_read() -> None:
    replica = world_of_znodes().replica
    for read in (reads.read_data, reads.read_exists, reads.read_children, reads.read_children2):
        assert read(replica, "/hidden", STRANGER) == NO_AUTH
        assert isinstance(read(replica, "/hidden", USER), bytes)
    assert reads.read_all_children_number(replica, "/hidden", STRANGER) == NO_AUTH
    assert isinstance(reads.read_acl(replica, "/hidden", STRANGER), bytes)


def test_all_children_number_counts_descendants() -> None:
    replica = world_of_znodes().replica
    for path, count in (("/", 7), ("/p", 2), ("/p/x", 0), ("/zookeeper", 2)):
        assert reads.read_all_children_number(replica, path, STRANGER) == GetAllChildrenNumberResponse(count).encode()


def test_ephemerals_are_the_sessions_own_under_a_textual_prefix() -> None:
    world = world_of_znodes()
    session_id = world.context.session_id
    found = GetEphemeralsResponse(["/p/e"]).encode()
    for prefix in (None, "", " ", "/", "/p", "/p/"):
        assert reads.read_ephemerals(world.replica, session_id, prefix) == found
    assert reads.read_ephemerals(world.replica, session_id, "/q") == GetEphemeralsResponse([]).encode()
    assert reads.read_ephemerals(world.replica, 5, None) == GetEphemeralsResponse([]).encode()


def test_a_multi_read_answers_each_operation_on_its_own() -> None:
    replica = world_of_znodes().replica
    request = MultiReadRequest(
        [(4, GetDataRequest("/p", True)), (4, GetDataRequest("/missing", False)), (8, GetChildrenRequest("/p", False))]
    )
    code, body = reads.read_multi(replica, request, STRANGER)
    assert code == OK
    results = MultiResponse.decode(body).results
    assert [type for type, _ in results] == [4, -1, 8]
    assert results[1][1] == ErrorResponse(NO_NODE)


def test_a_multi_read_ends_at_a_null_path_with_the_results_before_it() -> None:
    replica = world_of_znodes().replica
    request = MultiReadRequest([(8, GetChildrenRequest("/missing", False)), (4, GetDataRequest(None, False))])
    code, body = reads.read_multi(replica, request, STRANGER)
    assert code == MARSHALLING_ERROR
    assert MultiResponse.decode(body).results == [(-1, ErrorResponse(NO_NODE))]
