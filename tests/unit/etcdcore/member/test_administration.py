"""etcdcore.member.administration: alarms, quota, members, hashes, defragmentation, on a member that is really there."""

import asyncio
from pathlib import Path

import pytest

from etcdcore import Compaction, CoreError, DeleteRange, LeaseGrant, Member, MemberConfig, NoSpace, Put, PutResult
from etcdcore.apply import admin_commands as commands
from etcdcore.apply.alarms import ALARM_NOSPACE, Alarm
from etcdcore.apply.commands import AsUser
from etcdcore.apply.results import AuthenticateResult
from etcdcore.errors import (
    BadLeaderTransferee,
    DowngradeInProgress,
    DowngradeVersionFormatWrong,
    DowngradeVersionInvalid,
    EngineError,
    EngineSwapFailed,
    LearnerNotReady,
    MemberExists,
    MemberNotFound,
    NotEnoughStartedMembers,
    NotLearner,
    PeerUrlsExist,
    RevisionCompacted,
    RevisionInFuture,
    ServerStopped,
    TooManyLearners,
    UnhealthyCluster,
    UserNameEmpty,
)
from etcdcore.mvcc.engine import META
from etcdcore.storage.lmdb_engine import REWRITTEN_NAME, SYNCED_FILE_NAME
from etcdcore.storage.memory_engine import MemoryEngine
from tests.unit.etcdcore.member.fakes import contents, decide, on_loop, quick_config, running, until

LEARNER_URLS = ("http://127.0.0.1:1",)


def _config(folder: Path, **settings: float) -> MemberConfig:
    return quick_config(folder, **settings)


async def _add_learner(member: Member) -> int:
    return (await member.admin.add_member(LEARNER_URLS, True, 1_700_000_000)).member_id


@on_loop
async def test_alarms_are_there_after_a_restart_until_they_are_taken_back(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, recorder):
        own = member.member_id
        assert await member.admin.activate_alarm(own, ALARM_NOSPACE) == [Alarm(own, ALARM_NOSPACE)]
        assert recorder.write_states[-1] == NoSpace()
    async with running(_config(tmp_path)) as (member, recorder):
        assert member.admin_state.alarms.listed() == [Alarm(own, ALARM_NOSPACE)]
        assert await decide(member, AsUser("", 0, Put(b"a", b""))) == NoSpace()
        assert isinstance(await decide(member, Put(b"a", b"")), PutResult), (
            "the server's own writes are told, not refused"
        )
        assert await member.admin.deactivate_alarm(0, ALARM_NOSPACE) == []
        assert await member.admin.deactivate_alarm(own, ALARM_NOSPACE) == [Alarm(own, ALARM_NOSPACE)]
        assert recorder.write_states[-1] is None
    async with running(_config(tmp_path)) as (member, _):
        assert not member.admin_state.alarms.is_active


@on_loop
async def test_past_the_quota_growth_is_refused_and_the_alarm_raised_once(tmp_path: Path) -> None:
    engine = MemoryEngine()
    async with running(_config(tmp_path, quota_bytes=2000), engine=engine) as (member, _):
        assert member.admin.check_quota(1000) is None
        index = member.applied_index
        assert member.admin.check_quota(5000) == NoSpace()
        assert member.admin.check_quota(5000) == NoSpace()
        await member.admin.settle_alarm()
        assert member.admin_state.alarms.listed() == [Alarm(member.member_id, ALARM_NOSPACE)]
        assert member.admin.check_quota(5000) == NoSpace()
        await asyncio.sleep(0.02)
        assert member.applied_index == index + 1, "one alarm, one entry"
        assert member.admin.check_quota(0) is None


@on_loop
async def test_what_the_bridge_writes_past_the_quota_raises_the_alarm_too(tmp_path: Path) -> None:
    """etcd's check at apply: whoever wrote, and though it was not refused."""
    async with running(_config(tmp_path, quota_bytes=2000), engine=MemoryEngine()) as (member, recorder):
        assert isinstance(await decide(member, Put(b"a", b"x" * 3000)), PutResult)
        await until(lambda: member.admin_state.alarms.is_full)
        assert recorder.write_states[-1] == NoSpace()


