"""etcdcore.apply.alarms (reference 2.10)."""

from etcdcore.apply.alarms import ALARM_CORRUPT, ALARM_NONE, ALARM_NOSPACE, ALARMS_MAX, Alarm, Alarms
from etcdcore.errors import ClusterCorrupt, NoSpace
from etcdcore.mvcc.engine import ALARM
from etcdcore.pb import rpc_pb2
from etcdcore.storage.memory_engine import MemoryEngine


def test_an_alarm_is_stored_as_etcds_message_and_is_there_after_a_restart() -> None:
    engine = MemoryEngine()
    alarms = Alarms(engine)
    alarms.activate(1 << 63, ALARM_NOSPACE)
    alarms.activate(0, ALARM_CORRUPT)
    stored = [rpc_pb2.AlarmMember.FromString(key) for key, _ in engine.scan(ALARM, b"", b"")]
    assert {(alarm.memberID, int(alarm.alarm)) for alarm in stored} == {(1 << 63, 1), (0, 2)}
    assert Alarms(engine).listed() == [Alarm(1 << 63, ALARM_NOSPACE), Alarm(0, ALARM_CORRUPT)]


def test_raising_it_again_tells_the_same_alarm_and_none_is_no_alarm() -> None:
    alarms = Alarms(MemoryEngine())
    assert alarms.activate(5, ALARM_NOSPACE) == alarms.activate(5, ALARM_NOSPACE) == [Alarm(5, ALARM_NOSPACE)]
    assert alarms.activate(5, ALARM_NONE) == []
    assert len(alarms.listed()) == 1
    alarms.check_invariants()


def test_it_is_taken_back_by_its_exact_name_alone() -> None:
    """8.3 no. 26: member 0 changes nothing."""
    alarms = Alarms(MemoryEngine())
    alarms.activate(5, ALARM_NOSPACE)
    for member_id, kind in ((0, ALARM_NOSPACE), (5, ALARM_NONE), (5, ALARM_CORRUPT), (6, ALARM_NOSPACE)):
        assert alarms.deactivate(member_id, kind) == []
    assert len(alarms.listed()) == 1
    assert alarms.deactivate(5, ALARM_NOSPACE) == [Alarm(5, ALARM_NOSPACE)]
    assert not alarms.is_active
    alarms.check_invariants()


def test_no_space_refuses_what_grows_and_corruption_refuses_all() -> None:
    alarms = Alarms(MemoryEngine())
    assert alarms.refusal(True) is None
    alarms.activate(5, ALARM_NOSPACE)
    assert (alarms.refusal(True), alarms.refusal(False)) == (NoSpace(), None)
    alarms.activate(5, ALARM_CORRUPT)
    assert (alarms.refusal(True), alarms.refusal(False)) == (ClusterCorrupt(), ClusterCorrupt())
    alarms.deactivate(5, ALARM_CORRUPT)
    assert alarms.refusal(True) == NoSpace()


def test_the_list_can_be_of_one_kind_or_of_one_member() -> None:
    alarms = Alarms(MemoryEngine())
    for member_id in (7, 5):
        alarms.activate(member_id, ALARM_NOSPACE)
    alarms.activate(5, ALARM_CORRUPT)
    assert [alarm.member_id for alarm in alarms.listed(ALARM_NOSPACE)] == [5, 7]
    assert [alarm.kind for alarm in alarms.listed(member_id=5)] == [ALARM_NOSPACE, ALARM_CORRUPT]


def test_their_number_is_bounded() -> None:
    alarms = Alarms(MemoryEngine())
    for member_id in range(ALARMS_MAX):
        assert len(alarms.activate(member_id, ALARM_NOSPACE)) == 1
    assert alarms.activate(ALARMS_MAX, ALARM_NOSPACE) == []
    assert len(alarms.activate(1, ALARM_NOSPACE)) == 1


def test_an_alarm_is_shown_as_etcds_status_shows_it() -> None:
    assert repr(Alarm(13803658152347727308, ALARM_NOSPACE)) == "memberID:13803658152347727308 alarm:NOSPACE "
    assert repr(Alarm(1, 9)) == "memberID:1 alarm:9 "
