"""kill -9 in the middle of a defragmentation (etcd #14685) and of membership changes: nothing acknowledged is lost."""

from __future__ import annotations

import threading
import time
from random import Random

import grpc

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import PATHS, Recorder
from integration.peers.etcd import OurEtcd

ROUNDS = 5
VALUE = b"x" * 4000


def _defragment_until_it_dies(server: OurEtcd) -> None:
    with server.channel() as channel:
        defragment = channel.unary_unary(PATHS["Defragment"])
        while True:
            try:
                defragment(b"", timeout=20)
            except grpc.RpcError:
                return


def test_what_was_acknowledged_survives_a_kill_while_the_file_is_rewritten(our_etcd: OurEtcd) -> None:
    random = Random(20)
    acknowledged: dict[bytes, int] = {}
    number = 0
    for _ in range(ROUNDS):
        defragmenting = threading.Thread(target=_defragment_until_it_dies, args=(our_etcd,), daemon=True)
        with our_etcd.channel() as channel:
            put = channel.unary_unary(PATHS["Put"], response_deserializer=pb.PutResponse.FromString)
            defragmenting.start()
            end = time.monotonic() + random.uniform(0.3, 1.2)
            while time.monotonic() < end:
                key = b"k%d" % (number % 200)
                number += 1
                answer = put(pb.PutRequest(key=key, value=VALUE).SerializeToString(), timeout=20)
                acknowledged[key] = answer.header.revision
            our_etcd.kill()
        defragmenting.join(20)
        assert not defragmenting.is_alive()
        our_etcd.start()
        with our_etcd.channel() as channel:
            read = channel.unary_unary(PATHS["Range"], response_deserializer=pb.RangeResponse.FromString)
            found = read(pb.RangeRequest(key=b"k", range_end=b"l").SerializeToString(), timeout=20)
        assert {pair.key: pair.mod_revision for pair in found.kvs} == acknowledged
        assert all(pair.value == VALUE for pair in found.kvs)
    assert number > 10 * ROUNDS


def test_members_are_those_that_were_acknowledged_before_a_kill(our_etcd: OurEtcd) -> None:
    to = Recorder(our_etcd)
    for number in range(4):
        added = to.ask(
            "MemberAdd",
            pb.MemberAddRequest(peerURLs=[f"http://127.0.0.1:{number + 1}"], isLearner=True),
            pb.MemberAddResponse,
        )
        to.restart(is_kill=True)
        listed = to.ask("MemberList", pb.MemberListRequest(linearizable=True), pb.MemberListResponse)
        assert added.member.ID in [member.ID for member in listed.members]
        to.put(b"a")
        assert " -> header" in to.lines[-1]
        to.ask("MemberRemove", pb.MemberRemoveRequest(ID=added.member.ID), pb.MemberRemoveResponse)
        to.restart(is_kill=True)
        listed = to.ask("MemberList", pb.MemberListRequest(linearizable=True), pb.MemberListResponse)
        assert [member.name for member in listed.members] == ["default"]
    to.close()