@on_loop
async def test_an_alarm_that_was_taken_back_stays_away_until_the_store_grows(tmp_path: Path) -> None:
    """The commit of the taking back itself once raised it again, and so did each deletion's."""
    async with running(_config(tmp_path, quota_bytes=2000), engine=MemoryEngine()) as (member, _):
        own = member.member_id
        await decide(member, Put(b"a", b"x" * 3000))
        await until(lambda: member.admin_state.alarms.is_full)
        await member.admin.deactivate_alarm(own, ALARM_NOSPACE)
        for command in (DeleteRange(b"a"), Compaction(2)):
            await decide(member, command)
            member.commit()
            await decide(member, DeleteRange(b"nothing"))
            assert member.admin_state.alarms.listed() == []
        await decide(member, Put(b"a", b""))
        member.commit()
        await until(lambda: member.admin_state.alarms.is_full)


@on_loop
async def test_no_quota_is_never_exceeded(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        assert member.admin.check_quota(1 << 60) is None


@on_loop
async def test_a_learner_is_added_listed_kept_over_restarts_and_removed(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        learner = await _add_learner(member)
        assert {listed.member_id: listed.is_learner for listed in member.admin.members()} == {
            member.member_id: False,
            learner: True,
        }
        assert isinstance(await decide(member, Put(b"a", b"")), PutResult), "its absence stops nobody"
        assert member.raft_status().conf_state.learners == (learner,)
    for _ in range(2):
        async with running(_config(tmp_path)) as (member, _):
            assert member.raft_status().conf_state.learners == (learner,)
            assert [listed.member_id for listed in member.admin.members() if listed.is_learner] == [learner]
            assert isinstance(await decide(member, Put(b"a", b"")), PutResult)
    async with running(_config(tmp_path)) as (member, _):
        await member.admin.remove_member(learner)
        assert member.raft_status().conf_state.learners == ()
        with pytest.raises(MemberNotFound):
            await member.admin.remove_member(learner)
    async with running(_config(tmp_path)) as (member, _):
        assert len(member.admin.members()) == 1
        with pytest.raises(MemberNotFound):  # its id never comes back
            await _add_learner(member)


@on_loop
async def test_membership_changes_that_cannot_be(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        admin, own = member.admin, member.member_id
        with pytest.raises(PeerUrlsExist):
            await admin.add_member(member.config.peer_urls, True, 5)
        with pytest.raises(NotEnoughStartedMembers):
            await admin.remove_member(own)
        with pytest.raises(MemberNotFound):
            await admin.promote_member(5)
        with pytest.raises(NotLearner):
            await admin.promote_member(own)
        with pytest.raises(BadLeaderTransferee):
            await admin.move_leader(5)
        with pytest.raises(UnhealthyCluster):  # nobody could reach a second voter
            await admin.add_member(["http://127.0.0.1:2"], False, 5)
        learner = await _add_learner(member)
        with pytest.raises(MemberExists):
            await _add_learner(member)
        with pytest.raises(TooManyLearners):
            await admin.add_member(["http://127.0.0.1:2"], True, 5)
        with pytest.raises(LearnerNotReady):
            await admin.promote_member(learner)
        with pytest.raises(BadLeaderTransferee):
            await admin.move_leader(learner)
        await admin.move_leader(own)
        with pytest.raises(PeerUrlsExist):
            await admin.update_member(learner, member.config.peer_urls)
        await admin.update_member(learner, ["http://127.0.0.1:9"])
        assert admin.members()[0].peer_urls == ("http://127.0.0.1:9",) or admin.members()[1].peer_urls == (
            "http://127.0.0.1:9",
        )


@on_loop
async def test_changes_made_at_once_are_made_one_after_the_other(tmp_path: Path) -> None:
    config = MemberConfig(tmp_path, tick_ms=5, commit_interval_ms=5, segment_bytes=1 << 16, learners_max=20)
    async with running(config) as (member, _):
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(member.admin.add_member([f"http://127.0.0.1:{number + 1}"], True, number))
        assert len(member.raft_status().conf_state.learners) == 10
        assert len(member.admin.members()) == 11


@on_loop
async def test_a_failed_commit_loses_no_membership_change(tmp_path: Path) -> None:
    engine = MemoryEngine()
    async with running(_config(tmp_path, commit_interval_ms=10_000), engine=engine) as (member, _):
        member.commit()
        learner = await _add_learner(member)
        await decide(member, commands.user_add("u", b"h"))
        engine.fail_next_commit = True
        member.commit()
        assert member.admin_state.members.members[learner].is_learner
        assert "u" in member.admin_state.auth.users
        member.commit()
        assert str(learner).encode() in (engine.get(META, b"confState") or b"")
        member.admin_state.check_invariants()


@on_loop
async def test_a_member_publishes_itself_once(tmp_path: Path) -> None:
    config = MemberConfig(tmp_path, tick_ms=5, segment_bytes=1 << 16, name="n1", client_urls=("http://a:1",))
    async with running(config) as (member, _):
        await member.admin.publish()
        own = member.admin.members()[0]
        assert (own.name, own.client_urls, member.admin_state.members.cluster_version) == (
            "n1",
            ("http://a:1",),
            "3.6.0",
        )
        index = member.applied_index
        await member.admin.publish()
        assert member.applied_index == index
        assert member.revision() == 1


@on_loop
async def test_downgrades_go_one_minor_version_down(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        admin = member.admin
        await admin.publish()
        for version in ("", "x", "3", "3.5.0.1", "3.5-rc"):
            with pytest.raises(DowngradeVersionFormatWrong):
                await admin.validate_downgrade(version)
        for version in ("3.6", "3.4.0", "4.5.0"):
            with pytest.raises(DowngradeVersionInvalid):
                await admin.validate_downgrade(version)
        assert await admin.validate_downgrade("3.5.7") == "3.6"
        assert await admin.enable_downgrade("3.5") == "3.6"
        assert member.admin_state.members.downgrade_target == "3.5.0"
        with pytest.raises(DowngradeInProgress):
            await admin.validate_downgrade("3.5.0")
        await admin.update_version()
        assert member.admin_state.members.cluster_version == "3.5.0"
        with pytest.raises(DowngradeVersionInvalid):
            await admin.validate_downgrade("3.5.0")
        assert await admin.cancel_downgrade() == "3.5"
        await admin.update_version()
        assert member.admin_state.members.cluster_version == "3.6.0"
        assert member.admin_state.members.downgrade_target == ""
        assert await admin.cancel_downgrade() == "3.6"


@on_loop
async def test_hashes_leave_the_loop_to_others(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        for number in range(3000):
            member.submit(Put(b"k%d" % number, b"v"), None)
        await decide(member, Put(b"last", b"v"))
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.get_running_loop().create_task(count())
        first = await member.admin.hash_kv(0)
        whole = await member.admin.hash_all()
        counting.cancel()
        assert turns >= 5
        assert (await member.admin.hash_kv(0)).hash == first.hash
        assert await member.admin.hash_all() == whole
        await decide(member, Put(b"last", b"other"))
        assert (await member.admin.hash_kv(0)).hash != first.hash
        assert (await member.admin.hash_kv(first.revision)).hash == first.hash
        await decide(member, Compaction(5))
        for revision, error in ((3, RevisionCompacted), (9999, RevisionInFuture)):
            with pytest.raises(error):
                await member.admin.hash_kv(revision)


@on_loop
async def test_a_compaction_leaves_its_hash_behind_where_it_is_to(tmp_path: Path) -> None:
    for name, is_kept in (("kept", True), ("not", False)):
        config = MemberConfig(
            tmp_path / name, tick_ms=5, segment_bytes=1 << 16, hash_compactions=is_kept, compaction_step=2
        )
        async with running(config) as (member, _):
            for number in range(20):
                await decide(member, Put(b"k%d" % (number % 3), b"v"))
            before = await member.admin.hash_kv(15)
            await decide(member, Compaction(15))
            await until(lambda member=member: member.store.compaction is None)  # type: ignore[misc]  # bound at once
            after = await member.admin.hash_kv(15)
            assert (after.hash == before.hash) == is_kept
            assert after.compacted_revision == (-1 if is_kept else 15)


@on_loop
async def test_defragmenting_gives_room_back_and_loses_nothing(tmp_path: Path) -> None:
    config = _config(tmp_path)
    async with running(config) as (member, _):
        for number in range(300):
            member.submit(Put(b"k%d" % number, b"x" * 10_000), None)
        await decide(member, Put(b"kept", b"v"))
        await decide(member, DeleteRange(b"k0", b"k\xff"))
        revision = member.revision()
        await decide(member, Put(b"kept", b"v"))
        await decide(member, Compaction(revision + 1))
        await until(lambda: member.store.compaction is None)
        member.commit()
        before = member.store_bytes()[0]
        writing = [decide(member, Put(b"w%d" % number, b"meanwhile")) for number in range(5)]
        results = await asyncio.gather(member.admin.defragment(), *writing)
        assert all(isinstance(result, PutResult) for result in results[1:])
        assert member.store_bytes()[0] < before // 4
        expected = {b"kept": b"v", **{b"w%d" % number: b"meanwhile" for number in range(5)}}
        assert contents(member) == expected
        await decide(member, LeaseGrant(7, 100))
        member.store.check_invariants()
    async with running(config) as (member, _):
        assert contents(member) == expected


@on_loop
async def test_who_asks_for_a_defragmentation_may_go(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        await decide(member, Put(b"a", b"1"))
        asking = asyncio.get_running_loop().create_task(member.admin.defragment())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(await decide(member, Put(b"b", b"2")), PutResult)
        await member.admin.defragment()
        assert contents(member) == {b"a": b"1", b"b": b"2"}


@on_loop
async def test_a_copy_that_cannot_be_made_leaves_everything_as_it_was(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        (tmp_path / "member" / "db" / REWRITTEN_NAME).write_bytes(b"in the way")
        with pytest.raises(EngineError):
            await member.admin.defragment()
        assert isinstance(await decide(member, Put(b"a", b"1")), PutResult)
        (tmp_path / "member" / "db" / REWRITTEN_NAME).unlink()
        await member.admin.defragment()
        assert contents(member) == {b"a": b"1"}


@on_loop
async def test_a_member_without_an_engine_stops(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as failed:
        async with running(_config(tmp_path)) as (member, recorder):
            (tmp_path / "member" / "db" / SYNCED_FILE_NAME).unlink()
            with pytest.raises(ServerStopped):
                await member.admin.defragment()
            assert recorder.failures
    assert failed.group_contains(EngineSwapFailed)


@on_loop
async def test_users_and_roles_are_there_after_a_restart_and_tokens_are_not(tmp_path: Path) -> None:
    config = _config(tmp_path)
    async with running(config) as (member, _):
        for command in (
            commands.user_add("root", b"h"),
            commands.user_grant_role("root", "root"),
            commands.auth_enable(),
        ):
            await member.admin.decide(command)
        result = await member.admin.decide(commands.authenticate("root", "abcdefghijklmnop"))
        assert isinstance(result, AuthenticateResult)
        assert result.token == f"abcdefghijklmnop.{member.applied_index}"
        assert member.admin_state.tokens.user_of(result.token) == "root"
        assert await decide(member, AsUser("", 0, Put(b"a", b""))) == UserNameEmpty()
        revision = member.admin_state.auth.revision
    async with running(config) as (member, _):
        auth = member.admin_state.auth
        assert (auth.is_enabled, auth.revision, auth.user_names()) == (True, revision, ["root"])
        assert member.admin_state.tokens.user_of(result.token) is None


@on_loop
async def test_a_refusal_is_raised_to_whoever_waits(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        with pytest.raises(CoreError, match="user name is empty"):
            await member.admin.decide(commands.user_add("", b""))
        assert await member.admin.read_index() == member.revision()
