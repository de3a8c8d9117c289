"""A watcher hears of what its user may read, and of nothing else. Advisories of 2026 are among what is asked here."""

from __future__ import annotations

from etcdcore.pb import auth_pb2
from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client

AUTH = "/etcdserverpb.Auth/"
DENIED = "rpc error: code = PermissionDenied desc = etcdserver: permission denied"


def _enable_auth(client: Client) -> tuple[tuple[str, str], ...]:
    """The metadata of a user who may read the key `m` and [p, s), and nothing else."""
    for name in ("root", "u"):
        client.call(AUTH + "UserAdd", pb.AuthUserAddRequest(name=name, password=name), pb.AuthUserAddResponse)
        client.call(AUTH + "RoleAdd", pb.AuthRoleAddRequest(name=name), pb.AuthRoleAddResponse)
        grant = pb.AuthUserGrantRoleRequest(user=name, role=name)
        client.call(AUTH + "UserGrantRole", grant, pb.AuthUserGrantRoleResponse)
    for key, end in ((b"m", b""), (b"p", b"s")):
        permission = auth_pb2.Permission(permType=auth_pb2.Permission.READ, key=key, range_end=end)
        request = pb.AuthRoleGrantPermissionRequest(name="u", perm=permission)
        client.call(AUTH + "RoleGrantPermission", request, pb.AuthRoleGrantPermissionResponse)
    client.call(AUTH + "AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
    login = pb.AuthenticateRequest(name="u", password="u")
    return (("token", client.call(AUTH + "Authenticate", login, pb.AuthenticateResponse).token),)


def test_a_watch_that_reaches_beyond_what_may_be_read_is_refused(fresh: Client) -> None:
    metadata = _enable_auth(fresh)
    watch = fresh.watch(metadata)
    for key, end in (
        (b"m", b"\0"),  # an open end, from a user with one key
        (b"p", b"\0"),
        (b"m", b"n"),
        (b"m", b"m\0\0"),
        (b"p", b"t"),
        (b"o", b"s"),
        (b"a", b""),
        (b"", b""),
        (b"\0", b"\0"),
    ):
        refused = watch.create(pb.WatchCreateRequest(key=key, range_end=end))
        assert (refused.created, refused.canceled, refused.watch_id, refused.cancel_reason) == (True, True, -1, DENIED)
    for key, end in ((b"m", b""), (b"m", b"m\0"), (b"p", b"s"), (b"q", b"r")):
        created = watch.create(pb.WatchCreateRequest(key=key, range_end=end))
        assert created.created and not created.canceled
