"""The Watch service: streams of watchers on the member's hub, and who drives that hub.

A revision is applied -> the hub puts responses into the outboxes of its streams -> each stream sends
what its call takes. A call that takes no more leaves its responses in the outbox; when that is full, its watchers
fall back to history, which `serve_catch_up` reads for them once the client reads again.

Invariants:
1. While no stream is open the member does not know of this service: watches cost a write nothing then.
2. At most WATCHERS_MAX watchers in all, and what waits for one client is bounded (mvcc.watch_stream, I2).
3. The client's closing of its side leaves the stream open: a gateway's client says all it has to say at once.
"""

import asyncio
from random import Random
from typing import Final, final

from etcdcore.api.convert_slow import INTERNAL, MessageInvalid, parse
from etcdcore.api.convert_watch import WatchEncoder
from etcdcore.api.gate import Gate, Identity
from etcdcore.api.header import Headers
from etcdcore.api.leader_watch import LeaderWatch
from etcdcore.api.refused_stream import REFUSED
from etcdcore.api.settings import OVERHEAD_BYTES, ApiSettings
from etcdcore.errors import CoreError, ServerStopped, TooManyRequests
from etcdcore.member.member import Member
from etcdcore.member.proposals import Proposal, RevisionListener
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import INVALID_WATCH_ID, WatchResponse
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod
from etcdcore.rpc.status import status_text
from etcdcore.types import KeyEvent

WATCH: Final = "/etcdserverpb.Watch/Watch"
WATCHERS_MAX: Final = 4 << 20
"""In all, at about 400 bytes each."""
RESPONSES_WAITING_MAX: Final = 65_536
"""Of one client that asks on without reading what it is told: it is sent away then."""
CATCH_UP_PAUSE_S: Final = 0.1
"""How often watchers that are behind are looked at, besides whenever one is created or its client reads again: when the
store had to be built anew, they all are."""
PROGRESS_STEPS: Final = 20
"""A stream's progress is at most this part of the interval late."""
PROGRESS_PAUSE_MAX_S: Final = 1.0

_NOPUT: Final = 0
_NODELETE: Final = 1


@final
class _Outlet(WatchOutlet):
    """The hub's way to a stream."""

    __slots__ = ("_session",)

    def __init__(self, session: "WatchSession") -> None:
        self._session: Final = session

    def responses_ready(self) -> None:
        self._session.responses_ready()


@final
class WatchSession(CallListener):
    """One client's stream."""

    __slots__ = ("_call", "_service", "next_progress_s", "stream")

    def __init__(self, service: "WatchService", call: Call, next_progress_s: float) -> None:
        self._service: Final = service
        self._call: Final = call
        self.next_progress_s = next_progress_s
        self.stream: Final = service.hub.open_stream(_Outlet(self))

    def message_received(self, message: bytes) -> None:
        if self.stream.waiting_count >= RESPONSES_WAITING_MAX:
            self.refuse(TooManyRequests())
            return
        try:
            request = parse(rpc_pb2.WatchRequest, message)
        except MessageInvalid as invalid:
            self.close()
            self._call.fail(INTERNAL, invalid.in_stream)
            return
        kind = request.WhichOneof("request_union")
        service = self._service
        if kind == "create_request":
            self._create(request.create_request)
        elif kind == "cancel_request":
            service.hub.cancel(self.stream, request.cancel_request.watch_id)
        elif kind == "progress_request":
            service.hub.request_progress(self.stream)
        service.flush()

    def _create(self, wanted: rpc_pb2.WatchCreateRequest) -> None:
        service = self._service
        key = wanted.key or b"\0"
        error: CoreError | None = None
        if service.watcher_count >= WATCHERS_MAX:
            error = TooManyRequests()
        else:
            identity = service.gate.identify(self._call)
            if isinstance(identity, Identity):
                error = service.gate.check_watch(identity, key, wanted.range_end)
            else:
                error = identity
        if error is not None:
            revision = service.member.revision()
            reason = status_text(error.grpc_code, error.text)
            refusal = WatchResponse(INVALID_WATCH_ID, revision, [], created=True, canceled=True, reason=reason)
            self.stream.send(refusal)
            return
        watcher = service.hub.create(
            self.stream,
            key,
            wanted.range_end,
            wanted.start_revision,
            wanted.watch_id,
            _NOPUT in wanted.filters,
            _NODELETE in wanted.filters,
            wanted.prev_kv,
            wanted.progress_notify,
            wanted.fragment,
        )
        if watcher is not None and not watcher.is_synced:
            service.wake()

    def responses_ready(self) -> None:
        """Something is in the outbox; it is sent by the next flush."""
        self._service.ready.append(self)

    def send_waiting(self) -> None:
        """What is in the outbox, as long as the call takes it."""
        call = self._call
        stream = self.stream
        encoder = self._service.encoder
        while call.is_writable and not call.is_done:
            response = stream.take_response()
            if response is None:
                return
            if response.can_fragment:
                for message in encoder.fragments(response):
                    call.send(message)
            else:
                call.send(encoder.encode(response))

    def input_ended(self) -> None:
        return  # I3

    def call_cancelled(self) -> None:
        self.close()

    def writable(self) -> None:
        service = self._service
        self.send_waiting()
        service.encoder.forget()
        if service.hub.unsynced_count:
            service.wake()

    def close(self) -> None:
        """Its watchers are forgotten; the call is ended by whoever calls this."""
        self._service.close(self)

    def refuse(self, error: CoreError) -> None:
        self.close()
        self._call.refuse(error)

    @property
    def call(self) -> Call:
        return self._call


