"""etcdcore.apply.members (reference 2.9)."""

import json

import pytest

from etcdcore.apply.members import (
    ClusterMember,
    Members,
    decode_member,
    derive_cluster_id,
    derive_member_id,
    encode_member,
)
from etcdcore.errors import EngineCorrupt, MemberExists, MemberNotFound, NotLearner, PeerUrlsExist, TooManyLearners
from etcdcore.mvcc.engine import CLUSTER, MEMBERS, MEMBERS_REMOVED
from etcdcore.storage.memory_engine import MemoryEngine

FOUNDER = ClusterMember(0x8E9E05C52164694D, "default", ("http://localhost:2380",), (), False)


def _other(member_id: int, is_learner: bool = False, name: str = "", url: str = "") -> ClusterMember:
    return ClusterMember(member_id, name, (url or f"http://m{member_id}:2380",), (), is_learner)


def test_ids_are_derived_as_etcd_derives_them() -> None:
    """The figures are those that every etcd with its defaults logs."""
    member_id = derive_member_id(["http://localhost:2380"], "etcd-cluster")
    assert (member_id, derive_cluster_id([member_id])) == (0x8E9E05C52164694D, 0xCDF818194E3A8C32)
    assert derive_member_id(["b", "a"], "t") == derive_member_id(["a", "b"], "t")
    assert derive_member_id(["a"], "", 5) == derive_member_id(["a"], "5") != derive_member_id(["a"], "", 6)
    assert derive_cluster_id([1, 2]) == derive_cluster_id([2, 1])


def test_a_member_is_stored_as_gos_json() -> None:
    member = ClusterMember(255, "n<1>", ("http://a:1",), ("http://a:2", "http://b:2"), True)
    assert encode_member(member) == (
        b'{"id":255,"peerURLs":["http://a:1"],"isLearner":true,"name":"n\\u003c1\\u003e",'
        b'"clientURLs":["http://a:2","http://b:2"]}'
    )
    assert decode_member(255, encode_member(member)) == member
    assert encode_member(_other(7)) == b'{"id":7,"peerURLs":["http://m7:2380"]}'
    with pytest.raises(EngineCorrupt):
        decode_member(7, b"{")


def test_the_founder_is_there_without_an_entry_and_written_with_the_first_change() -> None:
    engine = MemoryEngine()
    members = Members(engine, FOUNDER)
    assert members.listed() == [FOUNDER]
    assert engine.scan(MEMBERS, b"", b"") == []
    members.check_invariants()
    members.add(_other(5, is_learner=True))
    assert [key for key, _ in engine.scan(MEMBERS, b"", b"")] == [b"5", b"8e9e05c52164694d"]
    again = Members(engine, ClusterMember(1, "wrong", ("x",), (), False))
    assert again.listed() == members.listed()


def test_what_cannot_be_added() -> None:
    members = Members(MemoryEngine(), FOUNDER)
    members.add(_other(5, is_learner=True))
    assert members.check_add(_other(5), 1) == MemberExists()
    assert members.check_add(_other(6, url="http://localhost:2380"), 1) == PeerUrlsExist()
    assert members.check_add(_other(6, is_learner=True), 1) == TooManyLearners()
    assert members.check_add(_other(6, is_learner=True), 2) is None
    assert members.check_add(_other(6), 1) is None


def test_a_removed_id_never_returns() -> None:
    engine = MemoryEngine()
    members = Members(engine, FOUNDER)
    members.add(_other(5))
    members.remove(5)
    assert members.check_add(_other(5), 1) == MemberNotFound()
    assert members.check_remove(5) == MemberNotFound()
    assert engine.get(MEMBERS_REMOVED, b"5") == b"removed"
    assert Members(engine, FOUNDER).removed == {5}
    members.check_invariants()


def test_learners_become_voters_and_voters_do_not() -> None:
    members = Members(MemoryEngine(), FOUNDER)
    members.add(_other(5, is_learner=True))
    assert members.check_promote(FOUNDER.member_id) == NotLearner()
    assert members.check_promote(6) == MemberNotFound()
    assert members.check_promote(5) is None
    members.promote(5)
    assert [member.member_id for member in members.voters()] == [5, FOUNDER.member_id]
    members.check_invariants()


def test_urls_are_changed_to_what_nobody_else_has() -> None:
    members = Members(MemoryEngine(), FOUNDER)
    members.add(_other(5))
    assert members.check_update(5, ["http://localhost:2380"]) == PeerUrlsExist()
    assert members.check_update(6, ["x"]) == MemberNotFound()
    assert members.check_update(5, ["http://m5:2380"]) is None, "its own"
    members.update(5, ["http://new:1"])
    assert members.members[5].peer_urls == ("http://new:1",)


def test_a_member_publishes_its_name_and_a_removed_one_nothing() -> None:
    members = Members(MemoryEngine(), FOUNDER)
    members.add(_other(5))
    members.set_attributes(5, "five", ["http://c:1"])
    members.set_attributes(6, "six", [])
    assert (members.members[5].name, members.members[5].client_urls) == ("five", ("http://c:1",))
    assert 6 not in members.members


@pytest.mark.parametrize(
    ("started", "unstarted", "can_add", "can_promote"),
    [
        (1, 0, True, True),
        (1, 1, False, True),
        (2, 0, True, True),
        (2, 1, False, True),
        (1, 2, False, False),
        (3, 0, True, True),
    ],
)
def test_the_strict_check_counts_who_has_started(
    started: int, unstarted: int, can_add: bool, can_promote: bool
) -> None:
    """A voter more must leave the started ones a quorum; from one to two is let through."""
    members = Members(MemoryEngine(), None)
    for member_id in range(1, started + 1):
        members.add(_other(member_id, name=f"m{member_id}"))
    for member_id in range(10, 10 + unstarted):
        members.add(_other(member_id))
    assert (members.can_add_voter(), members.can_promote()) == (can_add, can_promote)


def test_the_only_voter_cannot_go() -> None:
    members = Members(MemoryEngine(), FOUNDER)
    assert not members.can_remove(FOUNDER.member_id)
    members.add(_other(5, name="five"))
    assert members.can_remove(FOUNDER.member_id)


def test_versions_are_stored_as_etcd_stores_them() -> None:
    engine = MemoryEngine()
    members = Members(engine, FOUNDER)
    assert (members.cluster_version, members.downgrade_target) == ("", "")
    members.set_cluster_version("3.6.0")
    members.set_downgrade("3.5.0")
    assert engine.get(CLUSTER, b"clusterVersion") == b"3.6.0"
    stored = engine.get(CLUSTER, b"downgrade")
    assert stored is not None and json.loads(stored) == {"target-version": "3.5.0", "enabled": True}
    again = Members(engine, FOUNDER)
    assert (again.cluster_version, again.downgrade_target) == ("3.6.0", "3.5.0")
    members.set_downgrade("")
    assert Members(engine, FOUNDER).downgrade_target == ""
