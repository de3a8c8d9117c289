"""The members of a cluster as operators see them (reference 2.9)."""

from __future__ import annotations

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import Recorder, run_on_both

LEARNER = "http://127.0.0.1:1"


def members(to: Recorder) -> None:
    """What a member alone says of itself, of a learner that never comes, and of what cannot be."""

    def listed() -> None:
        to.ask("MemberList", pb.MemberListRequest(linearizable=True), pb.MemberListResponse)

    def add(*urls: str, is_learner: bool = True) -> int:
        request = pb.MemberAddRequest(peerURLs=urls, isLearner=is_learner)
        return to.ask("MemberAdd", request, pb.MemberAddResponse).member.ID

    listed()
    own = to.ask("MemberList", pb.MemberListRequest(), pb.MemberListResponse).members[0]
    for urls in ((), ("",), ("localhost",), ("http://localhost",), ("ftp://a:1",), ("http://a:1/x",), ("http://a:x",)):
        add(*urls)
    add(own.peerURLs[0])
    to.ask("MemberRemove", pb.MemberRemoveRequest(ID=own.ID), pb.MemberRemoveResponse)
    to.ask("MemberRemove", pb.MemberRemoveRequest(ID=5), pb.MemberRemoveResponse)
    to.ask("MemberPromote", pb.MemberPromoteRequest(ID=own.ID), pb.MemberPromoteResponse)
    to.ask("MemberPromote", pb.MemberPromoteRequest(ID=5), pb.MemberPromoteResponse)
    to.ask("MemberUpdate", pb.MemberUpdateRequest(ID=5, peerURLs=[LEARNER]), pb.MemberUpdateResponse)
    learner = add(LEARNER)
    listed()
    add(LEARNER)
    add("http://127.0.0.1:2")
    to.ask("MemberPromote", pb.MemberPromoteRequest(ID=learner), pb.MemberPromoteResponse)
    to.ask("MoveLeader", pb.MoveLeaderRequest(targetID=learner), pb.MoveLeaderResponse)
    to.ask("MemberUpdate", pb.MemberUpdateRequest(ID=learner, peerURLs=list(own.peerURLs)), pb.MemberUpdateResponse)
    to.ask("MemberUpdate", pb.MemberUpdateRequest(ID=learner, peerURLs=["http://127.0.0.1:3"]), pb.MemberUpdateResponse)
    to.put(b"a")
    to.restart(is_kill=False)
    listed()
    to.ask("MemberRemove", pb.MemberRemoveRequest(ID=learner), pb.MemberRemoveResponse)
    to.ask("MemberRemove", pb.MemberRemoveRequest(ID=learner), pb.MemberRemoveResponse)
    listed()
    to.get(b"a")


def test_both_servers_answer_alike() -> None:
    ours, theirs = run_on_both(members)
    assert ours == theirs
