"""The Maintenance service but for Snapshot: alarms, status, defragmentation, hashes, moving the leader, downgrades.

Source: etcd server/etcdserver/api/v3rpc/maintenance.go, reference section 2.10.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Final, cast, final

from etcdcore.api.admin_calls import AdminCalls
from etcdcore.api.convert_slow import parse
from etcdcore.api.health import HealthService
from etcdcore.api.tasks import UnaryHandler
from etcdcore.apply.admin_commands import alarm_activate, alarm_deactivate
from etcdcore.apply.alarms import Alarm
from etcdcore.apply.results import AlarmResult
from etcdcore.config import ETCD_VERSION
from etcdcore.errors import CoreError, NoLeader
from etcdcore.pb import rpc_pb2
from etcdcore.raft.messages import NO_MEMBER
from etcdcore.rpc.calls import Call

PREFIX: Final = "/etcdserverpb.Maintenance/"
_GET: Final = 0
_ACTIVATE: Final = 1
_DEACTIVATE: Final = 2
_VALIDATE: Final = 0
_ENABLE: Final = 1
_CANCEL: Final = 2
_QUOTA_NONE: Final = -1
"""What Status says where there is no quota."""


class UnknownAction(CoreError):
    """An action that no version of etcd has had."""

    text = "etcdserver: unknown method"


@final
class MaintenanceService:
    """`methods` are its handlers by path."""

    def __init__(self, calls: AdminCalls, health: HealthService, stop_on_defrag: bool) -> None:
        self._calls: Final = calls
        self._health: Final = health
        self._stop_on_defrag: Final = stop_on_defrag

    def methods(self) -> Sequence[tuple[str, UnaryHandler]]:
        return [
            (PREFIX + "Alarm", self.alarm),
            (PREFIX + "Status", self.status),
            (PREFIX + "Defragment", self.defragment),
            (PREFIX + "Hash", self.hash),
            (PREFIX + "HashKV", self.hash_kv),
            (PREFIX + "MoveLeader", self.move_leader),
            (PREFIX + "Downgrade", self.downgrade),
        ]

    async def alarm(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AlarmRequest, request)
        calls = self._calls
        if wanted.action == _GET:
            calls.require_user(call)
            await calls.admin.settle_alarm()
            await calls.admin.read_index()
            return calls.answer(_shown(calls.member.admin_state.alarms.listed(wanted.alarm)))
        identity = calls.require_admin(call)
        if wanted.action == _ACTIVATE:
            command = alarm_activate(wanted.memberID, wanted.alarm)
        elif wanted.action == _DEACTIVATE:
            command = alarm_deactivate(wanted.memberID, wanted.alarm)
        else:
            return calls.answer(rpc_pb2.AlarmResponse())
        result = await calls.decide(identity, command)
        assert isinstance(result, AlarmResult), "an alarm command is answered by alarms"
        return calls.answer(_shown(result.alarms), result.revision)

    async def status(self, request: bytes, call: Call) -> bytes:
        """Of this member, from memory; a learner answers too."""
        parse(rpc_pb2.StatusRequest, request)
        calls = self._calls
        calls.require_user(call, is_for_learners=True)
        await calls.admin.settle_alarm()
        member = calls.member
        state = member.admin_state
        file_bytes, used_bytes = member.store_bytes()
        response = rpc_pb2.StatusResponse(
            version=ETCD_VERSION,
            dbSize=file_bytes,
            leader=member.leader_id,
            raftIndex=member.commit_index,
            raftTerm=member.term,
            raftAppliedIndex=member.applied_index,
            dbSizeInUse=min(used_bytes, file_bytes),
            isLearner=calls.admin.is_learner,
            storageVersion=state.members.cluster_version,
            dbSizeQuota=calls.admin.quota_bytes or _QUOTA_NONE,
        )
        if member.leader_id == NO_MEMBER:
            response.errors.append(NoLeader.text)
        response.errors.extend(repr(alarm) for alarm in state.alarms.listed())
        response.downgradeInfo.enabled = state.members.downgrade_target != ""
        response.downgradeInfo.targetVersion = state.members.downgrade_target
        return calls.answer(response)

    async def defragment(self, request: bytes, call: Call) -> bytes:
        """Answered without a header."""
        parse(rpc_pb2.DefragmentRequest, request)
        self._calls.require_admin(call)
        counts = self._calls.member.counts
        counts.defragment_count += 1
        started = perf_counter()
        if self._stop_on_defrag:
            self._health.set_serving("", False)
        try:
            await self._calls.admin.defragment()
        finally:
            counts.defragment_count -= 1
            if self._stop_on_defrag:
                self._health.set_serving("", True)
        counts.defragment_s.observe(perf_counter() - started)
        return b""

    async def hash(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.HashRequest, request)
        self._calls.require_admin(call)
        revision = self._calls.member.revision()
        started = perf_counter()
        response = rpc_pb2.HashResponse(hash=await self._calls.admin.hash_all())
        self._calls.member.counts.hash_s.observe(perf_counter() - started)
        return self._calls.answer(response, revision)

    async def hash_kv(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.HashKVRequest, request)
        self._calls.require_admin(call)
        revision = self._calls.member.revision()
        started = perf_counter()
        run = await self._calls.admin.hash_kv(wanted.revision)
        self._calls.member.counts.hash_revision_s.observe(perf_counter() - started)
        response = rpc_pb2.HashKVResponse(
            hash=run.hash, compact_revision=run.compacted_revision, hash_revision=run.revision
        )
        return self._calls.answer(response, revision)

    async def move_leader(self, request: bytes, call: Call) -> bytes:
        """Answered without a header."""
        wanted = parse(rpc_pb2.MoveLeaderRequest, request)
        self._calls.require_admin(call)
        await self._calls.admin.move_leader(wanted.targetID)
        return b""

    async def downgrade(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.DowngradeRequest, request)
        self._calls.require_admin(call)
        admin = self._calls.admin
        if wanted.action == _VALIDATE:
            version = await admin.validate_downgrade(wanted.version)
        elif wanted.action == _ENABLE:
            version = await admin.enable_downgrade(wanted.version)
        elif wanted.action == _CANCEL:
            version = await admin.cancel_downgrade()
        else:
            raise UnknownAction
        return self._calls.answer(rpc_pb2.DowngradeResponse(version=version))


def _shown(alarms: Sequence[Alarm]) -> rpc_pb2.AlarmResponse:
    response = rpc_pb2.AlarmResponse()
    for alarm in alarms:
        shown = response.alarms.add()
        shown.memberID = alarm.member_id
        shown.alarm = cast(rpc_pb2.AlarmType, alarm.kind)
    return response
