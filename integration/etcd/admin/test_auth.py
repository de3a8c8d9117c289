"""Authentication as its users see it: reference 2.8, etcd's tests/common/auth_test.go and v3_auth_test.go."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import Recorder, Script, run_on_both
from integration.peers.etcd import Certificates
from tests.certificates import Authority

READ, WRITE, READ_WRITE = 0, 1, 2


def users_and_roles(to: Recorder) -> None:
    """Every call of user and role management, its refusals included, and the auth revision that it leaves."""

    def status() -> None:
        to.ask("AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse)

    status()
    to.ask("Authenticate", pb.AuthenticateRequest(name="a", password="b"), pb.AuthenticateResponse)
    to.ask("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    to.ask("AuthDisable", pb.AuthDisableRequest(), pb.AuthDisableResponse)
    to.user("", "x")
    to.user("root", "root-secret")
    to.user("root", "again")
    to.ask("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    to.role("")
    to.role("r2")
    to.role("r1", (READ, b"a", b"b"), (WRITE, b"a", b"b"), (READ, b"c", b""), (READ_WRITE, b"b", b"\0"))
    to.role("r1")
    to.permit("r1", READ, b"", b"")
    to.permit("r1", READ, b"b", b"a")
    to.permit("nobody", READ, b"b", b"")
    to.ask("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r1"), pb.AuthRoleGrantPermissionResponse)
    to.ask("RoleGet", pb.AuthRoleGetRequest(role="r1"), pb.AuthRoleGetResponse)
    to.ask("RoleGet", pb.AuthRoleGetRequest(role="r3"), pb.AuthRoleGetResponse)
    to.ask("RoleList", pb.AuthRoleListRequest(), pb.AuthRoleListResponse)
    to.ask(
        "RoleRevokePermission",
        pb.AuthRoleRevokePermissionRequest(role="r1", key=b"c"),
        pb.AuthRoleRevokePermissionResponse,
    )
    to.ask(
        "RoleRevokePermission",
        pb.AuthRoleRevokePermissionRequest(role="r1", key=b"c"),
        pb.AuthRoleRevokePermissionResponse,
    )
    to.ask(
        "RoleRevokePermission",
        pb.AuthRoleRevokePermissionRequest(role="r9", key=b"c"),
        pb.AuthRoleRevokePermissionResponse,
    )
    to.user("u", "secret", "r2", "r1", "r2", "r9")
    status()
    to.ask("UserGrantRole", pb.AuthUserGrantRoleRequest(user="nobody", role="r1"), pb.AuthUserGrantRoleResponse)
    to.ask("UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse)
    to.ask("UserGet", pb.AuthUserGetRequest(name="nobody"), pb.AuthUserGetResponse)
    to.ask("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse)
    to.ask("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="r2"), pb.AuthUserRevokeRoleResponse)
    to.ask("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="r2"), pb.AuthUserRevokeRoleResponse)
    to.ask("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="nobody", role="r2"), pb.AuthUserRevokeRoleResponse)
    to.ask("RoleDelete", pb.AuthRoleDeleteRequest(role="r1"), pb.AuthRoleDeleteResponse)
    to.ask("RoleDelete", pb.AuthRoleDeleteRequest(role="r1"), pb.AuthRoleDeleteResponse)
    to.ask("UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse)
    to.ask("UserDelete", pb.AuthUserDeleteRequest(name="u"), pb.AuthUserDeleteResponse)
    to.ask("UserDelete", pb.AuthUserDeleteRequest(name="u"), pb.AuthUserDeleteResponse)
    to.ask(
        "UserChangePassword",
        pb.AuthUserChangePasswordRequest(name="u", password="p"),
        pb.AuthUserChangePasswordResponse,
    )
    status()
    to.ask("UserGrantRole", pb.AuthUserGrantRoleRequest(user="root", role="root"), pb.AuthUserGrantRoleResponse)
    to.ask("RoleGet", pb.AuthRoleGetRequest(role="root"), pb.AuthRoleGetResponse)
    to.ask("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    to.login("root", "root-secret")
    to.ask("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    status()
    to.ask("UserDelete", pb.AuthUserDeleteRequest(name="root"), pb.AuthUserDeleteResponse)
    to.ask("RoleDelete", pb.AuthRoleDeleteRequest(role="root"), pb.AuthRoleDeleteResponse)
    to.ask("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="root", role="root"), pb.AuthUserRevokeRoleResponse)
    to.ask("AuthDisable", pb.AuthDisableRequest(), pb.AuthDisableResponse)
    status()
    to.token = ""
    to.ask("AuthDisable", pb.AuthDisableRequest(), pb.AuthDisableResponse)
    status()


def logins(to: Recorder) -> None:
    """Who gets a token, and what a wrong, missing or outlived one is told (V3AuthTokenWithDisable, V3AuthRevision)."""
    no_password = pb.AuthUserAddRequest(name="certified")
    no_password.options.no_password = True
    to.ask("UserAdd", no_password, pb.AuthUserAddResponse)
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("u", "secret", "r")
    to.enable_auth()
    root = to.token
    to.login("u", "wrong")
    to.login("nobody", "secret")
    to.login("certified", "")
    to.login("", "")
    to.note("nobody is named")
    to.get(b"a")
    to.put(b"a")
    to.note("a token of nobody")
    to.token = "abcdefghijklmnop.3"
    to.get(b"a")
    to.put(b"a")
    to.token = "x"
    to.get(b"a")
    to.note("the token, in the ways that it may come")
    to.login("u", "secret")
    token, to.token = to.token, ""
    for metadata in (("token", token), ("authorization", token), ("authorization", f"Bearer {token}")):
        to.ask("Put", pb.PutRequest(key=b"a"), pb.PutResponse, metadata)
    to.note("a token outlives changes of others, not a change of its user's password")
    to.token = root
    to.role("another")
    to.token = token
    to.put(b"a1")
    to.token = root
    to.ask(
        "UserChangePassword",
        pb.AuthUserChangePasswordRequest(name="u", password="new"),
        pb.AuthUserChangePasswordResponse,
    )
    to.token = token
    to.put(b"a2")
    to.login("u", "secret")
    to.login("u", "new")
    to.put(b"a3")
    token, to.token = to.token, root
    to.ask("UserDelete", pb.AuthUserDeleteRequest(name="u"), pb.AuthUserDeleteResponse)
    to.token = token
    to.put(b"a4")
    to.token = root
    to.ask("AuthDisable", pb.AuthDisableRequest(), pb.AuthDisableResponse)
    to.put(b"a5")
    to.token = "anything"
    to.put(b"a6")


def _each_call() -> list[tuple[str, Message, type[Message]]]:
    """One request of every unary method that needs somebody."""
    permission = pb.AuthRoleGrantPermissionRequest(name="r")
    permission.perm.key = b"a"
    return [
        ("Range", pb.RangeRequest(key=b"z"), pb.RangeResponse),
        ("Put", pb.PutRequest(key=b"z"), pb.PutResponse),
        ("DeleteRange", pb.DeleteRangeRequest(key=b"z"), pb.DeleteRangeResponse),
        ("Txn", pb.TxnRequest(compare=[pb.Compare(key=b"z")]), pb.TxnResponse),
        ("Compact", pb.CompactionRequest(revision=1), pb.CompactionResponse),
        ("LeaseGrant", pb.LeaseGrantRequest(TTL=100, ID=7), pb.LeaseGrantResponse),
        ("LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=99), pb.LeaseTimeToLiveResponse),
        ("LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=99, keys=True), pb.LeaseTimeToLiveResponse),
        ("LeaseRevoke", pb.LeaseRevokeRequest(ID=99), pb.LeaseRevokeResponse),
        ("MemberAdd", pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"], isLearner=True), pb.MemberAddResponse),
        ("MemberRemove", pb.MemberRemoveRequest(ID=5), pb.MemberRemoveResponse),
        ("MemberUpdate", pb.MemberUpdateRequest(ID=5), pb.MemberUpdateResponse),
        ("MemberPromote", pb.MemberPromoteRequest(ID=5), pb.MemberPromoteResponse),
        ("Alarm", pb.AlarmRequest(), pb.AlarmResponse),
        ("Alarm", pb.AlarmRequest(action=pb.AlarmRequest.ACTIVATE, alarm=pb.NOSPACE, memberID=5), pb.AlarmResponse),
        ("Alarm", pb.AlarmRequest(action=pb.AlarmRequest.DEACTIVATE, alarm=pb.NOSPACE, memberID=5), pb.AlarmResponse),
        ("Defragment", pb.DefragmentRequest(), pb.DefragmentResponse),
        ("HashKV", pb.HashKVRequest(), pb.HashKVResponse),
        ("MoveLeader", pb.MoveLeaderRequest(targetID=5), pb.MoveLeaderResponse),
        ("Downgrade", pb.DowngradeRequest(version="3.4.0"), pb.DowngradeResponse),
        ("AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse),
        ("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse),
        ("UserAdd", pb.AuthUserAddRequest(name="added", password="x"), pb.AuthUserAddResponse),
        ("UserGet", pb.AuthUserGetRequest(name="root"), pb.AuthUserGetResponse),
        ("UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse),
        ("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse),
        (
            "UserChangePassword",
            pb.AuthUserChangePasswordRequest(name="v", password="x"),
            pb.AuthUserChangePasswordResponse,
        ),
        ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="v", role="r"), pb.AuthUserGrantRoleResponse),
        ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="v", role="r"), pb.AuthUserRevokeRoleResponse),
        ("UserDelete", pb.AuthUserDeleteRequest(name="added"), pb.AuthUserDeleteResponse),
        ("RoleAdd", pb.AuthRoleAddRequest(name="added"), pb.AuthRoleAddResponse),
        ("RoleGet", pb.AuthRoleGetRequest(role="root"), pb.AuthRoleGetResponse),
        ("RoleGet", pb.AuthRoleGetRequest(role="r"), pb.AuthRoleGetResponse),
        ("RoleList", pb.AuthRoleListRequest(), pb.AuthRoleListResponse),
        ("RoleGrantPermission", permission, pb.AuthRoleGrantPermissionResponse),
        (
            "RoleRevokePermission",
            pb.AuthRoleRevokePermissionRequest(role="r", key=b"a"),
            pb.AuthRoleRevokePermissionResponse,
        ),
        ("RoleDelete", pb.AuthRoleDeleteRequest(role="added"), pb.AuthRoleDeleteResponse),
        ("MemberList", pb.MemberListRequest(linearizable=True), pb.MemberListResponse),
        ("LeaseLeases", pb.LeaseLeasesRequest(), pb.LeaseLeasesResponse),
        ("AuthDisable", pb.AuthDisableRequest(), pb.AuthDisableResponse),
    ]


def every_call_by_everybody(to: Recorder) -> None:
    """Each method without a token, with a bad one, by a user without rights, and by root (8.3 no. 21)."""
    to.masks_hash = True
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("u", "secret", "r")
    to.user("v", "secret")
    to.enable_auth()
    for name, password in (("", ""), ("u", "secret"), ("root", "root-secret")):
        to.login(name, password)
        to.note(f"by {name or 'nobody'}")
        for method, request, kind in _each_call():
            to.ask(method, request, kind)
    to.note("by a bad token")
    to.token = ""
    to.enable_auth()
    to.token = "bad"
    for method, request, kind in _each_call():
        to.ask(method, request, kind)


def permissions(to: Recorder) -> None:
    """Which keys, in which call, through which lease, in which branch (CVE-2026-33343; 8.3 no. 22)."""
    to.role("reader", (READ, b"a", b"c"), (READ, b"c", b"e"), (READ, b"x", b""))
    to.role("writer", (WRITE, b"b", b"d"), (WRITE, b"q", b"\0"))
    to.user("u", "secret", "reader", "writer")
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=11), pb.LeaseGrantResponse)
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=12), pb.LeaseGrantResponse)
    to.put(b"b1", lease=11)
    to.put(b"a1", lease=12)
    to.enable_auth()
    to.login("u", "secret")
    to.note("intervals: the union counts, adjacent ones too")
    for key, end in (
        (b"a", b""),
        (b"a", b"e"),
        (b"a", b"f"),
        (b"d", b"\0"),
        (b"x", b""),
        (b"x", b"x\0"),
        (b"x", b"y"),
        (b"\0", b"\0"),
    ):
        to.get(key, end)
    for key, end in ((b"b", b"d"), (b"b", b"e"), (b"q", b"\0"), (b"q", b""), (b"zz", b"\0"), (b"a", b"")):
        to.delete(key, end)
    to.get(b"e", b"a")
    to.delete(b"z", b"r")
    to.note("previous pairs need READ")
    to.put(b"b", prev_kv=True)
    to.put(b"q", prev_kv=True)
    to.delete(b"b", prev_kv=True)
    to.delete(b"q", prev_kv=True)
    to.note("leases: WRITE on what hangs on them")
    to.put(b"b2", lease=11)
    to.put(b"b3", lease=12)
    to.put(b"b3", lease=13)
    for lease in (11, 12, 13):
        to.ask("LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=lease, keys=True), pb.LeaseTimeToLiveResponse)
    to.ask("LeaseLeases", pb.LeaseLeasesRequest(), pb.LeaseLeasesResponse)
    for lease in (12, 11):
        to.ask("LeaseRevoke", pb.LeaseRevokeRequest(ID=lease), pb.LeaseRevokeResponse)
    to.note("transactions: compares, both branches, nested ones, leases in puts")
    get_e = pb.RequestOp(request_range=pb.RangeRequest(key=b"e"))
    get_a = pb.RequestOp(request_range=pb.RangeRequest(key=b"a"))
    put_b = pb.RequestOp(request_put=pb.PutRequest(key=b"b"))
    put_a = pb.RequestOp(request_put=pb.PutRequest(key=b"a"))
    put_leased = pb.RequestOp(request_put=pb.PutRequest(key=b"b", lease=12))
    previous = pb.RequestOp(request_put=pb.PutRequest(key=b"q", prev_kv=True))
    delete_q = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=b"q", prev_kv=True))
    transactions = [
        pb.TxnRequest(compare=[pb.Compare(key=b"a")], success=[put_b], failure=[get_a]),
        pb.TxnRequest(compare=[pb.Compare(key=b"e")], success=[put_b]),
        pb.TxnRequest(compare=[pb.Compare(key=b"a", range_end=b"f")], success=[put_b]),
        pb.TxnRequest(success=[put_b], failure=[put_a]),
        pb.TxnRequest(success=[get_a], failure=[get_e]),
        pb.TxnRequest(success=[get_a], failure=[get_a]),
        pb.TxnRequest(success=[put_leased]),
        pb.TxnRequest(success=[previous]),
        pb.TxnRequest(success=[delete_q]),
    ]
    for transaction in transactions:
        to.ask("Txn", transaction, pb.TxnResponse)
        to.ask("Txn", pb.TxnRequest(failure=[pb.RequestOp(request_txn=transaction)]), pb.TxnResponse)


def intervals_that_hold_no_key(to: Recorder) -> None:
    """An end that is not after its key: whoever may touch the key gets an answer, which tells of nothing."""
    to.role("r", (READ_WRITE, b"m", b"p"))
    to.user("u", "secret", "r")
    to.enable_auth()
    to.login("u", "secret")
    for key in (b"a", b"m", b"n", b"p", b"z"):
        for end in (b"a", b"m", b"n", b"p"):
            if end <= key:
                to.get(key, end)
                to.delete(key, end)
                delete = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=key, range_end=end))
                to.ask("Txn", pb.TxnRequest(success=[delete]), pb.TxnResponse)


def restarts(to: Recorder) -> None:
    """What is kept over a stop and over a kill, and what is not: tokens."""
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("u", "secret", "r")
    to.enable_auth()
    for is_kill in (False, True, True):
        to.login("u", "secret")
        to.put(b"a")
        to.restart(is_kill)
        to.note(f"after {'a kill' if is_kill else 'a stop'}")
        if not is_kill:
            # After a kill etcd applies its log again, and a login is part of it: how far back is each server's own.
            to.put(b"a")
        to.login("u", "secret")
        to.put(b"a")
        to.get(b"c")
        to.login("root", "root-secret")
        to.ask("AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse)
        to.ask("UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse)


def signed_tokens(to: Recorder) -> None:
    """JWT: a token is of an auth revision, and outlives a restart (V3AuthWithLeaseRevokeWithRootJWT)."""
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("u", "secret", "r")
    to.enable_auth()
    root = to.token
    to.login("u", "secret")
    user = to.token
    to.put(b"a")
    to.get(b"c")
    to.restart(is_kill=False)
    to.put(b"a")
    to.token = root
    to.ask("LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=5), pb.LeaseGrantResponse)
    to.role("another")
    to.note("tokens of before the change")
    for to.token in (root, user):
        to.put(b"a", lease=5)
        to.get(b"a")
        to.ask("Txn", pb.TxnRequest(compare=[pb.Compare(key=b"a")]), pb.TxnResponse)
        to.ask("LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=5, keys=True), pb.LeaseTimeToLiveResponse)
        to.ask("LeaseRevoke", pb.LeaseRevokeRequest(ID=5), pb.LeaseRevokeResponse)
        to.ask("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse)
    to.token = user[:-8] + "AAAAAAAA"
    to.get(b"a")
    to.login("u", "secret")
    to.put(b"a")


def certificate_names(to: Recorder) -> None:
    """The name in the client's certificate is its user, unless it sends a token."""
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("certified", "secret", "r")
    to.enable_auth()
    to.put(b"z")
    to.token = ""
    to.note("by certificate")
    to.put(b"a")
    to.put(b"z")
    to.get(b"a", b"b")
    to.ask("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse)
    to.ask("UserGet", pb.AuthUserGetRequest(name="certified"), pb.AuthUserGetResponse)
    to.token = "rubbish.1"
    to.put(b"a")


SCRIPTS: list[Script] = [
    users_and_roles,
    logins,
    every_call_by_everybody,
    permissions,
    intervals_that_hold_no_key,
    restarts,
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_both_servers_answer_alike(script: Script) -> None:
    ours, theirs = run_on_both(script)
    assert ours == theirs


def test_both_servers_know_the_same_signed_tokens(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("token")
    options = f"jwt,pub-key={pair.cert_file},priv-key={pair.key_file},sign-method=ES256,ttl=5m"
    ours, theirs = run_on_both(signed_tokens, [f"--auth-token={options}"])
    assert ours == theirs


def test_both_servers_know_the_same_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.issue("server"), authority.issue("client", "certified")
    files = Certificates(
        Path(authority.ca_file),
        Path(server.cert_file),
        Path(server.key_file),
        Path(client.cert_file),
        Path(client.key_file),
    )
    ours, theirs = run_on_both(certificate_names, certificates=files)
    assert ours == theirs
