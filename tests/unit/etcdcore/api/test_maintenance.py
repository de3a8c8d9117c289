"""etcdcore.api.maintenance (reference 2.10). The same calls beside a real etcd are in integration/etcd/admin."""

from pathlib import Path

import pytest

from etcdcore.api import kv
from etcdcore.api.maintenance import PREFIX
from etcdcore.api.settings import ApiSettings
from etcdcore.config import ETCD_VERSION
from etcdcore.pb import rpc_pb2 as pb
from etcdcore.pb.health_pb2 import HealthCheckResponse
from tests.unit.etcdcore.api.harness import Client, Refused, serving
from tests.unit.etcdcore.member.fakes import on_loop, until


async def alarm(client: Client, action: int, kind: int = 0, member_id: int = 0) -> list[tuple[int, int]]:
    request = pb.AlarmRequest(action=action, alarm=kind, memberID=member_id)  # type: ignore[arg-type]  # enums are ints
    answer = await client.call(PREFIX + "Alarm", request, pb.AlarmResponse)
    return [(shown.memberID, int(shown.alarm)) for shown in answer.alarms]


async def status(client: Client) -> pb.StatusResponse:
    return await client.call(PREFIX + "Status", pb.StatusRequest(), pb.StatusResponse)


@on_loop
async def test_status_tells_what_clients_decide_by(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        member = client.services.member
        await until(lambda: member.admin_state.members.cluster_version != "")
        found = await status(client)
        assert (found.version, found.storageVersion) == (ETCD_VERSION, "3.6.0")
        assert (found.leader, found.raftTerm, found.isLearner) == (member.member_id, member.term, False)
        assert found.raftIndex >= found.raftAppliedIndex > 0
        assert 0 < found.dbSizeInUse <= found.dbSize
        assert (list(found.errors), found.downgradeInfo.enabled) == ([], False)


@on_loop
async def test_an_alarm_is_among_the_errors_until_it_is_taken_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        own = client.services.member.member_id
        assert await alarm(client, pb.AlarmRequest.ACTIVATE, pb.NOSPACE, own) == [(own, pb.NOSPACE)]
        assert list((await status(client)).errors) == [f"memberID:{own} alarm:NOSPACE "]
        with pytest.raises(Refused, match="mvcc: database space exceeded"):
            await client.call(kv.PUT, pb.PutRequest(key=b"a"), pb.PutResponse)
        await client.call(kv.DELETE_RANGE, pb.DeleteRangeRequest(key=b"a"), pb.DeleteRangeResponse)
        assert await alarm(client, pb.AlarmRequest.DEACTIVATE, pb.NOSPACE, 0) == []
        assert await alarm(client, pb.AlarmRequest.GET) == [(own, pb.NOSPACE)]
        assert await alarm(client, pb.AlarmRequest.DEACTIVATE, pb.NOSPACE, own) == [(own, pb.NOSPACE)]
        await client.call(kv.PUT, pb.PutRequest(key=b"a"), pb.PutResponse)


@on_loop
async def test_hashkv_is_of_a_revision_and_says_which(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        for value in (b"1", b"2"):
            await client.call(kv.PUT, pb.PutRequest(key=b"a", value=value), pb.PutResponse)
        newest = await client.call(PREFIX + "HashKV", pb.HashKVRequest(), pb.HashKVResponse)
        assert (newest.header.revision, newest.hash_revision, newest.compact_revision) == (3, 3, -1)
        older = await client.call(PREFIX + "HashKV", pb.HashKVRequest(revision=2), pb.HashKVResponse)
        assert older.hash_revision == 2 and older.hash != newest.hash
        with pytest.raises(Refused, match="required revision is a future revision"):
            await client.call(PREFIX + "HashKV", pb.HashKVRequest(revision=4), pb.HashKVResponse)
        whole = await client.call(PREFIX + "Hash", pb.HashRequest(), pb.HashResponse)
        assert whole.hash != 0 and whole.header.revision == 3


@on_loop
async def test_defragmenting_and_moving_the_leader_are_answered_without_a_header(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        member = client.services.member
        done = await client.call(PREFIX + "Defragment", pb.DefragmentRequest(), pb.DefragmentResponse)
        assert not done.HasField("header")
        moved = await client.call(
            PREFIX + "MoveLeader", pb.MoveLeaderRequest(targetID=member.member_id), pb.MoveLeaderResponse
        )
        assert not moved.HasField("header")
        with pytest.raises(Refused, match="bad leader transferee"):
            await client.call(PREFIX + "MoveLeader", pb.MoveLeaderRequest(targetID=5), pb.MoveLeaderResponse)


@pytest.mark.parametrize("is_told", [False, True])
@on_loop
async def test_health_checks_hear_of_a_defragmentation_if_they_are_to(tmp_path: Path, is_told: bool) -> None:
    async with serving(tmp_path, ApiSettings(stop_on_defrag=is_told)) as client:
        heard: list[int] = []
        health = client.services.health
        set_serving = health.set_serving

        def noted(service: str, is_serving: bool) -> None:
            set_serving(service, is_serving)
            heard.append(HealthCheckResponse.FromString(health.response("") or b"").status)

        health.set_serving = noted  # type: ignore[method-assign]  # what it was told, in order
        await client.call(PREFIX + "Defragment", pb.DefragmentRequest(), pb.DefragmentResponse)
        expected = [HealthCheckResponse.NOT_SERVING, HealthCheckResponse.SERVING] if is_told else []
        assert heard == expected


@on_loop
async def test_downgrades_are_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await until(lambda: client.services.member.admin_state.members.cluster_version != "")

        async def ask(action: int, version: str) -> str:
            request = pb.DowngradeRequest(action=action, version=version)  # type: ignore[arg-type]  # enums are ints
            return (await client.call(PREFIX + "Downgrade", request, pb.DowngradeResponse)).version

        assert await ask(pb.DowngradeRequest.VALIDATE, "3.5.0") == "3.6"
        assert await ask(pb.DowngradeRequest.ENABLE, "3.5.0") == "3.6"
        assert (await status(client)).downgradeInfo.targetVersion == "3.5.0"
        with pytest.raises(Refused, match="cluster has a downgrade job in progress"):
            await ask(pb.DowngradeRequest.ENABLE, "3.5.0")
        assert await ask(pb.DowngradeRequest.CANCEL, "") == "3.6"
        with pytest.raises(Refused, match="invalid downgrade target version"):
            await ask(pb.DowngradeRequest.VALIDATE, "3.4.0")
        with pytest.raises(Refused, match="wrong downgrade target version format"):
            await ask(pb.DowngradeRequest.VALIDATE, "x")
        with pytest.raises(Refused, match="unknown method"):
            await ask(7, "3.5.0")
