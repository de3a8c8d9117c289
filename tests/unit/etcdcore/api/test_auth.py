"""etcdcore.api.auth: users, roles and logins, as their clients see them (reference 2.8).

The same calls beside a real etcd are in integration/etcd/admin.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from google.protobuf.message import Message

from etcdcore.api import kv
from etcdcore.api.auth import PREFIX
from etcdcore.auth.store import NAME_BYTES_MAX
from etcdcore.pb import auth_pb2
from etcdcore.pb import rpc_pb2 as pb
from tests.unit.etcdcore.api.harness import Client, Refused, serving
from tests.unit.etcdcore.member.fakes import on_loop

AnswerMessage = TypeVar("AnswerMessage", bound=Message)


async def ask(
    client: Client, method: str, request: Message, kind: type[AnswerMessage], token: str = ""
) -> AnswerMessage:
    metadata: Mapping[str, str] = {"token": token} if token else {}
    return await client.call(PREFIX + method, request, kind, metadata)


async def enable(client: Client) -> str:
    """root and u, who reads and writes a; the token of root."""
    for name in ("root", "u"):
        await ask(client, "UserAdd", pb.AuthUserAddRequest(name=name, password="secret"), pb.AuthUserAddResponse)
    await ask(client, "RoleAdd", pb.AuthRoleAddRequest(name="r"), pb.AuthRoleAddResponse)
    permission = auth_pb2.Permission(permType=auth_pb2.Permission.READWRITE, key=b"a")
    grant = pb.AuthRoleGrantPermissionRequest(name="r", perm=permission)
    await ask(client, "RoleGrantPermission", grant, pb.AuthRoleGrantPermissionResponse)
    for name, role in (("root", "root"), ("u", "r")):
        await ask(
            client, "UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=role), pb.AuthUserGrantRoleResponse
        )
    await ask(client, "AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    return await login(client, "root")


async def login(client: Client, name: str) -> str:
    request = pb.AuthenticateRequest(name=name, password="secret")
    return (await ask(client, "Authenticate", request, pb.AuthenticateResponse)).token


@on_loop
async def test_a_user_does_what_his_role_lets_him_by_the_token_of_his_login(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await enable(client)
        token = await login(client, "u")
        written = await client.call(kv.PUT, pb.PutRequest(key=b"a"), pb.PutResponse, {"token": token})
        assert written.header.revision == 2
        for path, request, kind, metadata, text in (
            (kv.PUT, pb.PutRequest(key=b"b"), pb.PutResponse, {"token": token}, "permission denied"),
            (kv.PUT, pb.PutRequest(key=b"a"), pb.PutResponse, {}, "user name is empty"),
            (kv.RANGE, pb.RangeRequest(key=b"a"), pb.RangeResponse, {"token": "x"}, "invalid auth token"),
        ):
            with pytest.raises(Refused, match=text):
                await client.call(path, request, kind, metadata)


@on_loop
async def test_a_change_leaves_the_stores_revision_and_takes_that_of_auth_further(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        before = await ask(client, "AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse)
        added = await ask(client, "UserAdd", pb.AuthUserAddRequest(name="u", password="p"), pb.AuthUserAddResponse)
        after = await ask(client, "AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse)
        assert (before.authRevision, after.authRevision, after.enabled) == (1, 2, False)
        assert added.header.revision == after.header.revision == 1


@on_loop
async def test_a_user_sees_himself_and_his_roles_and_administrators_see_all(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        root = await enable(client)
        token = await login(client, "u")
        himself = await ask(client, "UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse, token)
        assert list(himself.roles) == ["r"]
        role = await ask(client, "RoleGet", pb.AuthRoleGetRequest(role="r"), pb.AuthRoleGetResponse, token)
        assert [permission.key for permission in role.perm] == [b"a"]
        for method, request, kind in (
            ("UserGet", pb.AuthUserGetRequest(name="root"), pb.AuthUserGetResponse),
            ("RoleGet", pb.AuthRoleGetRequest(role="root"), pb.AuthRoleGetResponse),
            ("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse),
            ("RoleList", pb.AuthRoleListRequest(), pb.AuthRoleListResponse),
            ("AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse),
        ):
            with pytest.raises(Refused, match="permission denied"):
                await ask(client, method, request, kind, token)
        users = await ask(client, "UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse, root)
        assert list(users.users) == ["root", "u"]


@on_loop
async def test_nobody_changes_a_password_not_even_his_own_but_an_administrator(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        root = await enable(client)
        token = await login(client, "u")
        change = pb.AuthUserChangePasswordRequest(name="u", password="new")
        with pytest.raises(Refused, match="permission denied"):
            await ask(client, "UserChangePassword", change, pb.AuthUserChangePasswordResponse, token)
        await ask(client, "UserChangePassword", change, pb.AuthUserChangePasswordResponse, root)
        with pytest.raises(Refused, match="authentication failed, invalid user ID or password"):
            await login(client, "u")
        with pytest.raises(Refused, match="invalid auth token"):
            await ask(client, "UserGet", pb.AuthUserGetRequest(name="u"), pb.AuthUserGetResponse, token)


@on_loop
async def test_names_that_no_engine_could_keep_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        name = "n" * (NAME_BYTES_MAX + 1)
        with pytest.raises(Refused, match="invalid auth management"):
            await ask(client, "UserAdd", pb.AuthUserAddRequest(name=name, password="p"), pb.AuthUserAddResponse)
        with pytest.raises(Refused, match="invalid auth management"):
            await ask(client, "RoleAdd", pb.AuthRoleAddRequest(name=name), pb.AuthRoleAddResponse)
        await ask(client, "RoleAdd", pb.AuthRoleAddRequest(name=name[:-1]), pb.AuthRoleAddResponse)
        for endless in (
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=name)),
            ("UserDelete", pb.AuthUserDeleteRequest(name=name)),
        ):
            with pytest.raises(Refused, match="user name not found"):
                await ask(client, endless[0], endless[1], pb.AuthUserDeleteResponse)


@on_loop
async def test_what_is_no_message_of_the_method_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        with pytest.raises(Refused) as refused:
            await client.call(PREFIX + "UserAdd", b"\x0a\xff", pb.AuthUserAddResponse)
        assert refused.value.code == 13