@final
class WatchService(RevisionListener):
    """The hub's driver, shared by all streams."""

    __slots__ = (
        "_is_awake",
        "_is_subscribed",
        "_is_telling",
        "_progress_s",
        "_rng",
        "encoder",
        "gate",
        "hub",
        "leader_watch",
        "member",
        "ready",
        "sessions",
    )

    def __init__(
        self,
        member: Member,
        gate: Gate,
        headers: Headers,
        settings: ApiSettings,
        leader_watch: LeaderWatch,
        rng: Random,
    ) -> None:
        self.member: Final = member
        self.hub: Final = member.watch_hub
        self.gate: Final = gate
        self.leader_watch: Final = leader_watch
        self.encoder: Final = WatchEncoder(headers, settings.request_bytes_max + OVERHEAD_BYTES)
        self.sessions: Final[dict[WatchSession, None]] = {}
        self.ready: list[WatchSession] = []
        """Those whose outboxes are not empty any more since the last flush."""
        self._progress_s: Final = settings.progress_interval_s
        self._rng: Final = rng
        self._is_awake: Final = asyncio.Event()
        self._is_subscribed = False
        self._is_telling = False

    @property
    def watcher_count(self) -> int:
        return self.hub.watcher_count

    def open(self, call: Call) -> WatchSession:
        now_s = asyncio.get_running_loop().time()
        session = WatchSession(self, call, now_s + self._next_interval_s())
        if not self._is_subscribed:
            self._is_subscribed = True
            self.member.subscribe(self)  # I1
            self.wake()
        self.sessions[session] = None
        self.leader_watch.add(call)
        return session

    def close(self, session: WatchSession) -> None:
        if session not in self.sessions:
            return
        del self.sessions[session]
        self.hub.close_stream(session.stream)
        self.leader_watch.forget(session.call)
        if not self._is_telling:
            self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        if not self.sessions and self._is_subscribed:
            self._is_subscribed = False
            self.member.unsubscribe(self)

    def flush(self) -> None:
        """Sends what became ready, and forgets what was encoded for it."""
        if not self.ready:
            return
        ready, self.ready = self.ready, []
        for session in ready:
            session.send_waiting()
        self.encoder.forget()

    def wake(self) -> None:
        """Somebody is behind, and can be served."""
        self._is_awake.set()

    def _next_interval_s(self) -> float:
        """So that not all streams are told at once."""
        return self._progress_s * (1 + self._rng.random() / 10)

    # What the member tells.

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        """Sent at once: who watches hears of a change before who made it hears that it is done."""
        self.hub.notify(revision, events)
        if self.ready:
            self._is_telling = True  # nobody leaves the listeners while they are gone through
            self.flush()
            self._is_telling = False

    def batch_applied(self) -> None:
        self._leave_if_idle()

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        return []

    def write_state_changed(self, error: CoreError | None) -> None:
        return

    def member_failed(self, error: BaseException) -> None:
        self.end_all()

    def end_all(self) -> None:
        """The server stops: clients go elsewhere."""
        for session in list(self.sessions):
            session.refuse(ServerStopped())

    # What is done by time.

    async def serve_catch_up(self) -> None:
        """Long-lived: reads history for those that are behind, a piece in each turn of the loop."""
        while True:
            self._is_awake.clear()
            try:
                async with asyncio.timeout(CATCH_UP_PAUSE_S if self.sessions else None):
                    await self._is_awake.wait()
            except TimeoutError:
                pass
            while self.hub.unsynced_count and self.hub.catch_up():
                self.flush()
                await asyncio.sleep(0)
            self.flush()

    async def serve_progress(self) -> None:
        """Long-lived: tells the quiet watchers that asked for it how far the store is."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(self._progress_s / PROGRESS_STEPS, PROGRESS_PAUSE_MAX_S))
            now_s = loop.time()
            for session in self.sessions:
                if now_s >= session.next_progress_s:
                    session.next_progress_s = now_s + self._next_interval_s()
                    self.hub.notify_progress(session.stream)
            self.flush()


@final
class WatchMethod(StreamMethod):
    __slots__ = ("_service",)

    def __init__(self, service: WatchService) -> None:
        super().__init__(WATCH)
        self._service: Final = service

    def open(self, call: Call) -> CallListener:
        error = self._service.gate.check_call(call)
        if error is not None:
            call.refuse(error)
            return REFUSED
        return self._service.open(call)


def add_watch(table: MethodTable, service: WatchService) -> None:
    table.add(WatchMethod(service))
