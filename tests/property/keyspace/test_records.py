"""The hand-written records against the classes generated from the schema."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkbridge.keyspace.generate import REPOSITORY, generate
from zkbridge.keyspace.pb import keyspace_pb2
from zkbridge.keyspace.records import (
    NO_OVERRIDE,
    KeyspaceError,
    check_format,
    decode_children,
    decode_session,
    decode_znode,
    encode_children,
    encode_format,
    encode_session,
    encode_znode,
)
from zkbridge.tree.acl import OPEN_ACL, AclEntry, intern_acl

_int64 = st.integers(-(2**63), 2**63 - 1)
_int32 = st.integers(-(2**31), 2**31 - 1)
_text = st.text(st.characters(codec="utf-8"), max_size=200)
_acls = st.lists(st.builds(AclEntry, _int32, _text, _text), max_size=4).map(
    lambda entries: intern_acl(tuple(entries)) if entries else OPEN_ACL
)
_data = st.none() | st.binary(max_size=300) | st.integers(2_040, 2_060).map(bytes) | st.just(bytes(70_000))


@given(
    _int64, _int64, _int32, _data, _int32, _int64, _acls, st.just(NO_OVERRIDE) | st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1), st.booleans(),
)  # fmt: skip
def test_a_znode_has_the_generated_bytes_and_reads_back(
    ctime: int, mtime: int, version: int, data: bytes | None, aversion: int, owner: int,
    acl: tuple[AclEntry, ...], mzxid: int, czxid: int, reborn: bool,
) -> None:  # fmt: skip
    value = encode_znode(ctime, mtime, version, data, aversion, owner, acl, mzxid, czxid, reborn)
    entries = [keyspace_pb2.AclEntry(perms=entry.perms, scheme=entry.scheme, id=entry.id) for entry in acl]
    message = keyspace_pb2.Znode(
        ctime=ctime, mtime=mtime, version=version, aversion=aversion, owner=owner, czxid=czxid, reborn=reborn,
        acl=[] if acl is OPEN_ACL else entries,
    )  # fmt: skip
    if data is not None:
        message.data = data
    if mzxid != NO_OVERRIDE:
        message.mzxid = mzxid
    assert value == message.SerializeToString()
    record = decode_znode(value)
    fields = (record.ctime, record.mtime, record.version, record.data, record.aversion, record.owner, record.acl)
    assert fields == (ctime, mtime, version, data, aversion, owner, acl)
    assert (record.mzxid, record.czxid, record.reborn) == (mzxid, czxid, reborn)


@given(_int32, st.integers(0, 2**63 - 1))
def test_a_count_has_the_generated_bytes_and_reads_back(count: int, pzxid: int) -> None:
    value = encode_children(count, pzxid)
    assert value == keyspace_pb2.Children(created_count=count, pzxid=pzxid).SerializeToString()
    assert decode_children(value) == (count, pzxid)


@given(st.binary(max_size=200), st.integers(0, 2**31 - 1), _text)
def test_a_session_has_the_generated_bytes_and_reads_back(password: bytes, timeout_ms: int, bridge: str) -> None:
    value = encode_session(password, timeout_ms, bridge)
    message = keyspace_pb2.Session(password=password, timeout_ms=timeout_ms, bridge=bridge)
    assert value == message.SerializeToString()
    assert decode_session(value) == (password, timeout_ms, bridge)


@given(st.binary(max_size=100))
def test_garbage_is_a_record_or_one_typed_error(value: bytes) -> None:
    for decode in (decode_znode, decode_children, decode_session):
        try:
            decode(value)
        except KeyspaceError:
            continue


def test_fields_of_a_later_schema_are_skipped() -> None:
    later = encode_znode(1, 2, 3, b"data") + b"\x9a\x06\x03new" + b"\xa1\x06" + bytes(8) + b"\xa8\x06\x07"
    assert decode_znode(later).data == b"data"


def test_another_schema_version_is_refused_by_name() -> None:
    check_format(encode_format(1), 1)
    with pytest.raises(KeyspaceError, match="schema version 2, this program knows 1"):
        check_format(encode_format(2), 1)


def test_the_generated_code_is_what_the_schema_generates(tmp_path: Path) -> None:
    generate(tmp_path)
    for name in ("keyspace_pb2.py", "keyspace_pb2.pyi"):
        made = tmp_path / "zkbridge" / "keyspace" / "pb" / name
        assert made.read_text() == (REPOSITORY / "zkbridge" / "keyspace" / "pb" / name).read_text()
