"""What a leader knows of one member."""

from etcdcore.raft.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from etcdcore.types import LogIndex


def progress(match: int, next_index: int, window: int = 3) -> Progress:
    return Progress(LogIndex(match), LogIndex(next_index), window, False)


def test_a_probe_sends_one_append_at_a_time() -> None:
    one = progress(0, 5)
    one.sent(2)
    assert one.is_paused()
    assert one.next == 5
    assert one.maybe_update(LogIndex(6))
    assert not one.is_paused()
    one.check_invariants()


def test_replication_moves_on_without_answers_until_the_window_is_full() -> None:
    one = progress(4, 5, window=2)
    one.become_replicate()
    one.sent(3)
    assert (one.next, one.is_paused()) == (8, False)
    one.sent(1)
    assert (one.next, one.is_paused(), one.is_window_full()) == (9, True, True)
    one.maybe_update(LogIndex(7))
    one.free_up_to(LogIndex(7))
    assert (one.inflight_count(), one.is_paused()) == (1, False)
    one.check_invariants()


def test_a_late_answer_never_moves_match_back() -> None:
    one = progress(4, 5)
    assert not one.maybe_update(LogIndex(3))
    assert one.match == 4


def test_a_rejection_moves_a_probe_to_the_hint() -> None:
    one = progress(0, 10)
    assert one.maybe_back_up(LogIndex(9), LogIndex(4))
    assert one.next == 5
    assert not one.maybe_back_up(LogIndex(9), LogIndex(2))
    assert one.next == 5


def test_a_rejection_of_what_is_known_to_match_is_late() -> None:
    one = progress(5, 6)
    one.become_replicate()
    one.sent(4)
    assert not one.maybe_back_up(LogIndex(5), LogIndex(1))
    assert one.maybe_back_up(LogIndex(6), LogIndex(1))
    assert one.next == 6


def test_next_never_falls_to_match() -> None:
    one = progress(3, 5)
    assert one.maybe_back_up(LogIndex(4), LogIndex(0))
    assert one.next == 4
    one.check_invariants()


def test_nothing_is_sent_during_a_snapshot_and_the_probe_starts_behind_it() -> None:
    one = progress(0, 3)
    one.become_snapshot(LogIndex(20))
    assert (one.state, one.is_paused()) == (SNAPSHOT, True)
    one.become_probe()
    assert (one.state, one.next, one.pending_snapshot) == (PROBE, 21, 0)


def test_leaving_replication_forgets_what_is_in_flight() -> None:
    one = progress(0, 1)
    one.become_replicate()
    one.sent(2)
    one.become_probe()
    assert (one.state, one.next, one.inflight_count()) == (PROBE, 1, 0)
    one.become_replicate()
    assert one.state == REPLICATE
