"""One watch stream of a script: what it was sent, what each of its watchers got, and etcd's promises on the way.

How events are spread over responses is the server's choice, so what is compared is the sequence for each watcher. The
promises that need no other server to judge are checked here, and a broken one becomes part of what is compared:
created comes first, events are in order and of whole revisions, the header is not behind the events, and progress
never overtakes an event.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import grpc

from etcdcore.pb import rpc_pb2 as rpc

WATCH = "/etcdserverpb.Watch/Watch"
ANSWER_TIMEOUT_S = 20.0
PROGRESS_RETRY_S = 0.1
NO_WATCHER = -1
SENTINEL_KEY = b"~sentinel"
"""A key whose only use is that its event comes after those before it; how many of its events come before a watcher's
others of the same time is no part of the comparison."""


class WatchLog:
    """What the watchers of one stream were told since it was last taken."""

    def __init__(self) -> None:
        self.entries: dict[int, list[str]] = {}
        self.live: set[int] = set()
        self.overtaken: set[int] = set()
        self.created_count = 0
        self.refused_count = 0
        self.progress_revision = 0
        self._last_revision: dict[int, int] = {}
        self._last_was_fragment: dict[int, bool] = {}
        self._promised: dict[int, int] = {}

    def take(self) -> str:
        """Everything since the last call, by watcher."""
        lines = [
            f"watcher {watch_id}: {entry}" for watch_id in sorted(self.entries) for entry in self.entries[watch_id]
        ]
        self.entries = {}
        return "\n".join(lines)

    def revision_seen(self, watch_id: int) -> int:
        """Of the last event that a watcher got; 0 if there was none."""
        return self._last_revision.get(watch_id, 0)

    def add(self, response: rpc.WatchResponse) -> None:
        """One response."""
        watch_id, revision = response.watch_id, response.header.revision
        if response.created:
            self._add_created(response)
        elif response.canceled:
            if watch_id not in self.live:
                # The confirmation for one that a compaction had ended, see `bury`.
                return
            self.live.discard(watch_id)
            if response.compact_revision:
                self.overtaken.add(watch_id)
            said = f"compacted at {response.compact_revision}, reason {response.cancel_reason!r}, header {revision}"
            self._note(watch_id, f"canceled, {said}")
        elif response.events:
            self._add_events(response)
        elif watch_id == NO_WATCHER:
            self.progress_revision = max(self.progress_revision, revision)
            for watcher in self.live:
                self._promised[watcher] = max(self._promised[watcher], revision)
        else:
            self._note(watch_id, f"neither events nor anything else: {response}")

    def _note(self, watch_id: int, text: str) -> None:
        self.entries.setdefault(watch_id, []).append(text)

    def _add_created(self, response: rpc.WatchResponse) -> None:
        watch_id = response.watch_id
        self.created_count += 1
        # A refused watcher answers with both in one, and with no id of its own.
        more = f", canceled, reason {response.cancel_reason!r}" if response.canceled else ""
        more += f", compacted at {response.compact_revision}" if response.compact_revision else ""
        more += f", with {len(response.events)} events" if response.events else ""
        self._note(watch_id, f"created, header {response.header.revision}{more}")
        self.refused_count += response.canceled
        if not response.canceled:
            # What was told before says nothing of this one.
            self.progress_revision = 0
            self.live.add(watch_id)
            self._last_revision[watch_id] = 0
            self._last_was_fragment[watch_id] = False
            self._promised[watch_id] = 0

    def _add_events(self, response: rpc.WatchResponse) -> None:
        watch_id = response.watch_id
        if watch_id not in self.live:
            self._note(watch_id, "events of a watcher that is not there")
            return
        last = self._last_revision[watch_id]
        first = response.events[0].kv.mod_revision
        if first < last or (first == last and not self._last_was_fragment[watch_id]):
            self._note(watch_id, f"revision {first} after {last}, which no fragment had announced")
        for event in response.events:
            if event.kv.mod_revision < last:
                self._note(watch_id, f"revision {event.kv.mod_revision} after {last}")
            last = event.kv.mod_revision
            if last <= self._promised[watch_id]:
                self._note(watch_id, f"revision {last} after progress {self._promised[watch_id]}")
            if event.kv.key != SENTINEL_KEY:
                self._note(watch_id, _describe_event(event))
        if response.header.revision < last:
            self._note(watch_id, f"header {response.header.revision} behind revision {last}")
        self._last_revision[watch_id] = last
        self._last_was_fragment[watch_id] = response.fragment


def _describe_event(event: Any) -> str:
    kinds = ("put", "delete")
    pairs = [_describe_pair(pair) for pair in (event.kv, event.prev_kv if event.HasField("prev_kv") else None)]
    return f"{kinds[event.type]} {pairs[0]} before {pairs[1]}"


def _describe_pair(pair: Any) -> str:
    if pair is None:
        return "nothing"
    revisions = f"{pair.create_revision}/{pair.mod_revision}/{pair.version}"
    value = pair.value if len(pair.value) < 100 else b"%d bytes, %d" % (len(pair.value), hash(pair.value))
    return f"{pair.key!r} {revisions} {value!r} lease {pair.lease}"


class WatchStream:
    """One open stream of a server."""

    def __init__(self, channel: Any, group: asyncio.TaskGroup) -> None:
        # grpcio has no types.
        self.log = WatchLog()
        self._call = channel.stream_stream(WATCH)()
        self._changed = asyncio.Event()
        self.ended = ""
        self._reader = group.create_task(self._read(), name="watch stream")

    async def _read(self) -> None:
        try:
            async for message in self._call:
                self.log.add(rpc.WatchResponse.FromString(message))
                self._changed.set()
            self.ended = "ended without an error"
        except grpc.aio.AioRpcError as error:
            self.ended = f"ended with {error.code().name} {error.details()!r}"
        except asyncio.CancelledError:
            self.ended = "closed by its client"
        finally:
            self.ended = self.ended or "failed"
            self._changed.set()

    async def wait(self, condition: Callable[[], bool], timeout_s: float = ANSWER_TIMEOUT_S) -> bool:
        """Whether the condition came true in time, and before the stream ended."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    if self.ended:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, request: rpc.WatchRequest) -> None:
        """One request. On a stream that the server has ended it is lost, and `ended` tells."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._call.write(request.SerializeToString())

    async def create(self, request: rpc.WatchCreateRequest) -> bool:
        """One more watcher; whether it was answered."""
        before = self.log.created_count
        await self.send(rpc.WatchRequest(create_request=request))
        return await self.wait(lambda: self.log.created_count > before)

    async def bury(self) -> bool:
        """Wait until the watcher made last is canceled, because it began before what is compacted; whether it was.

        etcd keeps an entry of such a watcher: its id stays taken, and no progress is told any more. So its end is asked
        for once more, which etcd confirms and etcdcore, where it is gone already, passes over.
        """
        canceled = await self.wait(lambda: bool(self.log.overtaken))
        for watch_id in self.log.overtaken:
            await self.send(rpc.WatchRequest(cancel_request=rpc.WatchCancelRequest(watch_id=watch_id)))
        self.log.overtaken.clear()
        return canceled

    async def cancel(self, watch_id: int) -> bool:
        """End a watcher; whether that was confirmed. One that is not there is passed over in silence."""
        live = watch_id in self.log.live
        await self.send(rpc.WatchRequest(cancel_request=rpc.WatchCancelRequest(watch_id=watch_id)))
        return not live or await self.wait(lambda: watch_id not in self.log.live)

    async def settle(self, revision: int) -> bool:
        """Whether the server told, in time, that every watcher has everything up to a revision.

        A server that isn't ready says nothing, so the request is repeated.
        """
        for _ in range(int(ANSWER_TIMEOUT_S / PROGRESS_RETRY_S)):
            if not self.log.live:
                return True
            await self.send(rpc.WatchRequest(progress_request=rpc.WatchProgressRequest()))
            if await self.wait(lambda: self.log.progress_revision >= revision or not self.log.live, PROGRESS_RETRY_S):
                return True
            if self.ended:
                break
        return False

    async def close(self) -> None:
        """Cancel the call."""
        self._call.cancel()
        await self._reader
