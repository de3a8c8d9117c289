"""Which error comes first where several apply (reference section 3.2): a table of requests that are wrong in two ways.

Each row is a request that breaks two rules or more; the code expected is that of the rule that stands first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    CONTAINER,
    EPHEMERAL,
    OPEN_ACL,
    SEQUENTIAL,
    TTL,
    TTL_SEQUENTIAL,
    RawClient,
    create_body,
    multi_body,
    path_number,
    path_version,
    path_watch,
    set_acl_body,
    set_data_body,
    text,
    ttl_body,
)

BAD_ACL = ((31, b"nonsense", b"x"),)
CREATES = [wire.CREATE, wire.CREATE2, wire.CREATE_CONTAINER, wire.CREATE_TTL]


@dataclass(frozen=True, slots=True)
class Row:
    """A request below the test's znode `{r}`, and the error that it gets."""

    what: str
    opcode: int
    body: Callable[[str], bytes]
    error: int


@pytest.fixture
def tree(connect: Connect, root: str) -> str:
    """Znodes to go wrong on: locked for everybody but their owner, ephemeral, with children, with versions."""
    owner = connect()
    owner.add_auth("digest", b"owner:secret")
    mine = ((31, b"auth", b""),)
    owner.create(f"{root}/locked", b"data")
    owner.create(f"{root}/locked/child")
    owner.create(f"{root}/locked/parent")
    owner.create(f"{root}/locked/parent/child")
    owner.set_acl(f"{root}/locked", mine)
    owner.create(f"{root}/eph", flags=EPHEMERAL)
    owner.create(f"{root}/lockedeph", flags=EPHEMERAL, acl=mine)
    owner.create(f"{root}/parent")
    owner.create(f"{root}/parent/child")
    owner.create(f"{root}/there")
    return root


def creation(opcode: int, path: str | None, acl: tuple[wire.Acl, ...] | None, flags: int | None) -> bytes:
    """The body that an opcode wants."""
    if opcode == wire.CREATE_TTL:
        return ttl_body(path, 100_000, TTL if flags is None else flags, acl)
    plain = CONTAINER if opcode == wire.CREATE_CONTAINER else 0
    return create_body(path, b"", acl, plain if flags is None else flags)


CREATE_ROWS: list[tuple[str, str | None, tuple[wire.Acl, ...] | None, int | None, int]] = [
    ("bad flags before a null path", None, OPEN_ACL, 99, -8),
    ("a null path before a bad ACL", None, BAD_ACL, None, -5),
    ("bad flags before a path without a slash", "foo", OPEN_ACL, 99, -8),
    ("bad flags before a bad ACL", "{r}/x", BAD_ACL, 7, -8),
    ("negative flags", "{r}/x", OPEN_ACL, -1, -8),
    ("a path without a slash before a bad ACL", "foo", BAD_ACL, None, -8),
    ("an empty path before a bad ACL", "", BAD_ACL, None, -8),
    ("NUL before a bad ACL", "{r}/x\0y", BAD_ACL, None, -8),
    ("NUL before a missing parent", "{r}/missing/x\0y", OPEN_ACL, None, -8),
    ("a bad ACL before a missing parent", "{r}/missing/x", BAD_ACL, None, -114),
    ("a null ACL before a missing parent", "{r}/missing/x", None, None, -114),
    ("an empty ACL before a missing parent", "{r}/missing/x", (), None, -114),
    ("a bad ACL before no permission", "{r}/locked/x", BAD_ACL, None, -114),
    ("a bad ACL before an existing znode", "{r}/there", BAD_ACL, None, -114),
    ("a missing parent before a bad path", "/missing/../x", OPEN_ACL, None, -101),
    ("a relative path has a missing parent", "foo/bar", OPEN_ACL, None, -101),
    ("a trailing slash below a missing parent", "{r}/missing/", OPEN_ACL, None, -101),
    ("a trailing slash below one that exists", "{r}/there/", OPEN_ACL, None, -8),
    ("no permission before a bad path", "{r}/locked/..", OPEN_ACL, None, -102),
    ("no permission before an existing znode", "{r}/locked/child", OPEN_ACL, None, -102),
    ("no permission before an ephemeral parent", "{r}/lockedeph/x", OPEN_ACL, None, -102),
    ("a bad path below an ephemeral before its kind", "{r}/eph/..", OPEN_ACL, None, -8),
    ("an ephemeral parent", "{r}/eph/x", OPEN_ACL, None, -108),
    ("the root exists", "/", OPEN_ACL, None, -110),
    ("an existing znode", "{r}/there", OPEN_ACL, None, -110),
    ("an empty component", "{r}//x", OPEN_ACL, None, -101),
    ("a null id in the ACL", "{r}/missing/x", ((31, b"world", None),), None, -5),
]


