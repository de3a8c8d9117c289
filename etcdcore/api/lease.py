"""The Lease service: grant, revoke, keepalive streams, time to live, the list.

Invariants:
1. A keepalive stream has one answer for each request, in order: a lease that has run out holds up what is behind it
   until it is revoked, so that the answer 0 is true for good.
2. Not beside the leader, nobody knows when a lease runs out: such a keepalive ends its stream.
"""

from collections import deque
from typing import Final, final

from etcdcore.api.convert_kv import read_varint, signed
from etcdcore.api.convert_slow import INTERNAL, MessageInvalid, parse
from etcdcore.api.gate import Gate, Identity
from etcdcore.api.header import Headers
from etcdcore.api.leader_watch import LeaderWatch
from etcdcore.api.refused_stream import REFUSED
from etcdcore.api.settings import ApiSettings
from etcdcore.api.write_call import WriteCall
from etcdcore.apply.checks import check_command
from etcdcore.apply.commands import Command, LeaseGrant, LeaseRevoke
from etcdcore.apply.results import LeaseGrantResult, LeaseRevokeResult, Outcome
from etcdcore.errors import CoreError, NoLeader
from etcdcore.member.member import Member
from etcdcore.mvcc.revision import varint
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod, UnaryMethod

GRANT: Final = "/etcdserverpb.Lease/LeaseGrant"
REVOKE: Final = "/etcdserverpb.Lease/LeaseRevoke"
KEEP_ALIVE: Final = "/etcdserverpb.Lease/LeaseKeepAlive"
TIME_TO_LIVE: Final = "/etcdserverpb.Lease/LeaseTimeToLive"
LEASES: Final = "/etcdserverpb.Lease/LeaseLeases"

KEEP_ALIVES_WAITING_MAX: Final = 4096
"""Requests of one stream that wait for a lease to be revoked: the client that sends more does not read answers."""

_ID_MAX: Final = (1 << 63) - 1


@final
class LeaseService:
    """What its methods and calls share. `waiting` are the streams that a lease which has run out holds up."""

    __slots__ = ("_ids", "gate", "headers", "leader_watch", "member", "settings", "waiting")

    def __init__(
        self,
        member: Member,
        gate: Gate,
        headers: Headers,
        settings: ApiSettings,
        leader_watch: LeaderWatch,
        first_id: int,
    ) -> None:
        self.member: Final = member
        self.gate: Final = gate
        self.headers: Final = headers
        self.settings: Final = settings
        self.leader_watch: Final = leader_watch
        self._ids = first_id & _ID_MAX
        self.waiting: Final[dict[KeepAliveStream, None]] = {}

    def next_id(self) -> int:
        """Positive, and not in use."""
        leases = self.member.lessor.leases
        while True:
            self._ids = self._ids % _ID_MAX + 1
            if self._ids not in leases:
                return self._ids

    def write(self, command: Command, request_bytes: int, call: Call) -> None:
        """As a command of KV, in the gate's order."""
        gate = self.gate
        error = gate.check_call(call) or gate.check_quota(command) or check_command(command)
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
            return
        admitted = gate.admit(identity, command)
        if isinstance(admitted, CoreError):
            call.refuse(admitted)
            return
        self.member.submit(admitted, LeaseCall(self.headers, call))

    def step(self) -> None:
        """Called now and then while streams wait: answers those whose leases have been revoked meanwhile."""
        for stream in list(self.waiting):
            stream.step()


@final
class LeaseCall(WriteCall):
    """A grant or a revocation on its way through the log."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers, call: Call) -> None:
        super().__init__(call)
        self._headers: Final = headers

    def applied(self, result: Outcome | int) -> None:
        call = self.call
        if isinstance(result, LeaseGrantResult):
            header = self._headers.encode(result.revision)
            call.reply(header + b"\x10" + varint(result.lease_id) + b"\x18" + varint(result.ttl_s))
        elif isinstance(result, LeaseRevokeResult):
            call.reply(self._headers.encode(result.revision))
        else:
            assert isinstance(result, CoreError), f"a lease command is answered by {result!r}"
            call.refuse(result)


@final
class KeepAliveStream(CallListener):
    """One client's renewals."""

    __slots__ = ("_call", "_has_ended", "_requests", "_service")

    def __init__(self, service: LeaseService, call: Call) -> None:
        self._service: Final = service
        self._call: Final = call
        self._requests: Final[deque[int]] = deque()
        self._has_ended = False

    def message_received(self, message: bytes) -> None:
        try:
            lease_id = decode_lease_id(message)
        except MessageInvalid as invalid:
            self._fail(INTERNAL, invalid.in_stream)
            return
        if len(self._requests) >= KEEP_ALIVES_WAITING_MAX:
            self._fail(8, f"more than {KEEP_ALIVES_WAITING_MAX} renewals wait on one stream")
            return
        self._requests.append(lease_id)
        if len(self._requests) == 1 and self._call.is_writable:
            self.step()

    def step(self) -> None:
        """Answers what can be answered, in order (I1)."""
        service = self._service
        member = service.member
        requests = self._requests
        while requests and self._call.is_writable and not self._call.is_done:
            lease_id = requests[0]
            identity = service.gate.identify(self._call)
            error = service.gate.check_renewal(identity, lease_id) if isinstance(identity, Identity) else identity
            if error is not None:
                self._fail_with(error)
                return
            header = service.headers.now()
            ttl_s = member.renew_lease(lease_id)
            if not ttl_s:
                if not member.is_leader:
                    self._fail_with(NoLeader())  # I2
                    return
                if member.is_lease_due(lease_id):
                    service.waiting[self] = None
                    return
            requests.popleft()
            answer = header + b"\x10" + varint(lease_id) if lease_id else header
            self._call.send(answer + b"\x18" + varint(ttl_s) if ttl_s else answer)
        service.waiting.pop(self, None)
        if self._has_ended and not requests:
            self._close()
            self._call.finish()

    def input_ended(self) -> None:
        self._has_ended = True
        self.step()

    def call_cancelled(self) -> None:
        self._close()

    def writable(self) -> None:
        self.step()

    def _close(self) -> None:
        self._requests.clear()
        self._service.waiting.pop(self, None)
        self._service.leader_watch.forget(self._call)

    def _fail(self, code: int, text: str) -> None:
        self._close()
        self._call.fail(code, text)

    def _fail_with(self, error: CoreError) -> None:
        self._close()
        self._call.refuse(error)


