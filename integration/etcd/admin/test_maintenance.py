"""Alarms, quota, status, hashes and downgrades as operators see them (reference 2.10, 2.5; 8.3 no. 25 and 26)."""

from __future__ import annotations

import time

import pytest
from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import Recorder, Script, run_on_both

SMALL_QUOTA = 1 << 20
VALUE = b"x" * 60_000


def _own_id(to: Recorder) -> int:
    return to.ask("Status", pb.StatusRequest(), pb.StatusResponse).header.member_id


def _alarm(to: Recorder, action: int, alarm: int, member_id: int) -> None:
    request = pb.AlarmRequest(action=action, alarm=alarm, memberID=member_id)  # type: ignore[arg-type]  # enums are ints
    to.ask("Alarm", request, pb.AlarmResponse)


def _each_kind_of_command(to: Recorder) -> None:
    put = pb.RequestOp(request_put=pb.PutRequest(key=b"p"))
    delete = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=b"p"))
    read = pb.RequestOp(request_range=pb.RangeRequest(key=b"p"))
    to.put(b"p", lease=99)
    to.ask("Txn", pb.TxnRequest(success=[put]), pb.TxnResponse)
    to.ask("Txn", pb.TxnRequest(failure=[put]), pb.TxnResponse)
    to.ask("Txn", pb.TxnRequest(success=[delete]), pb.TxnResponse)
    to.ask("Txn", pb.TxnRequest(success=[read]), pb.TxnResponse)
    to.ask("Txn", pb.TxnRequest(success=[pb.RequestOp(request_txn=pb.TxnRequest(success=[read]))]), pb.TxnResponse)
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=99), pb.LeaseGrantResponse)
    to.ask("LeaseRevoke", pb.LeaseRevokeRequest(ID=99), pb.LeaseRevokeResponse)
    to.get(b"p")
    to.get(b"p", serializable=True)
    to.delete(b"p")
    to.ask("Compact", pb.CompactionRequest(revision=2), pb.CompactionResponse)


def alarms(to: Recorder) -> None:
    """Raised, listed, taken back, and what each refuses meanwhile."""
    to.masks_hash = True
    to.put(b"p")
    to.put(b"p")
    own = _own_id(to)
    for kind in (pb.NOSPACE, pb.CORRUPT):
        _alarm(to, pb.AlarmRequest.ACTIVATE, kind, own)
        _alarm(to, pb.AlarmRequest.ACTIVATE, kind, own)
        to.ask("Status", pb.StatusRequest(), pb.StatusResponse)
        _each_kind_of_command(to)
        _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
        _alarm(to, pb.AlarmRequest.GET, kind, 0)
        _alarm(to, pb.AlarmRequest.GET, pb.NOSPACE, own)
        to.note("taking back names it exactly")
        _alarm(to, pb.AlarmRequest.DEACTIVATE, kind, 0)
        _alarm(to, pb.AlarmRequest.DEACTIVATE, pb.NONE, own)
        _alarm(to, pb.AlarmRequest.DEACTIVATE, kind, own)
        _alarm(to, pb.AlarmRequest.DEACTIVATE, kind, own)
        _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
        to.put(b"p")
    _alarm(to, pb.AlarmRequest.ACTIVATE, pb.NONE, own)
    _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)


def quota(to: Recorder) -> None:
    """Puts until there is no room, over a restart, and the way out: delete, compact, defragment, disarm."""
    own = _own_id(to)
    to.lines.clear()
    to.masks_revision = True  # how many puts fit is each server's own
    for _ in range(100):
        to.put(b"big", VALUE)
        if "RESOURCE_EXHAUSTED" in to.lines[-1]:
            break
        time.sleep(0.12)  # so that each is committed to the file before the next
    refusal = to.lines[-1]
    to.lines.clear()
    to.note(refusal.split(" -> ")[1])
    _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
    to.put(b"small")
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=100, ID=5), pb.LeaseGrantResponse)
    to.restart(is_kill=False)
    to.put(b"small")
    _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
    deleted = to.ask("DeleteRange", pb.DeleteRangeRequest(key=b"big"), pb.DeleteRangeResponse)
    to.ask("Compact", pb.CompactionRequest(revision=deleted.header.revision, physical=True), pb.CompactionResponse)
    to.ask("Defragment", pb.DefragmentRequest(), pb.DefragmentResponse)
    size = to.ask("Status", pb.StatusRequest(), pb.StatusResponse)
    to.lines.pop()
    to.note(f"room again: {size.dbSize < SMALL_QUOTA // 2}, quota {size.dbSizeQuota}, errors {len(size.errors)}")
    to.put(b"small")
    _alarm(to, pb.AlarmRequest.DEACTIVATE, pb.NOSPACE, own)
    answer = to.put(b"small")
    to.lines.pop()
    to.note(f"taken: {answer.header.revision == deleted.header.revision + 1}")


