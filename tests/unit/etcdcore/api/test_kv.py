"""etcdcore.api.kv: the KV service, as its clients see it (reference sections 1.3, 2.2-2.5)."""

import asyncio
from pathlib import Path
from typing import Final

import pytest
from google.protobuf.message import Message

from etcdcore import KeyEvent, Proposal
from etcdcore.api import kv
from etcdcore.api.settings import ApiSettings
from etcdcore.mvcc.engine import KEY
from etcdcore.pb import rpc_pb2 as pb
from etcdcore.rpc.calls import UnaryMethod
from tests.unit.etcdcore.api.harness import Client, FakeCall, Refused, serving
from tests.unit.etcdcore.member.fakes import Recorder, on_loop
from tests.unit.etcdcore.storage.fakes import FaultyFileOps


async def put(client: Client, key: bytes, value: bytes = b"v", **fields: int) -> pb.PutResponse:
    return await client.call(kv.PUT, pb.PutRequest(key=key, value=value, **fields), pb.PutResponse)  # type: ignore[arg-type]  # bools among the ints


async def get(client: Client, key: bytes, range_end: bytes = b"", **fields: int) -> pb.RangeResponse:
    request = pb.RangeRequest(key=key, range_end=range_end, **fields)  # type: ignore[arg-type]  # bools among the ints
    return await client.call(kv.RANGE, request, pb.RangeResponse)


@on_loop
async def test_a_put_is_read_back_with_all_its_fields(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        written = await put(client, b"k", b"one")
        member = client.services.member
        header = written.header
        assert (header.cluster_id, header.member_id, header.revision) == (member.cluster_id, member.member_id, 2)
        assert header.raft_term == member.term
        found = await get(client, b"k")
        assert (found.count, found.more, len(found.kvs)) == (1, False, 1)
        pair = found.kvs[0]
        assert (pair.key, pair.value, pair.create_revision, pair.mod_revision, pair.version) == (b"k", b"one", 2, 2, 1)


@on_loop
@pytest.mark.parametrize("serializable", [False, True])
async def test_a_missing_key_is_an_empty_answer(tmp_path: Path, serializable: bool) -> None:
    async with serving(tmp_path) as client:
        found = await get(client, b"k", serializable=serializable)
        assert (found.count, len(found.kvs), found.header.revision) == (0, 0, 1)


@on_loop
async def test_a_physical_compaction_is_answered_when_what_it_removes_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        for _ in range(700):
            last = await put(client, b"k")
        store = client.services.member.store
        request = pb.CompactionRequest(revision=last.header.revision, physical=True)
        answer = await client.call(kv.COMPACT, request, pb.CompactionResponse)
        assert store.compaction is None and len(store.engine.scan(KEY, b"", b"")) == 1
        assert answer.header.revision == last.header.revision


@on_loop
async def test_a_request_larger_than_the_limit_is_refused_after_its_other_checks(tmp_path: Path) -> None:
    async with serving(tmp_path, ApiSettings(request_bytes_max=1000)) as client:
        assert (await put(client, b"k", bytes(900))).header.revision == 2
        for key, refusal in ((b"k", "etcdserver: request is too large"), (b"", "etcdserver: key is not provided")):
            with pytest.raises(Refused) as refused:
                await put(client, key, bytes(1000))
            assert (refused.value.code, refused.value.text) == (3, refusal)


@on_loop
async def test_transactions_that_only_read_do_not_enter_the_log(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await put(client, b"k")
        applied = client.services.member.applied_index
        get_k = pb.RequestOp(request_range=pb.RangeRequest(key=b"k"))
        for request in (pb.TxnRequest(success=[get_k]), pb.TxnRequest()):
            answer = await client.call(kv.TXN, request, pb.TxnResponse)
            assert (answer.succeeded, answer.header.revision) == (True, 2)
        assert client.services.member.applied_index == applied
        nested = pb.RequestOp(request_txn=pb.TxnRequest(success=[get_k]))
        await client.call(kv.TXN, pb.TxnRequest(success=[nested]), pb.TxnResponse)
        assert client.services.member.applied_index == applied + 1


@on_loop
async def test_a_write_that_the_disk_holds_up_is_given_up_and_later_done_all_the_same(tmp_path: Path) -> None:
    disk = FaultyFileOps()
    async with serving(tmp_path, ApiSettings(request_timeout_s=0.2), disk) as client:
        await put(client, b"k")
        disk.gate.clear()
        try:
            for _ in range(2):  # the first is with the disk, the second waits behind it
                with pytest.raises(Refused) as refused:
                    await put(client, b"late")
                assert (refused.value.code, refused.value.text) == (14, "etcdserver: request timed out")
        finally:
            disk.gate.set()
        assert (await get(client, b"late")).count in (0, 1)
        await put(client, b"k")
        assert (await get(client, b"late")).kvs[0].version == 2


class Asking(Recorder):
    """Makes a call at the first revision that is applied, while those committed with it still wait."""

    def __init__(self, client: Client, path: str, request: Message) -> None:
        super().__init__()
        method = client.services.table.methods[path]
        assert isinstance(method, UnaryMethod)
        self._method: Final = method
        self._request: Final = request
        self.call: FakeCall | None = None

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        if self.call is None:
            self.call = FakeCall()
            self._method.call(self._request.SerializeToString(), self.call)


class Leaving(Asking):
    """Is gone at the next revision."""

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        if self.call is not None:
            self.call.is_done = True
        super().revision_applied(revision, events, proposal)


LINEARIZABLE = {
    kv.RANGE: pb.RangeRequest(key=b"k"),
    kv.TXN: pb.TxnRequest(success=[pb.RequestOp(request_range=pb.RangeRequest(key=b"k"))]),
}


@on_loop
@pytest.mark.parametrize("path", LINEARIZABLE)
async def test_a_linearizable_read_waits_for_all_that_is_committed_when_it_comes(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, entry_commands_max=1) as client:
        asking = Asking(client, path, LINEARIZABLE[path])
        client.services.member.subscribe(asking)
        await asyncio.gather(*(put(client, b"k", b"%d" % number) for number in range(5)))
        call = asking.call
        assert call is not None and call.is_done
        answer = (pb.RangeResponse if path == kv.RANGE else pb.TxnResponse).FromString(call.sent[0])
        assert answer.header.revision == 6


@on_loop
@pytest.mark.parametrize("path", LINEARIZABLE)
async def test_a_client_that_has_gone_is_not_answered(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, entry_commands_max=1) as client:
        asking = Leaving(client, path, LINEARIZABLE[path])
        client.services.member.subscribe(asking)
        await asyncio.gather(*(put(client, b"k") for _ in range(5)))
        assert asking.call is not None and asking.call.sent == []


@on_loop
async def test_what_is_no_message_is_an_internal_error(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        for path in (kv.RANGE, kv.PUT, kv.DELETE_RANGE, kv.TXN, kv.COMPACT):
            with pytest.raises(Refused) as refused:
                await client.call(path, b"\x0a\xff", pb.PutResponse)
            assert refused.value.code == 13
            assert refused.value.text.startswith("grpc: error unmarshalling request: ")
