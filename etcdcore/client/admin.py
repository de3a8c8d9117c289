"""Administration: users and roles, the member, the cluster. Each call is one of etcd's, by its own names."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final, Unpack, final

from etcdcore.client.caller import Caller
from etcdcore.client.requests import Interval, Text, interval_of
from etcdcore.pb import auth_pb2, rpc_pb2

_AUTH: Final = "/etcdserverpb.Auth/"
_MAINTENANCE: Final = "/etcdserverpb.Maintenance/"
_CLUSTER: Final = "/etcdserverpb.Cluster/"


@final
class Auth:
    """Users, roles, and what they may do."""

    def __init__(self, caller: Caller) -> None:
        self._caller: Final = caller

    async def enable(self) -> rpc_pb2.AuthEnableResponse:
        """From now on everybody has to say who he is; user root with role root must be there."""
        request = rpc_pb2.AuthEnableRequest()
        return await self._caller.write(_AUTH + "AuthEnable", request, rpc_pb2.AuthEnableResponse)

    async def disable(self) -> rpc_pb2.AuthDisableResponse:
        """Everybody may do everything again."""
        request = rpc_pb2.AuthDisableRequest()
        return await self._caller.write(_AUTH + "AuthDisable", request, rpc_pb2.AuthDisableResponse)

    async def status(self) -> rpc_pb2.AuthStatusResponse:
        """Whether it is enabled, and the revision of users and roles."""
        request = rpc_pb2.AuthStatusRequest()
        return await self._caller.read(_AUTH + "AuthStatus", request, rpc_pb2.AuthStatusResponse)

    async def user_add(
        self, name: str, password: str = "", *, no_password: bool = False
    ) -> rpc_pb2.AuthUserAddResponse:
        """A user without a password can come by certificate only."""
        request = rpc_pb2.AuthUserAddRequest(
            name=name, password=password, options=auth_pb2.UserAddOptions(no_password=no_password)
        )
        return await self._caller.write(_AUTH + "UserAdd", request, rpc_pb2.AuthUserAddResponse)

    async def user_get(self, name: str) -> rpc_pb2.AuthUserGetResponse:
        """The roles of a user."""
        request = rpc_pb2.AuthUserGetRequest(name=name)
        return await self._caller.read(_AUTH + "UserGet", request, rpc_pb2.AuthUserGetResponse)

    async def user_list(self) -> rpc_pb2.AuthUserListResponse:
        """All users."""
        request = rpc_pb2.AuthUserListRequest()
        return await self._caller.read(_AUTH + "UserList", request, rpc_pb2.AuthUserListResponse)

    async def user_delete(self, name: str) -> rpc_pb2.AuthUserDeleteResponse:
        """Removes a user."""
        request = rpc_pb2.AuthUserDeleteRequest(name=name)
        return await self._caller.write(_AUTH + "UserDelete", request, rpc_pb2.AuthUserDeleteResponse)

    async def user_change_password(self, name: str, password: str) -> rpc_pb2.AuthUserChangePasswordResponse:
        """Tokens that were given out stay good."""
        request = rpc_pb2.AuthUserChangePasswordRequest(name=name, password=password)
        return await self._caller.write(_AUTH + "UserChangePassword", request, rpc_pb2.AuthUserChangePasswordResponse)

    async def user_grant_role(self, name: str, role: str) -> rpc_pb2.AuthUserGrantRoleResponse:
        """Gives a user a role."""
        request = rpc_pb2.AuthUserGrantRoleRequest(user=name, role=role)
        return await self._caller.write(_AUTH + "UserGrantRole", request, rpc_pb2.AuthUserGrantRoleResponse)

    async def user_revoke_role(self, name: str, role: str) -> rpc_pb2.AuthUserRevokeRoleResponse:
        """Takes a role from a user."""
        request = rpc_pb2.AuthUserRevokeRoleRequest(name=name, role=role)
        return await self._caller.write(_AUTH + "UserRevokeRole", request, rpc_pb2.AuthUserRevokeRoleResponse)

    async def role_add(self, name: str) -> rpc_pb2.AuthRoleAddResponse:
        """A role that may do nothing yet."""
        request = rpc_pb2.AuthRoleAddRequest(name=name)
        return await self._caller.write(_AUTH + "RoleAdd", request, rpc_pb2.AuthRoleAddResponse)

    async def role_get(self, name: str) -> rpc_pb2.AuthRoleGetResponse:
        """What a role may do."""
        request = rpc_pb2.AuthRoleGetRequest(role=name)
        return await self._caller.read(_AUTH + "RoleGet", request, rpc_pb2.AuthRoleGetResponse)

    async def role_list(self) -> rpc_pb2.AuthRoleListResponse:
        """All roles."""
        request = rpc_pb2.AuthRoleListRequest()
        return await self._caller.read(_AUTH + "RoleList", request, rpc_pb2.AuthRoleListResponse)

    async def role_delete(self, name: str) -> rpc_pb2.AuthRoleDeleteResponse:
        """Removes a role, from its users too."""
        request = rpc_pb2.AuthRoleDeleteRequest(role=name)
        return await self._caller.write(_AUTH + "RoleDelete", request, rpc_pb2.AuthRoleDeleteResponse)

    async def role_grant_permission(
        self, name: str, kind: str, key: Text, **interval: Unpack[Interval]
    ) -> rpc_pb2.AuthRoleGrantPermissionResponse:
        """`kind` is READ, WRITE or READWRITE."""
        first, end = interval_of(key, interval)
        permission = auth_pb2.Permission(permType=kind, key=first, range_end=end)
        request = rpc_pb2.AuthRoleGrantPermissionRequest(name=name, perm=permission)
        kind_of = rpc_pb2.AuthRoleGrantPermissionResponse
        return await self._caller.write(_AUTH + "RoleGrantPermission", request, kind_of)

    async def role_revoke_permission(
        self, name: str, key: Text, **interval: Unpack[Interval]
    ) -> rpc_pb2.AuthRoleRevokePermissionResponse:
        """The interval must be the one that was granted."""
        first, end = interval_of(key, interval)
        request = rpc_pb2.AuthRoleRevokePermissionRequest(role=name, key=first, range_end=end)
        kind = rpc_pb2.AuthRoleRevokePermissionResponse
        return await self._caller.write(_AUTH + "RoleRevokePermission", request, kind)


@final
class Maintenance:
    """The member that answers."""

    def __init__(self, caller: Caller) -> None:
        self._caller: Final = caller

    async def status(self) -> rpc_pb2.StatusResponse:
        """Version, sizes, leader, positions in the log."""
        request = rpc_pb2.StatusRequest()
        return await self._caller.read(_MAINTENANCE + "Status", request, rpc_pb2.StatusResponse)

    async def defragment(self) -> rpc_pb2.DefragmentResponse:
        """Gives free space back."""
        request = rpc_pb2.DefragmentRequest()
        return await self._caller.write(_MAINTENANCE + "Defragment", request, rpc_pb2.DefragmentResponse)

    async def hash(self) -> rpc_pb2.HashResponse:
        """Over the whole store; for tests."""
        request = rpc_pb2.HashRequest()
        return await self._caller.read(_MAINTENANCE + "Hash", request, rpc_pb2.HashResponse)

    async def hash_kv(self, revision: int = 0) -> rpc_pb2.HashKVResponse:
        """Over the keys up to a revision: equal on all members."""
        request = rpc_pb2.HashKVRequest(revision=revision)
        return await self._caller.read(_MAINTENANCE + "HashKV", request, rpc_pb2.HashKVResponse)

    async def move_leader(self, member_id: int) -> rpc_pb2.MoveLeaderResponse:
        """To be asked of the leader."""
        request = rpc_pb2.MoveLeaderRequest(targetID=member_id)
        return await self._caller.write(_MAINTENANCE + "MoveLeader", request, rpc_pb2.MoveLeaderResponse)

    async def alarms(self) -> rpc_pb2.AlarmResponse:
        """What is raised, of all members."""
        request = rpc_pb2.AlarmRequest(action="GET")
        return await self._caller.read(_MAINTENANCE + "Alarm", request, rpc_pb2.AlarmResponse)

    async def disarm(self, member_id: int, alarm: str) -> rpc_pb2.AlarmResponse:
        """`alarm` is NOSPACE or CORRUPT."""
        request = rpc_pb2.AlarmRequest(action="DEACTIVATE", memberID=member_id, alarm=alarm)
        return await self._caller.write(_MAINTENANCE + "Alarm", request, rpc_pb2.AlarmResponse)

    async def snapshot(self) -> AsyncGenerator[bytes, None]:
        """The store as a file, piece by piece; the last 32 bytes are the SHA-256 of those before."""
        stream = await self._caller.open_stream(_MAINTENANCE + "Snapshot")
        try:
            await stream.send(rpc_pb2.SnapshotRequest().SerializeToString())
            stream.end_input()
            while (message := await stream.receive()) is not None:
                yield rpc_pb2.SnapshotResponse.FromString(message).blob
        finally:
            stream.cancel()


@final
class Members:
    """The cluster."""

    def __init__(self, caller: Caller) -> None:
        self._caller: Final = caller

    async def list(self, *, linearizable: bool = True) -> rpc_pb2.MemberListResponse:
        """All members."""
        request = rpc_pb2.MemberListRequest(linearizable=linearizable)
        return await self._caller.read(_CLUSTER + "MemberList", request, rpc_pb2.MemberListResponse)

    async def add(self, peer_urls: Sequence[str], *, is_learner: bool = False) -> rpc_pb2.MemberAddResponse:
        """Before the new one is started."""
        request = rpc_pb2.MemberAddRequest(peerURLs=peer_urls, isLearner=is_learner)
        return await self._caller.write(_CLUSTER + "MemberAdd", request, rpc_pb2.MemberAddResponse)

    async def remove(self, member_id: int) -> rpc_pb2.MemberRemoveResponse:
        """For good."""
        request = rpc_pb2.MemberRemoveRequest(ID=member_id)
        return await self._caller.write(_CLUSTER + "MemberRemove", request, rpc_pb2.MemberRemoveResponse)

    async def update(self, member_id: int, peer_urls: Sequence[str]) -> rpc_pb2.MemberUpdateResponse:
        """New peer URLs."""
        request = rpc_pb2.MemberUpdateRequest(ID=member_id, peerURLs=peer_urls)
        return await self._caller.write(_CLUSTER + "MemberUpdate", request, rpc_pb2.MemberUpdateResponse)

    async def promote(self, member_id: int) -> rpc_pb2.MemberPromoteResponse:
        """Makes a learner a voter."""
        request = rpc_pb2.MemberPromoteRequest(ID=member_id)
        return await self._caller.write(_CLUSTER + "MemberPromote", request, rpc_pb2.MemberPromoteResponse)
