"""The KV service: Range, Put, DeleteRange, Txn, Compact. Hot: a call is one object, which is also its proposal.

Invariants:
1. What the member has decided is answered in the same turn, at the revision that decided it.
2. A read is answered at one revision, after the read index it asked for, and after the permission was looked up at it.
"""

from time import perf_counter
from typing import Final, final

from etcdcore.api.convert_kv import (
    decode_delete_range,
    decode_put,
    decode_range,
    encode_delete_range,
    encode_put,
    encode_range,
    encode_records,
    encode_txn,
)
from etcdcore.api.convert_slow import INTERNAL, MessageInvalid, parse
from etcdcore.api.convert_txn import decode_txn
from etcdcore.api.gate import Gate, Identity
from etcdcore.api.header import Headers
from etcdcore.api.settings import ApiSettings
from etcdcore.api.write_call import WriteCall
from etcdcore.apply.checks import check_command, check_range, check_txn
from etcdcore.apply.commands import Command, Compaction, Range, Txn
from etcdcore.apply.reads import RecordsResult, is_plain, read_range, read_records
from etcdcore.apply.results import (
    CompactionResult,
    DeleteRangeResult,
    Outcome,
    PutResult,
    RangeResult,
    TxnResult,
)
from etcdcore.apply.txn import is_read_only, is_serializable, read_txn
from etcdcore.errors import CoreError
from etcdcore.member.member import Member
from etcdcore.member.proposals import Proposal
from etcdcore.mvcc.store import Store
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call, MethodTable, UnaryMethod
from etcdcore.statistics import RANGES_PER_SAMPLE

RANGE: Final = "/etcdserverpb.KV/Range"
PUT: Final = "/etcdserverpb.KV/Put"
DELETE_RANGE: Final = "/etcdserverpb.KV/DeleteRange"
TXN: Final = "/etcdserverpb.KV/Txn"
COMPACT: Final = "/etcdserverpb.KV/Compact"


@final
class KvService:
    """What its methods and calls share."""

    __slots__ = ("gate", "headers", "member", "settings")

    def __init__(self, member: Member, gate: Gate, headers: Headers, settings: ApiSettings) -> None:
        self.member: Final = member
        self.gate: Final = gate
        self.headers: Final = headers
        self.settings: Final = settings

    def write(self, command: Command, request_bytes: int, call: Call) -> None:
        """The way of every command: checks in the gate's order, then the log."""
        gate = self.gate
        error = (
            gate.check_call(call)
            or gate.check_quota(command)
            or check_command(command, self.settings.transaction_operations_max)
        )
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
            return
        error = gate.check_size(request_bytes)
        if error is not None:
            call.refuse(error)
            return
        admitted = gate.admit(identity, command)
        if isinstance(admitted, CoreError):
            call.refuse(admitted)
            return
        self.member.submit(admitted, KvCall(self.headers, call))

    def read(self, wanted: Range, identity: Identity, call: Call) -> None:
        """The last step of a range."""
        if call.is_done:
            return
        error = self.gate.check_range(identity, wanted)
        if error is not None:
            call.refuse(error)
            return
        store = self.member.store
        if store.counts.range_count % RANGES_PER_SAMPLE:
            self._answer_range(store, wanted, call)
            return
        started = perf_counter()
        self._answer_range(store, wanted, call)
        self.member.counts.range_s.observe(perf_counter() - started)

    def _answer_range(self, store: Store, wanted: Range, call: Call) -> None:
        if is_plain(wanted):
            records = read_records(store, wanted)
            if isinstance(records, RecordsResult):
                call.reply(encode_records(self.headers.encode(records.revision), records))
            else:
                call.refuse(records)
            return
        result = read_range(store, wanted)
        if isinstance(result, RangeResult):
            call.reply(encode_range(self.headers.encode(result.revision), result))
        else:
            call.refuse(result)

    def read_transaction(self, txn: Txn, identity: Identity, call: Call) -> None:
        """The last step of a transaction that only reads."""
        if call.is_done:
            return
        error = self.gate.check_read_txn(identity, txn)
        if error is not None:
            call.refuse(error)
            return
        result = read_txn(self.member.store, self.member.lessor, txn)
        if isinstance(result, TxnResult):
            call.reply(encode_txn(self.headers.encode(result.revision), result))
        else:
            call.refuse(result)


