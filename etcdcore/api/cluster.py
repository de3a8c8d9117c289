"""The Cluster service: adding, removing, updating, promoting and listing members. Its headers have no revision.

Source: etcd server/etcdserver/api/v3rpc/member.go, reference section 2.9.
"""

import time
from collections.abc import Sequence
from typing import Final, final

from etcdcore.api.admin_calls import AdminCalls
from etcdcore.api.convert_slow import parse
from etcdcore.api.tasks import UnaryHandler
from etcdcore.apply.members import ClusterMember
from etcdcore.config import ConfigError, parse_url
from etcdcore.errors import InvalidMemberUrls
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call

PREFIX: Final = "/etcdserverpb.Cluster/"
PEER_URLS_MAX: Final = 64
"""Of one member: each is compared with those of all the others."""


@final
class ClusterService:
    """`methods` are its handlers by path."""

    def __init__(self, calls: AdminCalls) -> None:
        self._calls: Final = calls

    def methods(self) -> Sequence[tuple[str, UnaryHandler]]:
        return [
            (PREFIX + "MemberAdd", self.add),
            (PREFIX + "MemberRemove", self.remove),
            (PREFIX + "MemberUpdate", self.update),
            (PREFIX + "MemberList", self.list),
            (PREFIX + "MemberPromote", self.promote),
        ]

    async def add(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.MemberAddRequest, request)
        identity = self._calls.identify(call)
        urls = _checked_urls(wanted.peerURLs)
        self._check_admin(identity.user)
        added = await self._calls.admin.add_member(urls, wanted.isLearner, int(time.time()))
        response = rpc_pb2.MemberAddResponse(member=_shown(added), members=self._members())
        return self._calls.answer(response, 0)

    async def remove(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.MemberRemoveRequest, request)
        self._calls.require_admin(call)
        await self._calls.admin.remove_member(wanted.ID)
        return self._calls.answer(rpc_pb2.MemberRemoveResponse(members=self._members()), 0)

    async def update(self, request: bytes, call: Call) -> bytes:
        """As etcd, without looking at what the URLs are."""
        wanted = parse(rpc_pb2.MemberUpdateRequest, request)
        self._calls.require_admin(call)
        if len(wanted.peerURLs) > PEER_URLS_MAX:
            raise InvalidMemberUrls
        await self._calls.admin.update_member(wanted.ID, list(wanted.peerURLs))
        return self._calls.answer(rpc_pb2.MemberUpdateResponse(members=self._members()), 0)

    async def promote(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.MemberPromoteRequest, request)
        self._calls.require_admin(call)
        await self._calls.admin.promote_member(wanted.ID)
        return self._calls.answer(rpc_pb2.MemberPromoteResponse(members=self._members()), 0)

    async def list(self, request: bytes, call: Call) -> bytes:
        wanted = parse(rpc_pb2.MemberListRequest, request)
        self._calls.require_user(call)
        if wanted.linearizable:
            await self._calls.admin.read_index()
        return self._calls.answer(rpc_pb2.MemberListResponse(members=self._members()), 0)

    def _check_admin(self, user_name: str) -> None:
        error = self._calls.member.admin_state.auth.check_admin(user_name)
        if error is not None:
            raise error

    def _members(self) -> "Sequence[rpc_pb2.Member]":
        return [_shown(member) for member in self._calls.admin.members()]


def _shown(member: ClusterMember) -> rpc_pb2.Member:
    return rpc_pb2.Member(
        ID=member.member_id,
        name=member.name,
        peerURLs=member.peer_urls,
        clientURLs=member.client_urls,
        isLearner=member.is_learner,
    )


def _checked_urls(urls: Sequence[str]) -> Sequence[str]:
    """Sorted, as etcd keeps them. Refuses InvalidMemberUrls."""
    if not urls or len(urls) > PEER_URLS_MAX:
        raise InvalidMemberUrls
    stripped = [url.strip() for url in urls]
    for url in stripped:
        try:
            parsed = parse_url(url)
        except ConfigError as error:
            raise InvalidMemberUrls from error
        if not parsed.is_unix and url.rstrip().endswith("/"):
            raise InvalidMemberUrls  # a path, if only the shortest
    return sorted(stripped)
