"""etcdcore.api.cluster (reference 2.9). The same calls beside a real etcd are in integration/etcd/admin."""

from pathlib import Path

import pytest

from etcdcore.api.cluster import PEER_URLS_MAX, PREFIX
from etcdcore.pb import rpc_pb2 as pb
from tests.unit.etcdcore.api.harness import Client, Refused, serving
from tests.unit.etcdcore.member.fakes import on_loop


async def add(client: Client, *urls: str) -> pb.MemberAddResponse:
    request = pb.MemberAddRequest(peerURLs=urls, isLearner=True)
    return await client.call(PREFIX + "MemberAdd", request, pb.MemberAddResponse)


@on_loop
async def test_answers_name_cluster_member_and_term_but_no_revision(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        listed = await client.call(
            PREFIX + "MemberList", pb.MemberListRequest(linearizable=True), pb.MemberListResponse
        )
        member = client.services.member
        header = listed.header
        assert (header.cluster_id, header.member_id) == (member.cluster_id, member.member_id)
        assert (header.raft_term, header.revision) == (member.term, 0)
        assert [(shown.ID, shown.name, shown.isLearner) for shown in listed.members] == [
            (member.member_id, "default", False)
        ]


@on_loop
async def test_a_learner_comes_and_goes(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        added = await add(client, "http://b:1", "http://a:1")
        assert (list(added.member.peerURLs), added.member.isLearner) == (["http://a:1", "http://b:1"], True)
        assert len(added.members) == 2
        update = pb.MemberUpdateRequest(ID=added.member.ID, peerURLs=["http://c:1"])
        updated = await client.call(PREFIX + "MemberUpdate", update, pb.MemberUpdateResponse)
        assert ["http://c:1"] in [list(shown.peerURLs) for shown in updated.members]
        remove = pb.MemberRemoveRequest(ID=added.member.ID)
        removed = await client.call(PREFIX + "MemberRemove", remove, pb.MemberRemoveResponse)
        assert len(removed.members) == 1
        with pytest.raises(Refused, match="member not found"):
            await client.call(PREFIX + "MemberRemove", remove, pb.MemberRemoveResponse)


@pytest.mark.parametrize(
    "urls",
    [(), ("",), ("a:1",), ("http://a",), ("http://a:1/",), ("http://a:1/p",), ("ftp://a:1",), ("http://a:1", "x")],
)
@on_loop
async def test_urls_that_lead_nowhere_are_refused(tmp_path: Path, urls: tuple[str, ...]) -> None:
    async with serving(tmp_path) as client:
        with pytest.raises(Refused, match="given member URLs are invalid"):
            await add(client, *urls)


@on_loop
async def test_a_member_has_not_too_many_urls(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        urls = [f"http://a:{port}" for port in range(1, PEER_URLS_MAX + 2)]
        with pytest.raises(Refused, match="given member URLs are invalid"):
            await add(client, *urls)
        update = pb.MemberUpdateRequest(ID=client.services.member.member_id, peerURLs=urls)
        with pytest.raises(Refused, match="given member URLs are invalid"):
            await client.call(PREFIX + "MemberUpdate", update, pb.MemberUpdateResponse)


@on_loop
async def test_a_voter_more_is_refused_while_nobody_could_reach_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        request = pb.MemberAddRequest(peerURLs=["http://a:1"])
        with pytest.raises(Refused, match="unhealthy cluster"):
            await client.call(PREFIX + "MemberAdd", request, pb.MemberAddResponse)