@pytest.mark.parametrize("opcode", CREATES, ids=wire.OPCODE_NAMES.__getitem__)
def test_creates_refuse_in_order(client: RawClient, tree: str, opcode: int) -> None:
    wrong: list[str] = []
    for what, path, acl, flags, expected in CREATE_ROWS:
        where = None if path is None else path.replace("{r}", tree)
        error = client.error(opcode, creation(opcode, where, acl, flags))
        if error != expected:
            wrong.append(f"{what}: {error}, expected {expected}")
    assert not wrong


def test_a_null_scheme_in_an_acl_is_refused_before_a_missing_parent(client: RawClient, tree: str) -> None:
    assert client.error(wire.CREATE, create_body(f"{tree}/missing/x", acl=((31, None, b"x"),))) == -114


@pytest.mark.parametrize("flags", [TTL, TTL_SEQUENTIAL])
@pytest.mark.parametrize("opcode", CREATES[:3], ids=wire.OPCODE_NAMES.__getitem__)
def test_ttl_flags_without_a_ttl_are_bad_before_a_bad_acl(
    client: RawClient, root: str, opcode: int, flags: int
) -> None:
    assert client.error(opcode, create_body(f"{root}/x", acl=BAD_ACL, flags=flags)) == -8


@pytest.mark.parametrize("ttl_ms", [0, -1, -(2**63), 1 << 40, 2**63 - 1])
def test_a_bad_ttl_comes_before_a_bad_acl(client: RawClient, root: str, ttl_ms: int) -> None:
    assert client.error(wire.CREATE_TTL, ttl_body(f"{root}/x", ttl_ms, acl=BAD_ACL)) == -8


@pytest.mark.parametrize("flags", [0, EPHEMERAL, SEQUENTIAL, 3, CONTAINER])
def test_create_ttl_with_another_flag_is_bad(client: RawClient, root: str, flags: int) -> None:
    assert client.error(wire.CREATE_TTL, ttl_body(f"{root}/x", 1000, flags)) == -8


def test_the_largest_ttl_is_taken(client: RawClient, root: str) -> None:
    assert client.error(wire.CREATE_TTL, ttl_body(f"{root}/x", (1 << 40) - 1)) == 0


