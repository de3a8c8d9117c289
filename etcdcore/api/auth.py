"""The Auth service: users, roles, permissions, logging in.

Changes go through the log; what only reads asks for a read index first, as etcd sends it through raft too. Passwords
are hashed here, in a thread, before anything is proposed. Source: etcd server/etcdserver/v3_server.go, reference 2.8.
"""

from collections.abc import Sequence
from typing import Final, cast, final

from etcdcore.api.admin_calls import AdminCalls, checked
from etcdcore.api.convert_slow import parse
from etcdcore.api.tasks import UnaryHandler
from etcdcore.apply import admin_commands as commands
from etcdcore.apply.results import AdminResult
from etcdcore.auth.records import ROOT, Permission
from etcdcore.auth.store import NAME_BYTES_MAX
from etcdcore.errors import InvalidAuthManagement, PermissionNotGiven, RoleNotFound, UserNotFound
from etcdcore.pb import auth_pb2, rpc_pb2
from etcdcore.rpc.calls import Call

PREFIX: Final = "/etcdserverpb.Auth/"
_ROOT_PERMISSION: Final = Permission(2, b"", b"\0")
"""What the role root is shown with: everything."""


@final
class AuthService:
    """`methods` are its handlers by path."""

    def __init__(self, calls: AdminCalls) -> None:
        self._calls: Final = calls

    def methods(self) -> Sequence[tuple[str, UnaryHandler]]:
        return [
            (PREFIX + "AuthEnable", self.enable),
            (PREFIX + "AuthDisable", self.disable),
            (PREFIX + "AuthStatus", self.status),
            (PREFIX + "Authenticate", self.authenticate),
            (PREFIX + "UserAdd", self.user_add),
            (PREFIX + "UserGet", self.user_get),
            (PREFIX + "UserList", self.user_list),
            (PREFIX + "UserDelete", self.user_delete),
            (PREFIX + "UserChangePassword", self.user_change_password),
            (PREFIX + "UserGrantRole", self.user_grant_role),
            (PREFIX + "UserRevokeRole", self.user_revoke_role),
            (PREFIX + "RoleAdd", self.role_add),
            (PREFIX + "RoleGet", self.role_get),
            (PREFIX + "RoleList", self.role_list),
            (PREFIX + "RoleDelete", self.role_delete),
            (PREFIX + "RoleGrantPermission", self.role_grant_permission),
            (PREFIX + "RoleRevokePermission", self.role_revoke_permission),
        ]

    async def enable(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.AuthEnableRequest, request)
        return await self._change(call, commands.auth_enable())

    async def disable(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.AuthDisableRequest, request)
        return await self._change(call, commands.auth_disable())

    async def status(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.AuthStatusRequest, request)
        await self._read_as_admin(call)
        auth = self._calls.member.admin_state.auth
        return self._calls.answer(rpc_pb2.AuthStatusResponse(enabled=auth.is_enabled, authRevision=auth.revision))

    async def authenticate(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthenticateRequest, request)
        checked(self._calls.gate.check_call(call))
        token = await self._calls.member.authentication.login(wanted.name, wanted.password)
        return self._calls.answer(rpc_pb2.AuthenticateResponse(token=token))

    async def user_add(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserAddRequest, request)
        no_password = wanted.options.no_password
        self._check_name(wanted.name)
        password = b"" if no_password else await self._hash(call, wanted.password)
        return await self._change(call, commands.user_add(wanted.name, password, no_password))

    async def user_get(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserGetRequest, request)
        identity = self._calls.identify(call)
        await self._calls.admin.read_index()
        refusal = self._calls.gate.check_admin(identity)
        if refusal is not None and wanted.name != identity.user:
            raise refusal
        user = self._calls.member.admin_state.auth.users.get(wanted.name)
        if user is None:
            raise UserNotFound
        return self._calls.answer(rpc_pb2.AuthUserGetResponse(roles=user.roles))

    async def user_list(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.AuthUserListRequest, request)
        await self._read_as_admin(call)
        names = self._calls.member.admin_state.auth.user_names()
        return self._calls.answer(rpc_pb2.AuthUserListResponse(users=names))

    async def user_delete(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserDeleteRequest, request)
        return await self._change(call, commands.user_delete(wanted.name))

    async def user_change_password(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserChangePasswordRequest, request)
        # As in etcd, an empty password leaves the user with no hash that any password fits.
        password = await self._hash(call, wanted.password) if wanted.password else b""
        return await self._change(call, commands.user_change_password(wanted.name, password))

    async def user_grant_role(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserGrantRoleRequest, request)
        return await self._change(call, commands.user_grant_role(wanted.user, wanted.role))

    async def user_revoke_role(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthUserRevokeRoleRequest, request)
        return await self._change(call, commands.user_revoke_role(wanted.name, wanted.role))

    async def role_add(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthRoleAddRequest, request)
        self._check_name(wanted.name)
        return await self._change(call, commands.role_add(wanted.name))

    async def role_get(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthRoleGetRequest, request)
        identity = self._calls.identify(call)
        await self._calls.admin.read_index()
        auth = self._calls.member.admin_state.auth
        refusal = self._calls.gate.check_admin(identity)
        if refusal is not None and not auth.has_role(identity.user, wanted.role):
            raise refusal
        role = auth.roles.get(wanted.role)
        if role is None:
            raise RoleNotFound
        permissions = (_ROOT_PERMISSION,) if role.name == ROOT else role.permissions
        response = rpc_pb2.AuthRoleGetResponse()
        for permission in permissions:
            shown = response.perm.add()
            shown.permType = cast(auth_pb2.Permission.Type, permission.kind)
            shown.key = permission.key
            shown.range_end = permission.range_end
        return self._calls.answer(response)

    async def role_list(self, request: bytes, call: Call) -> bytes:
        parse(rpc_pb2.AuthRoleListRequest, request)
        await self._read_as_admin(call)
        names = self._calls.member.admin_state.auth.role_names()
        return self._calls.answer(rpc_pb2.AuthRoleListResponse(roles=names))

    async def role_delete(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthRoleDeleteRequest, request)
        return await self._change(call, commands.role_delete(wanted.role))

    async def role_grant_permission(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthRoleGrantPermissionRequest, request)
        if not wanted.HasField("perm"):
            # Who may not grant hears that first, as he would from the log.
            self._calls.require_admin(call)
            raise PermissionNotGiven
        permission = Permission(wanted.perm.permType, wanted.perm.key, wanted.perm.range_end)
        return await self._change(call, commands.role_grant_permission(wanted.name, permission))

    async def role_revoke_permission(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.AuthRoleRevokePermissionRequest, request)
        return await self._change(call, commands.role_revoke_permission(wanted.role, wanted.key, wanted.range_end))

    async def _change(self, call: Call, command: commands.AdminCommand) -> bytes:
        calls = self._calls
        result = await calls.decide(calls.identify(call), command)
        assert isinstance(result, AdminResult), "a change of auth is answered by nothing but its being done"
        return calls.headers.encode(result.revision)

    async def _read_as_admin(self, call: Call) -> None:
        identity = self._calls.identify(call)
        await self._calls.admin.read_index()
        checked(self._calls.gate.check_admin(identity))

    async def _hash(self, call: Call, password: str) -> bytes:
        # Differs: etcd hashes for anybody; a tenth of a second of work is only done for who may have it stored.
        self._calls.require_admin(call)
        return await self._calls.member.authentication.hash_password(password)

    def _check_name(self, name: str) -> None:
        if len(name.encode()) > NAME_BYTES_MAX:
            raise InvalidAuthManagement
