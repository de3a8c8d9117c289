"""Leases over time. Source: reference section 2.6."""

from collections import Counter

import pytest

from etcdcore.errors import EngineCorrupt, LeaseExists, LeaseNotFound
from etcdcore.lease.lessor import EXPIRED_RETRY_MS, PROMOTED_EXPIRIES_MAX, Lessor
from etcdcore.mvcc.engine import LEASE
from etcdcore.storage.memory_engine import MemoryEngine


def primary() -> Lessor:
    lessor = Lessor(MemoryEngine())
    lessor.promote(1_000, 0)
    return lessor


def test_a_lease_expires_when_its_time_is_over_and_not_before() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    assert lessor.next_deadline() == 3_000
    assert lessor.expired(2_999, 10) == []
    assert lessor.expired(3_000, 10) == [7]


def test_a_renewal_gives_the_full_time_again() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    assert lessor.renew(7, 2_500) == 2
    assert lessor.expired(3_000, 10) == []
    assert lessor.time_to_live(7, 3_200) == (1, 2)
    assert lessor.expired(4_499, 10) == []
    assert lessor.expired(4_500, 10) == [7]


def test_what_has_run_out_cannot_be_renewed() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    assert lessor.renew(7, 3_000) == 0
    assert lessor.renew(8, 1_000) == 0


def test_an_expired_lease_is_reported_again_until_it_is_revoked() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    assert lessor.expired(3_000, 10) == [7]
    assert lessor.expired(3_001, 10) == []
    assert lessor.expired(3_000 + EXPIRED_RETRY_MS, 10) == [7]
    lessor.remove(7)
    assert lessor.expired(3_000 + 3 * EXPIRED_RETRY_MS, 10) == []
    assert lessor.next_deadline() is None


def test_expiries_are_limited_and_in_order_of_deadlines() -> None:
    lessor = primary()
    for lease_id, ttl_s in ((1, 4), (2, 2), (3, 3)):
        lessor.grant(lease_id, ttl_s)
    assert lessor.expired(9_000, 2) == [2, 3]
    assert lessor.expired(9_000, 2) == [1]


def test_a_lease_granted_anew_under_the_same_id_has_its_own_time() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    lessor.remove(7)
    lessor.grant(7, 60)
    assert lessor.expired(30_000, 10) == []
    assert lessor.expired(61_000, 10) == [7]


def test_only_the_primary_lets_leases_expire_or_renews_them() -> None:
    lessor = Lessor(MemoryEngine())
    lessor.grant(7, 2)
    assert lessor.expired(1_000_000, 10) == []
    assert lessor.renew(7, 0) == 0
    assert lessor.time_to_live(7, 1_000_000) == (2, 2)
    lessor.promote(1_000_000, 0)
    lessor.demote()
    assert lessor.expired(2_000_000, 10) == []


def test_a_new_primary_gives_every_lease_its_full_time_and_more() -> None:
    lessor = primary()
    lessor.grant(7, 2)
    lessor.promote(2_900, 1_000)
    assert lessor.expired(5_899, 10) == []
    assert lessor.expired(5_900, 10) == [7]


def test_a_new_primary_spreads_mass_expiries_without_shortening_any() -> None:
    lessor = Lessor(MemoryEngine())
    for lease_id in range(1, 2 * PROMOTED_EXPIRIES_MAX + 11):
        lessor.grant(lease_id, 10)
    lessor.grant(100_000, 11)
    lessor.promote(500, 0)
    deadlines = [lease.deadline_ms for lease in lessor.leases.values()]
    assert min(deadlines) >= 10_500
    by_second = Counter(deadline // 1_000 for deadline in deadlines)
    assert by_second == {10: PROMOTED_EXPIRIES_MAX, 11: PROMOTED_EXPIRIES_MAX, 12: 11}
    assert lessor.leases[100_000].deadline_ms >= 11_500


def test_time_never_goes_back() -> None:
    lessor = primary()
    lessor.advance(500)
    lessor.grant(7, 2)
    assert lessor.next_deadline() == 3_000


def test_time_left_is_in_whole_seconds_and_missing_leases_have_minus_one() -> None:
    lessor = primary()
    lessor.grant(7, 5)
    assert lessor.time_to_live(7, 1_001) == (4, 5)
    assert lessor.time_to_live(7, 99_000) == (0, 5)
    assert lessor.time_to_live(8, 1_001) == (-1, 0)


@pytest.mark.parametrize("lease_id", [1, -1, 2**63 - 1, -(2**63)])
def test_leases_are_stored_and_loaded(lease_id: int) -> None:
    engine = MemoryEngine()
    lessor = Lessor(engine)
    assert lessor.grant(lease_id, 9_000_000_000) is None
    assert lessor.grant(lease_id, 3) == LeaseExists()
    lessor.check_invariants()
    lessor.write()
    lessor.check_invariants()
    again = Lessor(engine)
    assert [(lease.lease_id, lease.ttl_s) for lease in again.leases.values()] == [(lease_id, 9_000_000_000)]
    again.remove(lease_id)
    assert Lessor(engine).leases == {}


def test_a_lease_that_ends_before_the_next_commit_is_never_in_the_engine() -> None:
    engine = MemoryEngine()
    lessor = Lessor(engine)
    lessor.grant(7, 5)
    lessor.grant(8, 5)
    lessor.remove(7)
    lessor.check_invariants()
    lessor.write()
    assert list(Lessor(engine).leases) == [8]
    lessor.remove(8)
    lessor.check_invariants()
    assert Lessor(engine).leases == {}


def test_an_id_that_is_granted_again_before_the_next_commit_has_the_time_of_its_last_grant() -> None:
    engine = MemoryEngine()
    lessor = Lessor(engine)
    lessor.grant(7, 5)
    lessor.write()
    lessor.remove(7)
    lessor.grant(7, 60)
    lessor.write()
    assert Lessor(engine).leases[7].ttl_s == 60


def test_a_damaged_lease_record_is_refused() -> None:
    engine = MemoryEngine()
    engine.put(LEASE, b"x", b"\x08\xff")
    with pytest.raises(EngineCorrupt):
        Lessor(engine)


def test_keys_move_from_lease_to_lease() -> None:
    lessor = primary()
    lessor.grant(7, 5)
    lessor.grant(8, 5)
    lessor.attach(7, b"b")
    lessor.attach(7, b"a")
    assert lessor.keys_of(7) == [b"a", b"b"]
    lessor.move(b"a", 7, 8)
    lessor.move(b"b", 7, 0)
    assert (lessor.keys_of(7), lessor.keys_of(8)) == ([], [b"a"])
    assert isinstance(lessor.keys_of(9), LeaseNotFound)