ROWS = [
    # delete
    Row("a null path", wire.DELETE, lambda r: path_version(None, 7), -5),
    Row("no slash", wire.DELETE, lambda r: path_version("foo", 7), -8),
    Row("empty", wire.DELETE, lambda r: path_version("", 7), -8),
    Row("the root before its version", wire.DELETE, lambda r: path_version("/", 7), -8),
    Row("/zookeeper before its children", wire.DELETE, lambda r: path_version("/zookeeper", 7), -8),
    Row("the quota znode", wire.DELETE, lambda r: path_version("/zookeeper/quota", 7), -8),
    Row("the config znode", wire.DELETE, lambda r: path_version("/zookeeper/config", 7), -8),
    Row("NUL before a missing parent", wire.DELETE, lambda r: path_version(f"{r}/missing/x\0", 7), -8),
    Row("a missing parent before the version", wire.DELETE, lambda r: path_version(f"{r}/missing/x", 7), -101),
    Row("no permission before a missing znode", wire.DELETE, lambda r: path_version(f"{r}/locked/missing", 7), -102),
    Row("no permission before the version", wire.DELETE, lambda r: path_version(f"{r}/locked/child", 7), -102),
    Row("no permission before children", wire.DELETE, lambda r: path_version(f"{r}/locked/parent"), -102),
    Row("a missing znode before the version", wire.DELETE, lambda r: path_version(f"{r}/missing", 7), -101),
    Row("a trailing slash is a missing znode", wire.DELETE, lambda r: path_version(f"{r}/there/"), -101),
    Row("the version before children", wire.DELETE, lambda r: path_version(f"{r}/parent", 7), -103),
    Row("a negative version is a version", wire.DELETE, lambda r: path_version(f"{r}/there", -2), -103),
    Row("children", wire.DELETE, lambda r: path_version(f"{r}/parent"), -111),
    # setData
    Row("a null path", wire.SET_DATA, lambda r: set_data_body(None, b"", 7), -8),
    Row("an empty path", wire.SET_DATA, lambda r: set_data_body("", b"", 7), -8),
    Row("a bad path before a missing znode", wire.SET_DATA, lambda r: set_data_body(f"{r}/missing/", b"", 7), -8),
    Row("dots before a missing znode", wire.SET_DATA, lambda r: set_data_body(f"{r}/missing/../x", b"", 7), -8),
    Row("a missing znode before the version", wire.SET_DATA, lambda r: set_data_body(f"{r}/missing", b"", 7), -101),
    Row("no permission before the version", wire.SET_DATA, lambda r: set_data_body(f"{r}/locked", b"", 7), -102),
    Row("the version", wire.SET_DATA, lambda r: set_data_body(f"{r}/there", b"", 7), -103),
    Row("a negative version is a version", wire.SET_DATA, lambda r: set_data_body(f"{r}/there", b"", -2), -103),
    Row("the config znode is read only", wire.SET_DATA, lambda r: set_data_body("/zookeeper/config", b""), -102),
    # setACL
    Row("a null path before a bad ACL", wire.SET_ACL, lambda r: set_acl_body(None, BAD_ACL, 7), -8),
    Row("a bad path before a bad ACL", wire.SET_ACL, lambda r: set_acl_body(f"{r}/x/", BAD_ACL, 7), -8),
    Row("a bad ACL before a missing znode", wire.SET_ACL, lambda r: set_acl_body(f"{r}/missing", BAD_ACL, 7), -114),
    Row("a null ACL before a missing znode", wire.SET_ACL, lambda r: set_acl_body(f"{r}/missing", None, 7), -114),
    Row("an empty ACL before a missing znode", wire.SET_ACL, lambda r: set_acl_body(f"{r}/missing", (), 7), -114),
    Row("a missing znode before the version", wire.SET_ACL, lambda r: set_acl_body(f"{r}/missing", OPEN_ACL, 7), -101),
    Row("no permission before the version", wire.SET_ACL, lambda r: set_acl_body(f"{r}/locked", OPEN_ACL, 7), -102),
    Row("the ACL's version", wire.SET_ACL, lambda r: set_acl_body(f"{r}/there", OPEN_ACL, 7), -103),
    # Reads: no path is bad, some just do not exist.
    *[
        row
        for opcode in (wire.GET_DATA, wire.GET_CHILDREN, wire.GET_CHILDREN2, wire.GET_ACL, wire.GET_ALL_CHILDREN_NUMBER)
        for row in (
            Row("a null path", opcode, lambda r: path_watch(None), -5),
            Row("a missing znode", opcode, lambda r: path_watch(f"{r}/missing"), -101),
            Row("a path without a slash", opcode, lambda r: path_watch("foo"), -101),
            Row("a trailing slash", opcode, lambda r: path_watch(f"{r}/there/"), -101),
            Row("NUL", opcode, lambda r: path_watch(f"{r}/\0"), -101),
            Row("no permission", opcode, lambda r: path_watch(f"{r}/locked"), -102),
            Row("a missing child of a locked znode", opcode, lambda r: path_watch(f"{r}/locked/missing"), -101),
            Row("the empty path is the root", opcode, lambda r: path_watch(""), 0),
        )
    ],
    # exists
    Row("a null path", wire.EXISTS, lambda r: path_watch(None), -5),
    Row("NUL before a missing znode", wire.EXISTS, lambda r: path_watch(f"{r}/missing\0"), -8),
    Row("no permission", wire.EXISTS, lambda r: path_watch(f"{r}/locked"), -102),
    Row("a missing child of a locked znode", wire.EXISTS, lambda r: path_watch(f"{r}/locked/missing"), -101),
    Row("a bad path is a missing znode", wire.EXISTS, lambda r: path_watch(f"{r}//x/.."), -101),
    Row("the empty path is the root", wire.EXISTS, lambda r: path_watch(""), 0),
    # Watches
    Row("a bad type before no watcher", wire.CHECK_WATCHES, lambda r: path_number(r, 0), -5),
    Row("a type past the last", wire.CHECK_WATCHES, lambda r: path_number(r, 6), -5),
    Row("no watcher", wire.CHECK_WATCHES, lambda r: path_number(r, 3), -121),
    Row("a bad type before no watcher", wire.REMOVE_WATCHES, lambda r: path_number(r, -1), -5),
    Row("no watcher", wire.REMOVE_WATCHES, lambda r: path_number(r, 3), -121),
    Row("a bad mode", wire.ADD_WATCH, lambda r: path_number(r, 2), -5),
    Row("a negative mode", wire.ADD_WATCH, lambda r: path_number(r, -1), -5),
    Row("any path", wire.ADD_WATCH, lambda r: path_number(f"{r}/missing/..", 0), 0),
]
TABLE_OPCODES = sorted({row.opcode for row in ROWS})


