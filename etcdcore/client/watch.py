"""A watch as an async iterator, which goes on behind a broken connection where it was.

Invariants:
1. Each event comes once, in order of revisions, and none is left out: after a break it goes on at the revision behind
   the last one it saw, or raises WatchCompacted.
2. The pieces of a fragmented response come as one.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, final

from etcdcore.client.caller import Caller
from etcdcore.client.errors import WatchCompacted
from etcdcore.errors import INTERNAL, UNAVAILABLE
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.channel import Stream
from etcdcore.rpc.status import EtcdError

RESUME_PAUSE_S: Final = 0.05
_PATH: Final = "/etcdserverpb.Watch/Watch"
_CANCELED: Final = 1


@final
class Watch:
    """Yields `WatchResponse`s: `events`, or none in a notification of progress up to `header.revision`."""

    def __init__(self, caller: Caller, request: rpc_pb2.WatchCreateRequest, needs_leader: bool) -> None:
        self._caller: Final = caller
        self._request: Final = request
        self._needs_leader: Final = needs_leader
        self._stream: Stream | None = None
        self._next_revision = request.start_revision
        self._is_closed = False

    async def __aenter__(self) -> Watch:
        await self._connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> rpc_pb2.WatchResponse:
        """Raises EtcdError when the server has refused to go on, WatchCompacted when the history is gone."""
        while not self._is_closed:
            stream = await self._connected()
            try:
                response = await self._receive(stream)
            except EtcdError as error:
                # Closed by another task, which is why the stream ended.
                if self._stream is None:
                    continue
                await self._broken(error)
                continue
            if response.canceled:
                self.close()
                raise _cancel_error(response)
            if response.events:
                self._next_revision = response.events[-1].kv.mod_revision + 1
            elif response.header.revision >= self._next_revision:
                self._next_revision = response.header.revision + 1
            return response
        raise StopAsyncIteration

    async def request_progress(self) -> None:
        """Asks for a response without events that says how far everything has been seen; none comes while behind."""
        stream = await self._connected()
        await stream.send(rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest()).SerializeToString())

    def close(self) -> None:
        """Ends the iteration. May be called again."""
        self._is_closed = True
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    async def _connected(self) -> Stream:
        """A stream with the watch created on it."""
        while self._stream is None:
            if self._is_closed:
                raise EtcdError(_CANCELED, "the watch is closed")
            try:
                self._stream = await self._create()
            except EtcdError as error:
                await self._broken(error)
        return self._stream

    async def _create(self) -> Stream:
        stream = await self._caller.open_stream(_PATH, self._needs_leader)
        is_created = False
        try:
            await self._create_on(stream)
            is_created = True
        finally:
            if not is_created:
                stream.cancel()
        return stream

    async def _create_on(self, stream: Stream) -> None:
        request = rpc_pb2.WatchCreateRequest()
        request.CopyFrom(self._request)
        request.start_revision = self._next_revision
        await stream.send(rpc_pb2.WatchRequest(create_request=request).SerializeToString())
        created = _decode(await stream.receive())
        if created.canceled:
            error = _cancel_error(created)
            if await self._caller.renew_token_for(error):
                raise EtcdError(UNAVAILABLE, "once more, with the new token")
            raise error
        if not self._next_revision:
            self._next_revision = created.header.revision + 1

    async def _receive(self, stream: Stream) -> rpc_pb2.WatchResponse:
        response = _decode(await stream.receive())
        while response.fragment:
            piece = _decode(await stream.receive())
            response.events.extend(piece.events)
            response.header.CopyFrom(piece.header)
            response.fragment = piece.fragment
        return response

    async def _broken(self, error: EtcdError) -> None:
        """Whether it is worth another try, elsewhere if there is another server. Raises the error if not."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if await self._caller.renew_token_for(error):
            return
        if error.code not in (UNAVAILABLE, INTERNAL):
            raise error
        self._caller.try_another()
        await asyncio.sleep(RESUME_PAUSE_S)


def _decode(message: bytes | None) -> rpc_pb2.WatchResponse:
    if message is None:
        raise EtcdError(UNAVAILABLE, "the server has ended the watch's stream")
    return rpc_pb2.WatchResponse.FromString(message)


def _cancel_error(response: rpc_pb2.WatchResponse) -> EtcdError:
    if response.compact_revision:
        return WatchCompacted(response.compact_revision)
    reason = response.cancel_reason
    if " desc = " in reason:
        # A gRPC error as Go prints it; its text is what the error is known by.
        reason = reason.partition(" desc = ")[2]
    return EtcdError(_CANCELED, reason or "the watch was canceled by the server")
