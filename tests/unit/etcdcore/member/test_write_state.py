"""One answer to whether commands are taken, told once for each change."""

import asyncio

import pytest

from etcdcore import CoreError, NoSpace, ServerStopped
from etcdcore.errors import NoLeader, NotLeader
from etcdcore.member.write_state import WriteState
from tests.unit.etcdcore.member.fakes import Recorder, on_loop


def _state() -> tuple[WriteState, list[CoreError | None]]:
    recorder = Recorder()
    return WriteState([recorder]), recorder.write_states


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


@on_loop
async def test_who_waits_goes_on_when_writable_and_hears_of_a_stop() -> None:
    state, _ = _state()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(state.wait_writable())
        await asyncio.sleep(0)
        assert not waiting.done()
        state.set_leading(None)
    state.stop(ServerStopped())
    with pytest.raises(ServerStopped):
        await state.wait_writable()
