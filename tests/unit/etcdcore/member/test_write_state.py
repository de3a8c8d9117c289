"""One answer to whether commands are taken, told once for each change."""

from etcdcore import CoreError, NoSpace, ServerStopped
from etcdcore.errors import NoLeader, NotLeader
from etcdcore.member.write_state import WriteState
from tests.unit.etcdcore.member.fakes import IdleHost, Recorder


def _state() -> tuple[WriteState, list[CoreError | None]]:
    recorder = Recorder()
    return WriteState([recorder], IdleHost()), recorder.write_states


def test_a_new_member_refuses_for_want_of_a_leader() -> None:
    state, told = _state()
    assert state.refusal == NoLeader()
    assert told == []


def test_room_counts_for_both_log_and_engine() -> None:
    state, told = _state()
    state.set_leading(None)
    state.set_log_full(True)
    state.set_engine_full(True)
    state.set_log_full(False)
    assert state.refusal == NoSpace()
    state.set_engine_full(False)
    assert told == [None, NoSpace(), None]


def test_the_gravest_reason_counts_and_a_stop_is_for_good() -> None:
    state, told = _state()
    state.set_leading(None)
    state.set_log_full(True)
    state.set_leading(NotLeader())
    state.stop(ServerStopped())
    state.set_leading(None)
    state.set_log_full(False)
    assert told == [None, NoSpace(), NotLeader(), ServerStopped()]


def test_the_host_hears_of_each_other_refusal_and_of_nothing_else() -> None:
    host = IdleHost()
    state = WriteState([], host)
    state.set_leading(NoLeader())
    assert host.refusals == 0
    state.set_leading(None)
    state.set_log_full(True)
    state.set_engine_full(True)
    assert host.refusals == 2
    assert not state.is_stopped
    state.stop(ServerStopped())
    assert host.refusals == 3 and state.is_stopped