def past_the_quota(to: Recorder) -> None:
    """A store that was never within its quota: what wants it to grow raises the alarm, and nothing else does."""
    own = _own_id(to)
    put = pb.RequestOp(request_put=pb.PutRequest(key=b"p"))
    nested = pb.RequestOp(request_txn=pb.TxnRequest(failure=[put]))
    growing: list[tuple[str, Message, type[Message]]] = [
        ("Put", pb.PutRequest(key=b"p"), pb.PutResponse),
        ("Put", pb.PutRequest(key=b"p", lease=99), pb.PutResponse),
        ("Put", pb.PutRequest(), pb.PutResponse),
        ("Put", pb.PutRequest(key=b"p", value=b"v", ignore_value=True), pb.PutResponse),
        ("Txn", pb.TxnRequest(success=[put]), pb.TxnResponse),
        ("Txn", pb.TxnRequest(failure=[put]), pb.TxnResponse),
        ("Txn", pb.TxnRequest(success=[nested]), pb.TxnResponse),
        ("LeaseGrant", pb.LeaseGrantRequest(TTL=100, ID=5), pb.LeaseGrantResponse),
        ("LeaseGrant", pb.LeaseGrantRequest(TTL=-1), pb.LeaseGrantResponse),
    ]
    for method, request, kind in growing:
        to.ask(method, request, kind)
        _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
        _alarm(to, pb.AlarmRequest.DEACTIVATE, pb.NOSPACE, own)
        _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
    delete = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=b"p"))
    read = pb.RequestOp(request_range=pb.RangeRequest(key=b"p"))
    others: list[tuple[str, Message, type[Message]]] = [
        ("DeleteRange", pb.DeleteRangeRequest(key=b"p"), pb.DeleteRangeResponse),
        ("Txn", pb.TxnRequest(success=[delete, read]), pb.TxnResponse),
        ("Txn", pb.TxnRequest(success=[read]), pb.TxnResponse),
        ("Txn", pb.TxnRequest(), pb.TxnResponse),
        ("LeaseRevoke", pb.LeaseRevokeRequest(ID=5), pb.LeaseRevokeResponse),
        ("RoleAdd", pb.AuthRoleAddRequest(name="r"), pb.AuthRoleAddResponse),
        ("Compact", pb.CompactionRequest(revision=1, physical=True), pb.CompactionResponse),
        ("Defragment", pb.DefragmentRequest(), pb.DefragmentResponse),
    ]
    for method, request, kind in others:
        to.ask(method, request, kind)
        time.sleep(0.15)  # a commit to the file, which once raised the alarm by itself
        _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)
    to.restart(is_kill=False)
    _alarm(to, pb.AlarmRequest.GET, pb.NONE, 0)


