"""The expiry queue (reference 7.2)."""

from hypothesis import given
from hypothesis import strategies as st

from zkbridge.sessions.expiry import ExpiryQueue, Session

TICK_MS = 2000


def session(timeout_ms: int = 5000, session_id: int = 1) -> Session:
    return Session(session_id, timeout_ms, bytes(16))


def polled(queue: ExpiryQueue, start_ms: int, end_ms: int) -> list[tuple[int, Session]]:
    """Poll every quarter of a tick; what expired, and when."""
    found: list[tuple[int, Session]] = []
    for now_ms in range(start_ms, end_ms + 1, TICK_MS // 4):
        found += [(now_ms, one) for one in queue.expired(now_ms)]
        queue.check_invariants()
    return found


def test_the_worked_example_of_the_module_holds() -> None:
    queue, one = ExpiryQueue(TICK_MS, 1000), session()
    deadlines = []
    for now_ms in (1000, 2500, 3000):
        queue.touch(one, now_ms)
        deadlines.append(one.deadline_ms)
    assert deadlines == [8000, 8000, 10000]
    assert polled(queue, 3000, 9500) == []
    assert queue.expired(9999) == []
    assert queue.expired(10000) == [one]
    assert queue.expired(10000) == []


def test_sessions_expire_in_order_of_their_deadlines() -> None:
    queue, late, early = ExpiryQueue(TICK_MS, 0), session(9000, 1), session(3000, 2)
    queue.touch(late, 0)
    queue.touch(early, 0)
    assert polled(queue, 0, 12000) == [(4000, early), (10000, late)]


def test_a_removed_session_does_not_expire() -> None:
    queue, one = ExpiryQueue(TICK_MS, 0), session()
    queue.touch(one, 0)
    queue.remove(one)
    queue.remove(one)
    assert polled(queue, 0, 20000) == []


def test_a_new_timeout_counts_at_once_in_both_directions() -> None:
    queue, one = ExpiryQueue(TICK_MS, 0), session(30000)
    queue.touch(one, 0)
    queue.retime(one, 4000, 100)
    assert one.deadline_ms == 6000
    queue.retime(one, 30000, 200)
    assert one.deadline_ms == 32000
    queue.check_invariants()


def test_a_pause_of_the_process_expires_nobody_before_clients_could_be_heard() -> None:
    queue, silent, alive = ExpiryQueue(TICK_MS, 0), session(4000, 1), session(4000, 2)
    queue.touch(silent, 0)
    queue.touch(alive, 0)
    assert queue.expired(500) == []
    assert queue.expired(60_000) == []
    queue.touch(alive, 60_010)
    assert polled(queue, 61_000, 64_000) == [(62_000, silent)]


@given(
    st.integers(1, 5000),
    st.integers(1, 60_000),
    st.lists(st.integers(0, 20_000), max_size=20),
)
def test_silence_ends_a_session_between_its_timeout_and_one_tick_more(
    tick_ms: int, timeout_ms: int, pauses: list[int]
) -> None:
    queue, one = ExpiryQueue(tick_ms, 0), session(timeout_ms)
    now_ms = 0
    queue.touch(one, now_ms)
    for pause in pauses:
        now_ms += pause
        queue.touch(one, now_ms)
        queue.check_invariants()
    assert now_ms + timeout_ms < one.deadline_ms <= now_ms + timeout_ms + tick_ms
    assert one.deadline_ms % tick_ms == 0