def decode_lease_id(data: bytes, is_revoke: bool = False) -> int:
    """Of a request to renew or to revoke, whose one field is a lease's id. Raises MessageInvalid."""
    if not data:
        return 0
    if data[0] == 0x08:
        number, offset = read_varint(data, 1, len(data))
        if number >= 0 and offset == len(data):
            return signed(number)
    if is_revoke:
        return parse(rpc_pb2.LeaseRevokeRequest, data).ID
    return parse(rpc_pb2.LeaseKeepAliveRequest, data).ID


@final
class GrantMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: LeaseService) -> None:
        super().__init__(GRANT)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            wanted = parse(rpc_pb2.LeaseGrantRequest, request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        service = self._service
        ttl_s = max(wanted.TTL, service.settings.lease_ttl_min_s)
        service.write(LeaseGrant(wanted.ID or service.next_id(), ttl_s), len(request), call)


@final
class RevokeMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: LeaseService) -> None:
        super().__init__(REVOKE)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            lease_id = decode_lease_id(request, True)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        self._service.write(LeaseRevoke(lease_id), len(request), call)


@final
class KeepAliveMethod(StreamMethod):
    __slots__ = ("_service",)

    def __init__(self, service: LeaseService) -> None:
        super().__init__(KEEP_ALIVE)
        self._service: Final = service

    def open(self, call: Call) -> CallListener:
        error = self._service.gate.check_call(call)
        if error is not None:
            call.refuse(error)
            return REFUSED
        self._service.leader_watch.add(call)
        return KeepAliveStream(self._service, call)


@final
class TimeToLiveMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: LeaseService) -> None:
        super().__init__(TIME_TO_LIVE)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            wanted = parse(rpc_pb2.LeaseTimeToLiveRequest, request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        service = self._service
        gate = service.gate
        error = gate.check_call(call)
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
            return
        error = gate.check_user(identity)
        if error is not None:
            call.refuse(error)
            return
        member = service.member
        keys: list[bytes] = []
        if wanted.keys:
            found = member.lessor.keys_of(wanted.ID)
            if not isinstance(found, CoreError):
                keys = found
                error = gate.check_keys(identity, keys)
                if error is not None:
                    call.refuse(error)
                    return
        if not member.is_leader:
            call.refuse(NoLeader())
            return
        left_s, granted_s = member.lease_time_to_live(wanted.ID)
        answer = rpc_pb2.LeaseTimeToLiveResponse(ID=wanted.ID, TTL=left_s, grantedTTL=granted_s, keys=keys)
        call.reply(service.headers.now() + answer.SerializeToString())


@final
class LeasesMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: LeaseService) -> None:
        super().__init__(LEASES)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            parse(rpc_pb2.LeaseLeasesRequest, request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        service = self._service
        gate = service.gate
        error = gate.check_call(call)
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
            return
        error = gate.check_user(identity)
        if error is not None:
            call.refuse(error)
            return
        lessor = service.member.lessor
        ids = lessor.by_expiry()
        for lease_id in ids:
            error = gate.check_keys(identity, lessor.leases[lease_id].keys)
            if error is not None:
                call.refuse(error)
                return
        answer = rpc_pb2.LeaseLeasesResponse(leases=[rpc_pb2.LeaseStatus(ID=lease_id) for lease_id in ids])
        call.reply(service.headers.now() + answer.SerializeToString())


def add_lease(table: MethodTable, service: LeaseService) -> None:
    table.add(GrantMethod(service))
    table.add(RevokeMethod(service))
    table.add(KeepAliveMethod(service))
    table.add(TimeToLiveMethod(service))
    table.add(LeasesMethod(service))
