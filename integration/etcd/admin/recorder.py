"""A client that writes down every answer in a form that is the same on every server."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from etcdcore.pb import auth_pb2 as auth
from etcdcore.pb import rpc_pb2 as pb
from integration.peers.etcd import Certificates, EtcdServer, OurEtcd, RealEtcd

AnswerMessage = TypeVar("AnswerMessage", bound=Message)
CALL_TIMEOUT_S = 15
SERVICES = {
    "KV": ("Range", "Put", "DeleteRange", "Txn", "Compact"),
    "Lease": ("LeaseGrant", "LeaseRevoke", "LeaseTimeToLive", "LeaseLeases"),
    "Cluster": ("MemberAdd", "MemberRemove", "MemberUpdate", "MemberList", "MemberPromote"),
    "Maintenance": ("Alarm", "Status", "Defragment", "Hash", "HashKV", "MoveLeader", "Downgrade"),
    "Auth": (
        "AuthEnable",
        "AuthDisable",
        "AuthStatus",
        "Authenticate",
        "UserAdd",
        "UserGet",
        "UserList",
        "UserDelete",
        "UserChangePassword",
        "UserGrantRole",
        "UserRevokeRole",
        "RoleAdd",
        "RoleGet",
        "RoleList",
        "RoleDelete",
        "RoleGrantPermission",
        "RoleRevokePermission",
    ),
}
PATHS = {method: f"/etcdserverpb.{service}/{method}" for service, methods in SERVICES.items() for method in methods}
_ID = re.compile(r"\b((?:cluster_id|member_id|memberID|targetID|ID|leader|TTL)): (\d+)")
_MASKED = re.compile(r"\b(raft_term|raftTerm|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse): \d+")
_TIME_LEFT = re.compile(r"\bTTL: 9\d\d\b")
_TOKEN = re.compile(r'token: "[^"]+"')
_URL = re.compile(r"127\.0\.0\.1:\d+")
_ALARM = re.compile(r"memberID:\d+")


class Recorder:
    """`lines` is what was asked and answered. Ids are replaced by what they are: m1 is the first member seen."""

    def __init__(self, server: EtcdServer) -> None:
        self.server = server
        self.channel = server.channel()
        self.lines: list[str] = []
        self.token = ""
        self.masks_hash = False
        self.masks_revision = False
        self._ids: dict[str, str] = {}

    def ask(
        self, method: str, request: Message, kind: type[AnswerMessage], *metadata: tuple[str, str]
    ) -> AnswerMessage:
        """The answer, or an empty message after a refusal; both are written down."""
        given = [*metadata, *([("token", self.token)] if self.token else [])]
        call = self.channel.unary_unary(
            PATHS[method],
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=kind.FromString,
        )
        asked = self._masked(f"{method}({_line(request)})")
        try:
            answer: AnswerMessage = call(request, metadata=given, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as error:
            self.lines.append(f"{asked} -> {error.code().name} {self._masked(error.details())}")
            return kind()
        shown = kind.FromString(answer.SerializeToString())
        if (members := getattr(shown, "members", None)) is not None:
            # They come in the order of their ids, and those are random.
            members.sort(key=lambda member: (member.isLearner, list(member.peerURLs)))
        self.lines.append(f"{asked} -> {self._masked(_line(shown))}")
        return answer

    def login(self, name: str, password: str) -> None:
        """From now on calls are made in this user's name; without a token if that fails."""
        self.token = ""
        self.token = self.ask(
            "Authenticate", pb.AuthenticateRequest(name=name, password=password), pb.AuthenticateResponse
        ).token

    def note(self, text: str) -> None:
        self.lines.append(f"# {text}")

    def _masked(self, text: str) -> str:
        text = _ID.sub(self._name_id, text)
        text = _MASKED.sub(r"\1: *", text)
        text = _TOKEN.sub("token: *", text)
        text = _ALARM.sub("memberID:*", text)
        text = _TIME_LEFT.sub("TTL: 9**", text)
        if self.masks_revision:
            text = re.sub(r"\brevision: \d+", "revision: *", text)
        if self.masks_hash:
            text = re.sub(r"\bhash: \d+", "hash: *", text)
        return _URL.sub("address", text)

    def _name_id(self, found: re.Match[str]) -> str:
        field, number = found[1], found[2]
        if field == "TTL" or len(number) < 8:
            return found[0]
        return f"{field}: {self._ids.setdefault(number, f'#{len(self._ids)}')}"

    def restart(self, is_kill: bool) -> None:
        """The server, by SIGKILL or SIGTERM; the token is kept, whatever it is worth then."""
        self.channel.close()
        if is_kill:
            self.server.kill()
            self.server.start()
        else:
            self.server.restart()
        self.channel = self.server.channel()

    def close(self) -> None:
        self.channel.close()

    # What scripts say often.

    def put(self, key: bytes, value: bytes = b"v", **fields: int) -> pb.PutResponse:
        return self.ask("Put", pb.PutRequest(key=key, value=value, **fields), pb.PutResponse)  # type: ignore[arg-type]  # bools among the ints

    def get(self, key: bytes, range_end: bytes = b"", **fields: int) -> pb.RangeResponse:
        return self.ask("Range", pb.RangeRequest(key=key, range_end=range_end, **fields), pb.RangeResponse)  # type: ignore[arg-type]  # bools among the ints

    def delete(self, key: bytes, range_end: bytes = b"", **fields: int) -> pb.DeleteRangeResponse:
        request = pb.DeleteRangeRequest(key=key, range_end=range_end, **fields)  # type: ignore[arg-type]  # bools among the ints
        return self.ask("DeleteRange", request, pb.DeleteRangeResponse)

    def user(self, name: str, password: str, *roles: str) -> None:
        self.ask("UserAdd", pb.AuthUserAddRequest(name=name, password=password), pb.AuthUserAddResponse)
        for role in roles:
            self.ask("UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=role), pb.AuthUserGrantRoleResponse)

    def role(self, name: str, *permissions: tuple[int, bytes, bytes]) -> None:
        self.ask("RoleAdd", pb.AuthRoleAddRequest(name=name), pb.AuthRoleAddResponse)
        for kind, key, range_end in permissions:
            self.permit(name, kind, key, range_end)

    def permit(self, role: str, kind: int, key: bytes, range_end: bytes = b"") -> None:
        permission = auth.Permission(permType=kind, key=key, range_end=range_end)  # type: ignore[arg-type]  # an enum is an int
        request = pb.AuthRoleGrantPermissionRequest(name=role, perm=permission)
        self.ask("RoleGrantPermission", request, pb.AuthRoleGrantPermissionResponse)

    def enable_auth(self) -> None:
        """With a root user, whose name the calls after this are made in."""
        self.user("root", "root-secret", "root")
        self.ask("AuthEnable", pb.AuthEnableRequest(), pb.AuthEnableResponse)
        self.login("root", "root-secret")


def _line(message: Message) -> str:
    return " ".join(str(message).split())


Script = Callable[[Recorder], None]


def run_on_both(
    script: Script, flags: Sequence[str] = (), certificates: Certificates | None = None
) -> tuple[list[str], list[str]]:
    """What our server and the real etcd answered."""
    answers: list[list[str]] = []
    for kind in (OurEtcd, RealEtcd):
        with tempfile.TemporaryDirectory() as folder, kind(Path(folder), flags, certificates=certificates) as server:
            recorder = Recorder(server)
            try:
                script(recorder)
            finally:
                recorder.close()
            answers.append(recorder.lines)
    return answers[0], answers[1]