def hashes(to: Recorder) -> None:
    """HashKV at every revision, before and after compactions: the same numbers on both servers."""
    for number in range(5):
        to.put(b"k%d" % number, b"v%d" % number)
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=77), pb.LeaseGrantResponse)
    to.put(b"k1", b"again", lease=77)
    to.put(b"k1", b"")
    to.delete(b"k2")
    to.put(b"k2", b"born again")
    to.delete(b"k3", b"k5")
    put = pb.RequestOp(request_put=pb.PutRequest(key=b"t", value=b"t"))
    delete = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=b"k0"))
    to.ask("Txn", pb.TxnRequest(success=[put, delete]), pb.TxnResponse)
    for compacted in (0, 4, 9, 10, 11, 13):
        if compacted:
            to.ask("Compact", pb.CompactionRequest(revision=compacted, physical=True), pb.CompactionResponse)
        for revision in range(15):
            to.ask("HashKV", pb.HashKVRequest(revision=revision), pb.HashKVResponse)
    to.ask("HashKV", pb.HashKVRequest(revision=-3), pb.HashKVResponse)
    to.note("when nothing is left")
    to.delete(b"\0", b"\0")
    to.ask("HashKV", pb.HashKVRequest(), pb.HashKVResponse)
    to.ask("Compact", pb.CompactionRequest(revision=14, physical=True), pb.CompactionResponse)
    to.ask("HashKV", pb.HashKVRequest(), pb.HashKVResponse)
    to.ask("HashKV", pb.HashKVRequest(revision=14), pb.HashKVResponse)
    to.put(b"new", b"1")
    to.ask("HashKV", pb.HashKVRequest(), pb.HashKVResponse)
    to.note("the last ten compactions are remembered, with what was deleted at their very revision")
    for number in range(16, 28):
        to.put(b"n%d" % (number % 3))
        if number % 4 == 0:
            to.delete(b"n%d" % (number % 3))
        now = to.get(b"n").header.revision
        to.ask("Compact", pb.CompactionRequest(revision=now, physical=True), pb.CompactionResponse)
    for revision in range(12, now + 1):
        to.ask("HashKV", pb.HashKVRequest(revision=revision), pb.HashKVResponse)


def downgrades(to: Recorder) -> None:
    """Which targets are versions, and which of them a cluster of 3.6 can go down to; and moving a leader alone."""
    time.sleep(0.5)  # until the first cluster version is agreed on
    for action in (pb.DowngradeRequest.VALIDATE, pb.DowngradeRequest.ENABLE):
        for version in ("", "x", "3", "3.6.0", "3.4.0", "3.4", "3.7.0", "2.5.0", "3.5.0-rc.1.x y" if action else "3.5"):
            if action == pb.DowngradeRequest.ENABLE and version.startswith("3.5"):
                continue
            to.ask("Downgrade", pb.DowngradeRequest(action=action, version=version), pb.DowngradeResponse)
    to.ask("Downgrade", pb.DowngradeRequest(action=pb.DowngradeRequest.CANCEL), pb.DowngradeResponse)
    own = _own_id(to)
    to.lines.pop()
    to.ask("MoveLeader", pb.MoveLeaderRequest(targetID=own), pb.MoveLeaderResponse)
    to.ask("MoveLeader", pb.MoveLeaderRequest(targetID=1), pb.MoveLeaderResponse)


def a_downgrade_begun_and_given_up(to: Recorder) -> None:
    """The versions that the leader decides on within some seconds, and what may be asked for then."""
    time.sleep(1)

    def ask(action: int, version: str = "") -> None:
        request = pb.DowngradeRequest(action=action, version=version)  # type: ignore[arg-type]  # enums are ints
        to.ask("Downgrade", request, pb.DowngradeResponse)

    def wait_until_storage_is(version: str) -> None:
        deadline = time.monotonic() + 15
        while to.ask("Status", pb.StatusRequest(), pb.StatusResponse).storageVersion != version:
            assert time.monotonic() < deadline, to.lines[-1]
            to.lines.pop()
            time.sleep(0.2)

    ask(pb.DowngradeRequest.ENABLE, "3.5.0")
    wait_until_storage_is("3.5.0")
    ask(pb.DowngradeRequest.VALIDATE, "3.5.0")
    ask(pb.DowngradeRequest.VALIDATE, "3.4.0")
    to.put(b"a")
    ask(pb.DowngradeRequest.CANCEL)
    wait_until_storage_is("3.6.0")
    ask(pb.DowngradeRequest.VALIDATE, "3.5.0")


SCRIPTS: list[tuple[Script, tuple[str, ...]]] = [
    (alarms, ()),
    (quota, (f"--quota-backend-bytes={SMALL_QUOTA}",)),
    (past_the_quota, ("--quota-backend-bytes=1000",)),
    (hashes, ()),
    (downgrades, ()),
    (a_downgrade_begun_and_given_up, ()),
]


@pytest.mark.parametrize(("script", "flags"), SCRIPTS, ids=lambda case: getattr(case, "__name__", ""))
def test_both_servers_answer_alike(script: Script, flags: tuple[str, ...]) -> None:
    ours, theirs = run_on_both(script, flags)
    assert ours == theirs
