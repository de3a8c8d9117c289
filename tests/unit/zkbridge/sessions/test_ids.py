"""Session ids (reference 7.1)."""

from zkbridge.sessions.ids import SessionIds


def test_ids_have_the_layout_that_zookeeper_gives_them() -> None:
    """Seen on a standalone ZooKeeper: 0x100001bc3d20000, then …0001."""
    ids = SessionIds(1, 0x1BC3D2)
    assert [ids.next_id(), ids.next_id()] == [0x0100001BC3D20000, 0x0100001BC3D20001]


def test_only_the_low_40_bits_of_the_start_count() -> None:
    assert SessionIds(1, 0xFFF_00000000AB).next_id() == 0x01_00000000AB_0000


def test_the_counter_runs_over_into_the_milliseconds_and_never_into_the_server_id() -> None:
    ids = SessionIds(1, 5)
    last = [ids.next_id() for _ in range(0x10001)][-1]
    assert last == 0x01_0000000006_0000
    ids = SessionIds(2, (1 << 40) - 1)
    assert {ids.next_id() >> 56 for _ in range(0x10001)} == {2}


def test_a_later_start_gives_other_ids() -> None:
    first, second = SessionIds(1, 1000), SessionIds(1, 1001)
    assert not {first.next_id() for _ in range(0x10000)} & {second.next_id() for _ in range(0x10000)}


def test_zero_and_the_mark_of_containers_are_skipped() -> None:
    assert SessionIds(0, 0).next_id() == 1
    assert SessionIds(0x80, 0).next_id() == -(1 << 63) + 1


def test_high_server_ids_give_negative_ids() -> None:
    assert SessionIds(254, 1).next_id() == 0xFE_0000000001_0000 - (1 << 64)
