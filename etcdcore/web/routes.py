"""The gateway's table: which path is which method, and the classes of its messages.

Source: reference section 1.5, etcd api/etcdserverpb/rpc.proto (the http annotations).
"""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2, v3election_pb2, v3lock_pb2


@dataclass(frozen=True, slots=True)
class Route:
    """`method` is the gRPC path. Of streams `is_duplex` tells those whose client sends any number of messages."""

    method: str
    request: type[Message]
    response: type[Message]
    is_stream: bool = False
    is_duplex: bool = False


def _unary(service: str, package: object, paths: dict[str, str], prefix: str = "") -> dict[str, Route]:
    """Routes of one service by path; the messages are called as their method, `prefix` before it."""
    return {
        path: Route(
            f"/{service}/{method}",
            getattr(package, f"{prefix}{method}Request"),
            getattr(package, f"{prefix}{method}Response"),
        )
        for path, method in paths.items()
    }


ROUTES: Final[dict[str, Route]] = {
    **_unary(
        "etcdserverpb.KV",
        rpc_pb2,
        {"/v3/kv/range": "Range", "/v3/kv/put": "Put", "/v3/kv/deleterange": "DeleteRange", "/v3/kv/txn": "Txn"},
    ),
    "/v3/kv/compaction": Route("/etcdserverpb.KV/Compact", rpc_pb2.CompactionRequest, rpc_pb2.CompactionResponse),
    "/v3/watch": Route("/etcdserverpb.Watch/Watch", rpc_pb2.WatchRequest, rpc_pb2.WatchResponse, True, True),
    **_unary(
        "etcdserverpb.Lease",
        rpc_pb2,
        {
            "/v3/lease/grant": "LeaseGrant",
            "/v3/lease/revoke": "LeaseRevoke",
            "/v3/kv/lease/revoke": "LeaseRevoke",
            "/v3/lease/timetolive": "LeaseTimeToLive",
            "/v3/kv/lease/timetolive": "LeaseTimeToLive",
            "/v3/lease/leases": "LeaseLeases",
            "/v3/kv/lease/leases": "LeaseLeases",
        },
    ),
    "/v3/lease/keepalive": Route(
        "/etcdserverpb.Lease/LeaseKeepAlive",
        rpc_pb2.LeaseKeepAliveRequest,
        rpc_pb2.LeaseKeepAliveResponse,
        True,
        True,
    ),
    **_unary(
        "etcdserverpb.Cluster",
        rpc_pb2,
        {
            "/v3/cluster/member/add": "MemberAdd",
            "/v3/cluster/member/remove": "MemberRemove",
            "/v3/cluster/member/update": "MemberUpdate",
            "/v3/cluster/member/list": "MemberList",
            "/v3/cluster/member/promote": "MemberPromote",
        },
    ),
    **_unary(
        "etcdserverpb.Maintenance",
        rpc_pb2,
        {
            "/v3/maintenance/alarm": "Alarm",
            "/v3/maintenance/status": "Status",
            "/v3/maintenance/defragment": "Defragment",
            "/v3/maintenance/hash": "Hash",
            "/v3/maintenance/hashkv": "HashKV",
            "/v3/maintenance/transfer-leadership": "MoveLeader",
            "/v3/maintenance/downgrade": "Downgrade",
        },
    ),
    "/v3/maintenance/snapshot": Route(
        "/etcdserverpb.Maintenance/Snapshot", rpc_pb2.SnapshotRequest, rpc_pb2.SnapshotResponse, True
    ),
    "/v3/auth/authenticate": Route(
        "/etcdserverpb.Auth/Authenticate", rpc_pb2.AuthenticateRequest, rpc_pb2.AuthenticateResponse
    ),
    "/v3/auth/enable": Route("/etcdserverpb.Auth/AuthEnable", rpc_pb2.AuthEnableRequest, rpc_pb2.AuthEnableResponse),
    "/v3/auth/disable": Route(
        "/etcdserverpb.Auth/AuthDisable", rpc_pb2.AuthDisableRequest, rpc_pb2.AuthDisableResponse
    ),
    "/v3/auth/status": Route("/etcdserverpb.Auth/AuthStatus", rpc_pb2.AuthStatusRequest, rpc_pb2.AuthStatusResponse),
    **_unary(
        "etcdserverpb.Auth",
        rpc_pb2,
        {
            "/v3/auth/user/add": "UserAdd",
            "/v3/auth/user/get": "UserGet",
            "/v3/auth/user/list": "UserList",
            "/v3/auth/user/delete": "UserDelete",
            "/v3/auth/user/changepw": "UserChangePassword",
            "/v3/auth/user/grant": "UserGrantRole",
            "/v3/auth/user/revoke": "UserRevokeRole",
            "/v3/auth/role/add": "RoleAdd",
            "/v3/auth/role/get": "RoleGet",
            "/v3/auth/role/list": "RoleList",
            "/v3/auth/role/delete": "RoleDelete",
            "/v3/auth/role/grant": "RoleGrantPermission",
            "/v3/auth/role/revoke": "RoleRevokePermission",
        },
        prefix="Auth",
    ),
    **_unary("v3lockpb.Lock", v3lock_pb2, {"/v3/lock/lock": "Lock", "/v3/lock/unlock": "Unlock"}),
    **_unary(
        "v3electionpb.Election",
        v3election_pb2,
        {
            "/v3/election/campaign": "Campaign",
            "/v3/election/proclaim": "Proclaim",
            "/v3/election/leader": "Leader",
            "/v3/election/resign": "Resign",
        },
    ),
    "/v3/election/observe": Route(
        "/v3electionpb.Election/Observe", v3election_pb2.LeaderRequest, v3election_pb2.LeaderResponse, True
    ),
}
