"""The session table: attaching, closing, expiring (reference 1.4, 7.2)."""

import pytest

from zkbridge.sessions.expiry import Session
from zkbridge.sessions.table import SessionHolder, SessionTable, negotiate_timeout
from zkbridge.tree.acl import Credentials
from zkbridge.watches.table import Watcher

PASSWORD = bytes(range(16))
TICK_MS = 2000


class Connection(Watcher, SessionHolder):
    """Stands for a client's connection, which is both (a compiled trait can't be a Python class's only base)."""

    def __init__(self) -> None:
        super().__init__(Credentials())

    def notify(self, frame: bytes) -> None:
        raise AssertionError("sessions tell nobody of znodes")


@pytest.fixture
def table() -> SessionTable:
    return SessionTable(TICK_MS, 4000, 40_000, 0)


def holder_of(session: Session) -> SessionHolder | None:
    """Behind a call, so that the type checker forgets what it saw before."""
    return session.holder


def expired_by(table: SessionTable, end_ms: int) -> list[int]:
    """Ids that expire in polls up to a time."""
    ids: list[int] = []
    for now_ms in range(0, end_ms + 1, TICK_MS // 2):
        ids += [session.session_id for session in table.expired(now_ms)]
        table.check_invariants()
    return ids


@pytest.mark.parametrize(
    ("requested_ms", "expected_ms"), [(-5, 4000), (0, 4000), (3999, 4000), (6000, 6000), (2**31 - 1, 40_000)]
)
def test_timeouts_are_clamped_both_ways(requested_ms: int, expected_ms: int) -> None:
    assert negotiate_timeout(requested_ms, 4000, 40_000) == expected_ms


def test_an_opened_session_is_held_by_the_connection_that_asked(table: SessionTable) -> None:
    connection = Connection()
    session = table.opened(7, 6000, PASSWORD, 0, connection)
    assert table.get(7) is session
    assert session.holder is connection
    assert table.session_count() == 1


def test_reattaching_with_the_password_moves_the_session_and_displaces_the_old_connection(table: SessionTable) -> None:
    old, new = Connection(), Connection()
    session = table.opened(7, 6000, PASSWORD, 0, old)
    attachment = table.attach(7, PASSWORD, 10_000, new, 100)
    assert attachment.session is session
    assert attachment.displaced is old
    assert attachment.timeout_changed
    assert session.holder is new
    assert session.timeout_ms == 10_000
    table.check_invariants()


def test_a_wrong_password_is_refused_and_still_displaces_the_old_connection(table: SessionTable) -> None:
    for wrong in (None, b"", bytes(16), PASSWORD + b"x"):
        old = Connection()
        session = table.opened(7, 6000, PASSWORD, 0, old)
        attachment = table.attach(7, wrong, 6000, Connection(), 100)
        assert attachment.session is None
        assert attachment.displaced is old
        assert session.holder is None
        assert not session.is_closing
        table.closed(7)


def test_an_unknown_session_is_refused(table: SessionTable) -> None:
    attachment = table.attach(7, PASSWORD, 6000, Connection(), 0)
    assert attachment.session is None
    assert attachment.displaced is None


def test_a_closing_session_is_refused(table: SessionTable) -> None:
    table.opened(7, 6000, PASSWORD, 0)
    table.closing(7)
    assert table.attach(7, PASSWORD, 6000, Connection(), 0).session is None


def test_the_same_timeout_needs_no_writing(table: SessionTable) -> None:
    table.opened(7, 6000, PASSWORD, 0)
    assert not table.attach(7, PASSWORD, 6000, Connection(), 0).timeout_changed


def test_a_late_detach_of_the_old_connection_does_not_disturb_the_new_one(table: SessionTable) -> None:
    old, new = Connection(), Connection()
    session = table.opened(7, 6000, PASSWORD, 0, old)
    table.attach(7, PASSWORD, 6000, new, 0)
    assert not table.detach(7, old)
    assert holder_of(session) is new
    assert table.detach(7, new)
    assert holder_of(session) is None
    assert not table.detach(8, new)


def test_a_silent_session_expires_after_its_timeout_held_or_not(table: SessionTable) -> None:
    table.opened(7, 6000, PASSWORD, 0, Connection())
    assert expired_by(table, 7000) == []
    assert expired_by(table, 8000) == [7]
    session = table.get(7)
    assert session is not None and session.is_closing and session.has_expired
    table.reopened(7, 8000)
    assert not session.has_expired


def test_attaching_counts_as_a_sign_of_life(table: SessionTable) -> None:
    table.opened(7, 6000, PASSWORD, 0)
    table.attach(7, PASSWORD, 6000, Connection(), 5000)
    assert expired_by(table, 11_000) == []
    assert expired_by(table, 12_000) == [7]


def test_touches_keep_a_session_and_not_a_closing_one(table: SessionTable) -> None:
    kept, closing = table.opened(1, 4000, PASSWORD, 0), table.opened(2, 4000, PASSWORD, 0)
    assert table.closing(2) is closing
    for now_ms in range(0, 30_000, 500):
        table.touch(kept, now_ms)
        table.touch(closing, now_ms)
        assert table.expired(now_ms) == []
        table.check_invariants()


def test_closing_is_granted_once(table: SessionTable) -> None:
    session = table.opened(7, 6000, PASSWORD, 0)
    assert table.closing(7) is session
    assert table.closing(7) is None
    assert table.closing(8) is None


def test_a_closed_session_is_gone_and_names_the_connection_to_end(table: SessionTable) -> None:
    connection = Connection()
    session = table.opened(7, 6000, PASSWORD, 0, connection)
    assert table.closed(7) is session and holder_of(session) is connection
    assert table.closed(7) is None
    assert session.is_closing
    assert table.get(7) is None
    table.touch(session, 50)
    assert expired_by(table, 20_000) == []


def test_a_close_that_could_not_be_written_leaves_a_session_with_a_full_timeout(table: SessionTable) -> None:
    table.opened(7, 6000, PASSWORD, 0)
    assert expired_by(table, 8000) == [7]
    table.reopened(7, 8000)
    table.reopened(7, 8000)
    session = table.get(7)
    assert isinstance(session, Session) and not session.is_closing
    assert session.deadline_ms == 16_000
    table.check_invariants()


def test_a_change_from_elsewhere_sets_the_timeout(table: SessionTable) -> None:
    session = table.opened(7, 6000, PASSWORD, 0)
    table.changed(7, 20_000, b"q" * 16, 0)
    assert (session.timeout_ms, session.deadline_ms) == (20_000, 22_000)
    table.closing(7)
    table.changed(7, 9000, b"q" * 16, 0)
    table.changed(8, 9000, b"q" * 16, 0)
    assert session.timeout_ms == 9000
    table.check_invariants()


def test_deadlines_list_sessions_by_tick(table: SessionTable) -> None:
    late, early = table.opened(1, 20_000, PASSWORD, 0), table.opened(2, 4000, PASSWORD, 0)
    assert table.deadlines() == [(6000, [early]), (22_000, [late])]
    assert table.session_ids() == [1, 2]