@pytest.mark.parametrize("opcode", TABLE_OPCODES, ids=wire.OPCODE_NAMES.__getitem__)
def test_requests_refuse_in_order(client: RawClient, tree: str, opcode: int) -> None:
    wrong: list[str] = []
    for row in ROWS:
        if row.opcode == opcode:
            error = client.call(opcode, row.body(tree)).error
            if error != row.error:
                wrong.append(f"{row.what}: {error}, expected {row.error}")
    assert not wrong


@pytest.mark.parametrize(
    ("what", "path", "version", "expected"),
    [
        ("a bad path before a missing znode", "{r}/missing/", 7, -8),
        ("a missing znode before the version", "{r}/missing", 7, -101),
        ("no permission before the version", "{r}/locked", 7, -102),
        ("the version", "{r}/there", 7, -103),
        ("any version", "{r}/there", -1, 0),
    ],
)
def test_a_check_refuses_in_order(
    client: RawClient, tree: str, what: str, path: str | None, version: int, expected: int
) -> None:
    where = None if path is None else path.replace("{r}", tree)
    assert client.multi((wire.CHECK, path_version(where, version)))[0].code == expected, what


def test_an_exists_that_is_not_permitted_sets_no_watch(connect: Connect, client: RawClient, tree: str) -> None:
    assert client.error(wire.EXISTS, path_watch(f"{tree}/locked", True)) == -102
    assert client.error(wire.CHECK_WATCHES, path_number(f"{tree}/locked", 2)) == -121


def test_a_refused_request_has_no_effect(client: RawClient, tree: str) -> None:
    before = client.stat(tree)
    for opcode, body in [
        (wire.CREATE, create_body(f"{tree}/there")),
        (wire.DELETE, path_version(f"{tree}/parent")),
        (wire.SET_DATA, set_data_body(tree, b"x", 7)),
        (wire.SET_ACL, set_acl_body(tree, OPEN_ACL, 7)),
        (wire.CREATE, create_body(f"{tree}/eph/x", flags=SEQUENTIAL)),
    ]:
        assert client.error(opcode, body) != 0
    assert client.error(wire.MULTI, multi_body((wire.CHECK, path_version(f"{tree}/missing")))) == 0
    assert client.stat(tree) == before


def test_removing_a_watch_needs_no_znode_but_a_path(client: RawClient) -> None:
    assert client.error(wire.REMOVE_WATCHES, path_number(None, 3)) == -121
    assert client.error(wire.REMOVE_WATCHES, path_number("/no such znode", 3)) == -121
    assert client.error(wire.CHECK_WATCHES, text("/x")) == -5
