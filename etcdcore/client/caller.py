"""One call and what is done about its failure: tried again where clientv3 does, with a new token where it gets one.

Reads are tried again while no server is available, writes only if no server can have seen them. Streams are opened by
their owners, who know where to go on. Source: etcd client/v3/retry.go, retry_interceptor.go.
"""

import asyncio
from typing import Final, TypeVar, final

from google.protobuf.message import Message

from etcdcore.errors import (
    DEADLINE_EXCEEDED,
    UNAVAILABLE,
    AuthNotEnabled,
    AuthRevisionOld,
    InvalidAuthToken,
    UserNameEmpty,
)
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.channel import Channel, Stream
from etcdcore.rpc.status import EtcdError

ATTEMPTS_MAX: Final = 100
RETRY_PAUSE_S: Final = 0.025
_AUTHENTICATE: Final = "/etcdserverpb.Auth/Authenticate"
_TOKEN_ERRORS: Final = (InvalidAuthToken, UserNameEmpty, AuthRevisionOld)

Response = TypeVar("Response", bound=Message)


@final
class Caller:
    """A channel with a user, if there is one."""

    def __init__(self, channel: Channel, user: str = "", password: str = "", timeout_s: float | None = None) -> None:
        self._channel: Final = channel
        self._user: Final = user
        self._password: Final = password
        self._timeout_s: Final = timeout_s
        self._token = ""

    async def read(self, path: str, request: Message, kind: type[Response], timeout_s: float | None = None) -> Response:
        """A call that may be repeated, since it changes nothing."""
        return await self._call(path, request, kind, timeout_s, True)

    async def write(
        self, path: str, request: Message, kind: type[Response], timeout_s: float | None = None
    ) -> Response:
        """A call that is made once: repeated only if it cannot have reached a server."""
        return await self._call(path, request, kind, timeout_s, False)

    async def open_stream(self, path: str, needs_leader: bool = False) -> Stream:
        """A new stream under the user's token."""
        if self._user and not self._token:
            await self._get_first_token()
        metadata = self._metadata()
        if needs_leader:
            metadata["hasleader"] = "true"
        return self._channel.stream(path, metadata)

    def try_another(self) -> None:
        self._channel.try_another()

    async def renew_token_for(self, error: EtcdError) -> bool:
        """Whether the error was about the token, and there is a new one now."""
        if not self._user or not any(error.is_(kind) for kind in _TOKEN_ERRORS):
            return False
        await self.renew_token()
        return True

    async def renew_token(self) -> None:
        request = rpc_pb2.AuthenticateRequest(name=self._user, password=self._password)
        answer = await self._channel.unary(_AUTHENTICATE, request.SerializeToString(), {}, self._timeout_s)
        self._token = rpc_pb2.AuthenticateResponse.FromString(answer).token

    async def close(self) -> None:
        await self._channel.close()

    def _metadata(self) -> dict[str, str]:
        return {"token": self._token} if self._token else {}

    async def _call(
        self, path: str, request: Message, kind: type[Response], timeout_s: float | None, is_repeatable: bool
    ) -> Response:
        encoded = request.SerializeToString()
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return kind.FromString(await self._repeat(path, encoded, limit_s, is_repeatable))
        except TimeoutError as error:
            raise EtcdError(DEADLINE_EXCEEDED, "context deadline exceeded") from error

    async def _repeat(self, path: str, request: bytes, timeout_s: float | None, is_repeatable: bool) -> bytes:
        has_new_token = False
        if self._user and not self._token:
            await self._get_first_token()
        for attempt in range(ATTEMPTS_MAX):
            try:
                return await self._channel.unary(path, request, self._metadata(), timeout_s)
            except EtcdError as error:
                if not has_new_token and await self.renew_token_for(error):
                    has_new_token = True
                    continue
                may_repeat = error.code == UNAVAILABLE and (is_repeatable or not error.was_sent)
                if not may_repeat or attempt + 1 == ATTEMPTS_MAX:
                    raise
            self._channel.try_another()
            await asyncio.sleep(RETRY_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    async def _get_first_token(self) -> None:
        """A user may be given although authentication is off."""
        try:
            await self.renew_token()
        except EtcdError as error:
            if not error.is_(AuthNotEnabled):
                raise
