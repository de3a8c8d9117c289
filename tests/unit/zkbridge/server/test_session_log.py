"""Lines of sessions: one each while they are few, sums when they are many."""

import asyncio

from structlog.testing import capture_logs

from tests.unit.etcdcore.member.fakes import on_loop
from zkbridge.server.session_log import LINES_MAX, SessionLog

PEER = "10.0.0.7:41212"


def test_each_event_has_a_line_with_the_id_as_java_prints_it() -> None:
    log = SessionLog()
    with capture_logs() as lines:
        log.opened(-1, PEER, 6_000)
        log.disconnected(0x1000, PEER)
        log.reattached(0x1000, PEER, 6_000)
        log.reattach_refused(0x1000, PEER)
        log.expired(0x1000, PEER, 6_000, 2)
        log.closed(0x1000, PEER, 0)
        log.tick()
    assert [line.pop("event") for line in lines] == [
        "session_opened",
        "session_disconnected",
        "session_reattached",
        "session_reattach_refused",
        "session_expired",
        "session_closed",
    ]
    assert lines[0] == {"session_id": "0xffffffffffffffff", "peer": PEER, "timeout_ms": 6_000, "log_level": "info"}
    assert lines[4] == {
        "session_id": "0x1000",
        "peer": PEER,
        "timeout_ms": 6_000,
        "ephemerals": 2,
        "log_level": "info",
    }


def test_past_the_bound_of_a_second_a_kind_is_summed_up_and_the_others_are_not() -> None:
    log = SessionLog()
    with capture_logs() as lines:
        for session_id in range(1, 5_001):
            log.opened(session_id, PEER, 6_000)
            log.closed(session_id, PEER, 1)
        log.expired(7, PEER, 6_000, 1)
        log.tick()
        log.tick()
        log.opened(1, PEER, 6_000)
    assert [line["event"] for line in lines].count("session_opened") == LINES_MAX + 1
    assert len(lines) == 2 * LINES_MAX + 3
    assert lines[-2] == {
        "event": "sessions_summed_up",
        "opened": 5_000,
        "closed": 5_000,
        "lines_max": LINES_MAX,
        "log_level": "info",
    }


def test_who_has_no_line_is_counted_all_the_same() -> None:
    log = SessionLog()
    with capture_logs() as lines:
        for session_id in range(1, 101):
            if not log.only_counts_opened():
                log.opened(session_id, PEER, 6_000)
            if not log.only_counts_closed():
                log.closed(session_id, PEER, 1)
        log.tick()
    assert len(lines) == 2 * LINES_MAX + 1
    assert (lines[-1]["opened"], lines[-1]["closed"]) == (100, 100)


@on_loop
async def test_the_end_of_the_server_loses_no_sums() -> None:
    log = SessionLog()
    with capture_logs() as lines:
        task = asyncio.get_running_loop().create_task(log.serve())
        await asyncio.sleep(0)
        for session_id in range(1, LINES_MAX + 3):
            log.disconnected(session_id, PEER)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert lines[-1]["disconnected"] == LINES_MAX + 2
