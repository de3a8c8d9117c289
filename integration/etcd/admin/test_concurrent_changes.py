"""Rights taken away while others write (V3AuthOldRevConcurrent; 8.3 no. 23): never wrong data, only refusals."""

from __future__ import annotations

import threading
import time

import grpc

from etcdcore.pb import auth_pb2 as auth
from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.admin.recorder import PATHS, Recorder
from integration.peers.etcd import EtcdServer

WRITERS = 6
ROUNDS = 15
READ_WRITE = 2
MAY_BE_TOLD = {"etcdserver: permission denied", "etcdserver: revision of auth store is old"}


class Writer(threading.Thread):
    """Puts without a pause, and notes when those that were taken began and ended."""

    def __init__(self, server: EtcdServer, token: str, number: int) -> None:
        super().__init__(name=f"writer {number}", daemon=True)
        self.taken: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self.stop = threading.Event()
        self._key = b"a%d" % number
        self._channel = server.channel()
        self._put = self._channel.unary_unary(PATHS["Put"])
        self._metadata = (("token", token),)

    def run(self) -> None:
        request = pb.PutRequest(key=self._key).SerializeToString()
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                self._put(request, metadata=self._metadata, timeout=10)
                self.taken.append((begun, time.monotonic()))
            except grpc.RpcError as error:
                self.errors.append(error.details())
        self._channel.close()


def test_no_write_is_taken_that_was_begun_after_the_right_to_it_was_gone(etcd: EtcdServer) -> None:
    to = Recorder(etcd)
    to.role("r", (READ_WRITE, b"a", b"b"))
    to.user("u", "secret", "r")
    to.enable_auth()
    root = to.token
    to.login("u", "secret")
    writers = [Writer(etcd, to.token, number) for number in range(WRITERS)]
    to.token = root
    for writer in writers:
        writer.start()
    forbidden: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        time.sleep(0.05)
        revoke = pb.AuthRoleRevokePermissionRequest(role="r", key=b"a", range_end=b"b")
        to.ask("RoleRevokePermission", revoke, pb.AuthRoleRevokePermissionResponse)
        gone = time.monotonic()
        time.sleep(0.05)
        begun = time.monotonic()
        to.permit("r", READ_WRITE, b"a", b"b")
        forbidden.append((gone, begun))
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join(20)
    assert all(" -> header" in line for line in to.lines[-2 * ROUNDS :]), to.lines[-2 * ROUNDS :]
    to.close()
    taken = [put for writer in writers for put in writer.taken]
    assert len(taken) > ROUNDS
    wrong = [put for put in taken if any(gone < put[0] and put[1] < until for gone, until in forbidden)]
    assert wrong == []
    assert {error for writer in writers for error in writer.errors} <= MAY_BE_TOLD
    assert any(writer.errors for writer in writers)


def test_a_permission_type_of_no_kind_gives_no_right(etcd: EtcdServer) -> None:
    """A number that no version of etcd knows is stored, and allows nothing."""
    to = Recorder(etcd)
    to.role("r")
    permission = auth.Permission(key=b"a")
    permission.permType = 7  # type: ignore[assignment]  # of no kind
    grant = pb.AuthRoleGrantPermissionRequest(name="r", perm=permission)
    to.ask("RoleGrantPermission", grant, pb.AuthRoleGrantPermissionResponse)
    assert " -> header" in to.lines[-1]
    to.user("u", "secret", "r")
    to.enable_auth()
    to.login("u", "secret")
    to.get(b"a")
    to.put(b"a")
    assert [line.split(" -> ")[1] for line in to.lines[-2:]] == ["PERMISSION_DENIED etcdserver: permission denied"] * 2
    to.close()
