"""Users, roles, alarms and leases that were made here are etcd's own: a snapshot of ours becomes a real etcd."""

from __future__ import annotations

from pathlib import Path

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import Recorder
from integration.etcd.snapshot.tools import etcdutl, restore_flags, save
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd

READ, WRITE, READ_WRITE = 0, 1, 2


def _make(to: Recorder) -> None:
    to.role("r", (READ, b"a", b"c"), (WRITE, b"b", b"\0"), (READ_WRITE, b"x", b""))
    to.role("empty")
    to.user("u", "secret", "r", "empty")
    request = pb.AuthUserAddRequest(name="certified")
    request.options.no_password = True
    to.ask("UserAdd", request, pb.AuthUserAddResponse)
    to.put(b"a1", b"kept")
    own = to.ask("Status", pb.StatusRequest(), pb.StatusResponse).header.member_id
    to.ask("Alarm", pb.AlarmRequest(action=pb.AlarmRequest.ACTIVATE, memberID=own, alarm=pb.NOSPACE), pb.AlarmResponse)
    to.enable_auth()


def _look(to: Recorder) -> list[str]:
    """Everything that a client can see of it, and none of it what differs between two runs of one server."""
    to.lines.clear()
    to.login("u", "wrong")
    to.login("certified", "")
    to.login("u", "secret")
    to.get(b"a", b"c")
    to.get(b"a", b"d")
    to.get(b"x")
    to.put(b"b")
    to.put(b"a")
    to.login("root", "root-secret")
    for role in ("r", "empty"):
        to.ask("RoleGet", pb.AuthRoleGetRequest(role=role), pb.AuthRoleGetResponse)
    for user in ("u", "root", "certified"):
        to.ask("UserGet", pb.AuthUserGetRequest(name=user), pb.AuthUserGetResponse)
    to.ask("UserList", pb.AuthUserListRequest(), pb.AuthUserListResponse)
    to.ask("AuthStatus", pb.AuthStatusRequest(), pb.AuthStatusResponse)
    alarms = to.ask("Alarm", pb.AlarmRequest(), pb.AlarmResponse)
    to.lines.pop()
    to.note(f"alarms: {[int(alarm.alarm) for alarm in alarms.alarms]}")
    to.delete(b"a1", prev_kv=True)
    return to.lines


def _recorded(server: EtcdServer) -> list[str]:
    recorder = Recorder(server)
    try:
        return _look(recorder)
    finally:
        recorder.close()


def test_a_real_etcd_goes_on_with_users_roles_and_alarms_of_ours(tmp_path: Path) -> None:
    with OurEtcd(tmp_path / "ours") as ours:
        recorder = Recorder(ours)
        _make(recorder)
        recorder.close()
        snapshot = save(ours, tmp_path / "snapshot.db", "--user=root:root-secret")
        here = _recorded(ours)
    theirs = RealEtcd(tmp_path / "theirs", name="restored")
    etcdutl("snapshot", "restore", str(snapshot), *restore_flags(theirs)).checked()
    with theirs:
        assert _recorded(theirs) == here