@final
class KvCall(WriteCall):
    """A command on its way through the log."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers, call: Call) -> None:
        super().__init__(call)
        self._headers: Final = headers

    def applied(self, result: Outcome | int) -> None:
        call = self.call
        headers = self._headers
        if isinstance(result, PutResult):
            call.reply(encode_put(headers.encode(result.revision), result))
        elif isinstance(result, TxnResult):
            call.reply(encode_txn(headers.encode(result.revision), result))
        elif isinstance(result, DeleteRangeResult):
            call.reply(encode_delete_range(headers.encode(result.revision), result))
        else:
            assert isinstance(result, CoreError), f"a write of KV is answered by {result!r}"
            call.refuse(result)


@final
class CompactCall(WriteCall):
    """A compaction; a physical one is answered when what it removes is gone."""

    __slots__ = ("_is_physical", "_service")

    def __init__(self, service: KvService, call: Call, is_physical: bool) -> None:
        super().__init__(call)
        self._service: Final = service
        self._is_physical: Final = is_physical

    def applied(self, result: Outcome | int) -> None:
        if isinstance(result, CoreError):
            self.call.refuse(result)
            return
        assert isinstance(result, CompactionResult), f"a compaction is answered by {result!r}"
        if self._is_physical:
            self._service.member.when_compacted(_Compacted(self._service, self.call))
        else:
            self.call.reply(self._service.headers.encode(result.revision))


@final
class _Compacted(Proposal):
    """Told with the revision once nothing is left to remove."""

    __slots__ = ("_call", "_service")

    def __init__(self, service: KvService, call: Call) -> None:
        self._service: Final = service
        self._call: Final = call

    def applied(self, result: Outcome | int) -> None:
        self._call.reply(self._service.headers.now())

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self._call.refuse(error)


@final
class RangeCall(Proposal):
    """A linearizable range that waits for its read index."""

    __slots__ = ("_call", "_identity", "_service", "_wanted")

    def __init__(self, service: KvService, call: Call, identity: Identity, wanted: Range) -> None:
        self._service: Final = service
        self._call: Final = call
        self._identity: Final = identity
        self._wanted: Final = wanted

    def applied(self, result: Outcome | int) -> None:
        self._service.read(self._wanted, self._identity, self._call)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self._call.refuse(error)


@final
class ReadTxnCall(Proposal):
    """A transaction that only reads, and waits for its read index."""

    __slots__ = ("_call", "_identity", "_service", "_txn")

    def __init__(self, service: KvService, call: Call, identity: Identity, txn: Txn) -> None:
        self._service: Final = service
        self._call: Final = call
        self._identity: Final = identity
        self._txn: Final = txn

    def applied(self, result: Outcome | int) -> None:
        self._service.read_transaction(self._txn, self._identity, self._call)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self._call.refuse(error)


@final
class RangeMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: KvService) -> None:
        super().__init__(RANGE)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            wanted = decode_range(request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        service = self._service
        gate = service.gate
        error = gate.check_call(call, wanted.serializable) or check_range(wanted)
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
        elif wanted.serializable or service.member.is_current():
            service.read(wanted, identity, call)
        else:
            service.member.read_index(RangeCall(service, call, identity, wanted))


@final
class PutMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: KvService) -> None:
        super().__init__(PUT)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            put = decode_put(request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        self._service.write(put, len(request), call)


@final
class DeleteRangeMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: KvService) -> None:
        super().__init__(DELETE_RANGE)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            wanted = decode_delete_range(request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        self._service.write(wanted, len(request), call)


@final
class TxnMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: KvService) -> None:
        super().__init__(TXN)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            txn = decode_txn(request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        if is_read_only(txn):
            self._read(txn, call)
        else:
            self._service.write(txn, len(request), call)

    def _read(self, txn: Txn, call: Call) -> None:
        service = self._service
        gate = service.gate
        error = gate.check_call(call) or check_txn(txn, service.settings.transaction_operations_max)
        if error is not None:
            call.refuse(error)
            return
        identity = gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
        elif is_serializable(txn) or service.member.is_current():
            service.read_transaction(txn, identity, call)
        else:
            service.member.read_index(ReadTxnCall(service, call, identity, txn))


@final
class CompactMethod(UnaryMethod):
    __slots__ = ("_service",)

    def __init__(self, service: KvService) -> None:
        super().__init__(COMPACT)
        self._service: Final = service

    def call(self, request: bytes, call: Call) -> None:
        try:
            wanted = parse(rpc_pb2.CompactionRequest, request)
        except MessageInvalid as invalid:
            call.fail(INTERNAL, str(invalid))
            return
        service = self._service
        error = service.gate.check_call(call)
        if error is not None:
            call.refuse(error)
            return
        identity = service.gate.identify(call)
        if not isinstance(identity, Identity):
            call.refuse(identity)
            return
        admitted = service.gate.admit(identity, Compaction(wanted.revision, wanted.physical))
        if isinstance(admitted, CoreError):
            call.refuse(admitted)
            return
        service.member.submit(admitted, CompactCall(service, call, wanted.physical))


def add_kv(table: MethodTable, member: Member, gate: Gate, headers: Headers, settings: ApiSettings) -> None:
    service = KvService(member, gate, headers, settings)
    table.add(RangeMethod(service))
    table.add(PutMethod(service))
    table.add(DeleteRangeMethod(service))
    table.add(TxnMethod(service))
    table.add(CompactMethod(service))
