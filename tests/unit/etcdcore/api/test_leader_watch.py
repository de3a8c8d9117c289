"""etcdcore.api.leader_watch: streams that asked for a leader end without one."""

from etcdcore.api.leader_watch import LeaderWatch
from etcdcore.api.refused_stream import REFUSED
from tests.unit.etcdcore.api.harness import FakeCall


def _open(watch: LeaderWatch, metadata: dict[str, str]) -> FakeCall:
    call = FakeCall(metadata)
    call.listener = REFUSED
    watch.add(call)
    return call


def test_only_streams_that_asked_end_three_election_timeouts_after_the_leader_was_lost() -> None:
    watch = LeaderWatch(1.0)
    asked, over = _open(watch, {"hasleader": "true"}), _open(watch, {"hasleader": "true"})
    others = [_open(watch, {}), _open(watch, {"hasleader": "false"})]
    watch.forget(over)
    watch.look(True, 10.0)
    watch.look(False, 10.5)
    watch.look(False, 13.0)
    assert not asked.is_done
    watch.look(False, 13.1)
    assert asked.status is not None and (asked.status.code, asked.status.text) == (14, "etcdserver: no leader")
    assert not over.is_done and not any(call.is_done for call in others)


def test_a_leader_found_again_in_time_saves_the_streams() -> None:
    watch = LeaderWatch(1.0)
    asked = _open(watch, {"hasleader": "true"})
    for now_s, has_leader in ((0.0, False), (2.9, False), (3.0, True), (5.9, False)):
        watch.look(has_leader, now_s)
    assert not asked.is_done
