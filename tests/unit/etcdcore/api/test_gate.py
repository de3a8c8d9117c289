"""etcdcore.api.gate: who may call what (reference 1.3, 2.8, 2.10; 8.3 no. 21, 25, 27)."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from google.protobuf.message import Message

from etcdcore import Member, MemberConfig
from etcdcore.api import kv, lease, watch
from etcdcore.api.gate import Gate, Identity
from etcdcore.api.services import build_services
from etcdcore.api.settings import ApiSettings
from etcdcore.apply import admin_commands as commands
from etcdcore.apply.alarms import ALARM_CORRUPT, ALARM_NOSPACE
from etcdcore.apply.commands import AsUser, Compaction, DeleteRange, LeaseGrant, Put, Range, Txn
from etcdcore.auth.records import READ_WRITE, Permission
from etcdcore.errors import (
    AuthRevisionOld,
    ClusterCorrupt,
    InvalidAuthToken,
    InvalidClientApiVersion,
    NoLeader,
    NoSpace,
    PermissionDenied,
    UserNameEmpty,
)
from etcdcore.pb import rpc_pb2 as pb
from etcdcore.pb import v3election_pb2, v3lock_pb2
from etcdcore.rpc.calls import Call
from tests.unit.etcdcore.api.harness import Client, FakeCall, Refused, serving
from tests.unit.etcdcore.member.fakes import on_loop, quick_config, running, until

UNAUTHENTICATED = 16


async def enable(member: Member) -> None:
    """root; and u, who may do all below a."""
    for command in (
        commands.user_add("root", b"h"),
        commands.user_grant_role("root", "root"),
        commands.user_add("u", b"h"),
        commands.role_add("r"),
        commands.user_grant_role("u", "r"),
        commands.role_grant_permission("r", Permission(READ_WRITE, b"a", b"b")),
        commands.auth_enable(),
    ):
        await member.admin.decide(command)


def token_of(member: Member, user: str) -> str:
    return member.admin_state.tokens.assign("abcdefghijklmnop", len(user), user)


def call_with(**metadata: str) -> FakeCall:
    return FakeCall({name.replace("_", "-"): value for name, value in metadata.items()})


@on_loop
async def test_a_caller_is_whom_his_token_names_in_any_of_its_places(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        gate = Gate(member, ApiSettings())
        found = gate.identify(call_with(token="rubbish"))
        assert isinstance(found, Identity) and found.user == "", "nobody asks while auth is off"
        await enable(member)
        token = token_of(member, "u")
        for metadata in ({"token": token}, {"authorization": token}, {"authorization": f"Bearer {token}"}):
            found = gate.identify(FakeCall(metadata))
            assert isinstance(found, Identity)
            assert (found.user, found.auth_revision) == ("u", member.admin_state.auth.revision)
        assert gate.identify(call_with(token="")) == InvalidAuthToken()
        assert gate.identify(call_with(authorization="Bearer x.1")) == InvalidAuthToken()
        anonymous = gate.identify(FakeCall())
        assert isinstance(anonymous, Identity) and gate.check_user(anonymous) == UserNameEmpty()


@on_loop
async def test_a_certificates_name_is_the_user_if_there_is_no_token_and_the_server_asks_for_certificates(
    tmp_path: Path,
) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        await enable(member)

        def identify(common_name: str, is_asked: bool, **metadata: str) -> object:
            call = FakeCall(metadata)
            Call.__init__(call, metadata, "test", common_name)
            found = Gate(member, ApiSettings(client_cert_auth=is_asked)).identify(call)
            return found.user if isinstance(found, Identity) else found

        assert identify("u", True) == "u"
        assert identify("u", False) == ""
        assert identify("", True) == ""
        assert identify("u", True, token=token_of(member, "root")) == "root"
        assert identify("u", True, token="x") == InvalidAuthToken()


@on_loop
async def test_commands_are_put_in_the_callers_name_only_when_somebody_will_ask(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        gate = Gate(member, ApiSettings())
        put, nobody = Put(b"a", b""), Identity("", 0)
        assert gate.admit(nobody, put) is put
        await enable(member)
        user = Identity("u", member.admin_state.auth.revision)
        admitted = gate.admit(user, put)
        assert isinstance(admitted, AsUser) and admitted.command is put
        assert (admitted.user_name, admitted.auth_revision) == ("u", user.auth_revision)
        assert isinstance(gate.admit(nobody, put), AsUser), "he is refused when it is applied, as by etcd"
        assert gate.admit(nobody, LeaseGrant(1, 5)) == UserNameEmpty()
        assert gate.admit(user, Compaction(1)) == PermissionDenied()
        assert isinstance(gate.admit(Identity("root", 9), Compaction(1)), AsUser)


@on_loop
async def test_alarms_refuse_before_the_log(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        gate, nobody = Gate(member, ApiSettings()), Identity("", 0)
        await member.admin.activate_alarm(member.member_id, ALARM_NOSPACE)
        assert gate.admit(nobody, Put(b"a", b"")) == NoSpace()
        assert gate.admit(nobody, Txn((), (), (Put(b"a", b""),))) == NoSpace()
        assert isinstance(gate.admit(nobody, DeleteRange(b"a")), AsUser)
        await member.admin.activate_alarm(member.member_id, ALARM_CORRUPT)
        assert gate.admit(nobody, DeleteRange(b"a")) == ClusterCorrupt()


@on_loop
async def test_reads_are_checked_at_the_revision_at_which_they_are_served(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        gate = Gate(member, ApiSettings())
        await enable(member)
        user = Identity("u", member.admin_state.auth.revision)
        assert gate.check_range(user, Range(b"a", b"b")) is None
        assert gate.check_range(user, Range(b"a", b"c")) == PermissionDenied()
        assert gate.check_watch(user, b"a", b"\0") == PermissionDenied()
        assert gate.check_read_txn(user, Txn((), (Range(b"a"),), (Range(b"c"),))) == PermissionDenied()
        assert gate.check_keys(user, [b"a", b"a1"]) is None
        assert gate.check_keys(user, [b"a", b"c"]) == PermissionDenied()
        assert gate.check_keys(Identity("", 0), []) == UserNameEmpty()
        await member.admin.decide(commands.role_add("other"))
        assert gate.check_range(user, Range(b"a")) == AuthRevisionOld()
        assert gate.check_read_txn(user, Txn((), (), ())) == AuthRevisionOld()


@on_loop
async def test_the_interceptors_checks_come_first(tmp_path: Path) -> None:
    config = MemberConfig(tmp_path, tick_ms=5, segment_bytes=1 << 16, strict_reconfig_check=False)
    async with running(config) as (member, _):
        gate = Gate(member, ApiSettings())
        assert gate.check_call(call_with(hasleader="true")) is None
        assert gate.check_call(call_with(client_api_version="3.6")) is None
        assert gate.check_call(call_with(client_api_version="ok \xc3\xa9")) is None
        assert gate.check_call(call_with(client_api_version="\xff\xfe")) == InvalidClientApiVersion()
        # A second voter that is not there: the leader finds that it has no quorum, and steps down.
        await member.admin.add_member(["http://127.0.0.1:1"], False, 5)
        await until(lambda: not member.has_leader)
        assert gate.check_call(call_with(hasleader="true")) == NoLeader()
        assert gate.check_call(call_with(hasleader="yes")) is None


@on_loop
async def test_a_learner_serves_its_own_state_and_nothing_else(tmp_path: Path) -> None:
    """8.3 no. 27: the member is told that it is one, as if it had joined so."""
    async with serving(tmp_path) as client:
        member = client.services.member
        await member.admin.publish()
        members = member.admin_state.members
        own = members.members[member.member_id]
        await member.admin.add_member(["http://127.0.0.1:1"], True, 5)
        members.members[member.member_id] = type(own)(own.member_id, own.name, own.peer_urls, own.client_urls, True)
        member.admin.note_change()
        serializable = pb.RangeRequest(key=b"a", serializable=True)
        await client.call(kv.RANGE, serializable, pb.RangeResponse)
        status = await client.call("/etcdserverpb.Maintenance/Status", pb.StatusRequest(), pb.StatusResponse)
        assert status.isLearner
        refused: list[tuple[str, Message, type[Message]]] = [
            (kv.RANGE, pb.RangeRequest(key=b"a"), pb.RangeResponse),
            (kv.PUT, pb.PutRequest(key=b"a"), pb.PutResponse),
            (lease.GRANT, pb.LeaseGrantRequest(TTL=5), pb.LeaseGrantResponse),
            ("/etcdserverpb.Cluster/MemberList", pb.MemberListRequest(), pb.MemberListResponse),
            ("/etcdserverpb.Auth/AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse),
        ]
        for path, request, kind in refused:
            with pytest.raises(Refused, match="rpc not supported for learner"):
                await client.call(path, request, kind)
        with pytest.raises(Refused, match="rpc not supported for learner"):
            await client.open(watch.WATCH).read(pb.WatchResponse)


@on_loop
async def test_renewing_a_lease_needs_write_on_its_keys(tmp_path: Path) -> None:
    """V3AuthWithLeaseRenew."""
    async with serving(tmp_path) as client:
        member = client.services.member
        for lease_id, key in ((11, b"a"), (12, b"z")):
            await client.call(lease.GRANT, pb.LeaseGrantRequest(TTL=100, ID=lease_id), pb.LeaseGrantResponse)
            await client.call(kv.PUT, pb.PutRequest(key=key, lease=lease_id), pb.PutResponse)
        await enable(member)

        async def renew(client: Client, lease_id: int, metadata: Mapping[str, str]) -> int:
            stream = client.open(lease.KEEP_ALIVE, metadata)
            stream.write(pb.LeaseKeepAliveRequest(ID=lease_id))
            answer = await stream.read(pb.LeaseKeepAliveResponse)
            return answer.TTL

        assert await renew(client, 11, {"token": token_of(member, "u")}) == 100
        assert await renew(client, 99, {"token": token_of(member, "u")}) == 0
        assert await renew(client, 12, {"token": token_of(member, "root")}) == 100
        for lease_id, metadata, text in (
            (12, {"token": token_of(member, "u")}, "permission denied"),
            (11, {}, "user name is empty"),
            (11, {"token": "x"}, "invalid auth token"),
        ):
            with pytest.raises(Refused, match=text):
                await renew(client, lease_id, metadata)


@on_loop
async def test_each_method_of_the_api_refuses_a_caller_whom_it_does_not_know(tmp_path: Path) -> None:
    """8.3 no. 21, for whatever the table offers: an empty request with a token of nobody."""
    open_to_all = ("/etcdserverpb.Auth/Authenticate", "/grpc.")
    async with running(quick_config(tmp_path)) as (member, _):
        await enable(member)
        asked = [path for path in build_services(member).table.methods if not path.startswith(open_to_all)]
    assert len(asked) > 40
    async with serving(tmp_path / "other") as client:
        await enable(client.services.member)
        for path in asked:
            method = client.services.table.methods[path]
            with pytest.raises(Refused) as refused:
                if hasattr(method, "call"):
                    await client.call(path, _request_of(path), pb.ResponseHeader, {"token": "nobody.1"})
                else:
                    stream = client.open(path, {"token": "nobody.1"})
                    stream.listener.message_received(_request_of(path))
                    answer = await stream.read(pb.WatchResponse)
                    assert answer.canceled and "invalid auth token" in answer.cancel_reason, path
                    raise Refused(UNAUTHENTICATED, answer.cancel_reason)
            assert "invalid auth token" in refused.value.text, f"{path}: {refused.value}"
            # Lock and Election are clients of the server themselves, and lose the code on the way, as etcd's do.
            assert refused.value.code == UNAUTHENTICATED or path.startswith("/v3"), f"{path}: {refused.value}"


def _request_of(path: str) -> bytes:
    """Enough to pass the checks that come before anybody is identified."""
    requests: dict[str, Message] = {
        "Range": pb.RangeRequest(key=b"k"),
        "RangeStream": pb.RangeRequest(key=b"k"),
        "Put": pb.PutRequest(key=b"k"),
        "DeleteRange": pb.DeleteRangeRequest(key=b"k"),
        "MemberAdd": pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"]),
        "Watch": pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"k")),
        "Unlock": v3lock_pb2.UnlockRequest(key=b"k"),
        "Proclaim": v3election_pb2.ProclaimRequest(leader=v3election_pb2.LeaderKey(key=b"k")),
        "Resign": v3election_pb2.ResignRequest(leader=v3election_pb2.LeaderKey(key=b"k")),
    }
    request = requests.get(path.rpartition("/")[2])
    return b"" if request is None else request.SerializeToString()
