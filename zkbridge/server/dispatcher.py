"""Requests of connections with a session: to the replica or to the planner, and their answers back in order.

A read with nothing before it is answered in the call that brought it. A write is planned, submitted, and answered when
its revision is applied. What can't be answered yet stands in the connection's pipeline; see `pipeline` for when each
kind of entry leaves it.

Invariants:
1. A connection's answers leave in the order of its requests, but for auth, which is answered at once as in ZooKeeper.
2. An error about a view with plans in flight is answered only when those are decided (design section 4).
3. A request runs with the ids that its connection had when the request came.
4. No answer is made for a peer that has stopped taking them, nor a second step's worth before the other clients have
   had their turn: the requests stand in the pipeline.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

import structlog

from zkbridge.backend.interface import Backend, BarrierToken
from zkbridge.commit.ordered import OrderedCommitter, PlanAudience
from zkbridge.errors import (
    AUTH_FAILED,
    MARSHALLING_ERROR,
    SESSION_CLOSED_REQUIRE_AUTH,
    SYSTEM_ERROR,
    UNIMPLEMENTED,
    ProtocolError,
)
from zkbridge.jute.records import AuthPacket, GetSASLRequest, SetSASLResponse, SyncRequest
from zkbridge.jute.wire import LAYOUT_ERROR, JuteError, read_int
from zkbridge.plan.plan import STALL, FailedMulti, Plan, encode_answer
from zkbridge.protocol import opcodes
from zkbridge.protocol.replies import (
    PACK_REPLY_HEADER,
    REPLY_HEADER_BYTES,
    RefusedAnswer,
    encode_error,
    encode_refused_answer,
    encode_reply,
)
from zkbridge.server.client import OUTPUT_STEP_BYTES, Client
from zkbridge.server.clock import monotonic_ms
from zkbridge.server.pipeline import BARRIER, IN_FLIGHT, READ, REFUSED, UNPLANNED, Pending
from zkbridge.server.read_requests import ReadRequests
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.statistics import ServerStatistics
from zkbridge.server.write_requests import WriteRequests
from zkbridge.sessions.credentials import AuthRules, authenticate, is_let_in, is_of_other_ensemble
from zkbridge.tree.replica import Replica

_log = structlog.get_logger()

READS_UNTIMED_MAX: Final = 16
BYTES_UNTIMED_MAX: Final = 32 * 1024
"""Reads that come together, up to so many and so much, take less than a millisecond."""

_BODY: Final = 8
_UNKNOWN_OPCODE_ZXID: Final = -1
_OUT_OF_ORDER_ZXID: Final = 0


def _is_long_read(opcode: int) -> bool:
    """Whether the work does not show in the length of the answer."""
    return (
        opcode == opcodes.GET_ALL_CHILDREN_NUMBER
        or opcode == opcodes.GET_EPHEMERALS
        or opcode == opcodes.MULTI_READ
        or opcode == opcodes.SET_WATCHES
        or opcode == opcodes.SET_WATCHES2
    )


@final
class _Barrier(BarrierToken):
    """A sync on its way."""

    __slots__ = ("_client", "_dispatcher", "_pending")

    def __init__(self, dispatcher: Dispatcher, client: Client, pending: Pending) -> None:
        self._dispatcher: Final = dispatcher
        self._client: Final = client
        self._pending: Final = pending

    def barrier_reached(self, revision: int) -> None:
        self._pending.is_ready = True
        self._dispatcher.drain(self._client)
        self._client.flush()
        self._client.resume_if_drained()

    def barrier_dropped(self, reason: str) -> None:
        _log.info("sync_dropped", peer=self._client.peer, reason=reason)
        self._client.abort()


@final
class Dispatcher(PlanAudience):
    """Owner of every connection's pipeline."""

    def __init__(
        self,
        backend: Backend,
        replica: Replica,
        reads: ReadRequests,
        writes: WriteRequests,
        committer: OrderedCommitter,
        keeper: SessionKeeper,
        auth_rules: AuthRules,
        statistics: ServerStatistics,
    ) -> None:
        self._backend: Final = backend
        self._replica: Final = replica
        self._readers: Final = reads.handlers
        self._writes: Final = writes
        self._committer: Final = committer
        self._keeper: Final = keeper
        self._auth_rules: Final = auth_rules
        self._is_enforcing: Final = bool(auth_rules.enforced_schemes)
        self._read_latency_ms: Final = statistics.read_latency_ms
        self._update_latency_ms: Final = statistics.update_latency_ms
        self._riders: Final[deque[tuple[int, Client]]] = deque()
        self._refusal_reason: str | None = None

    # Requests in

    def receive(self, client: Client, frames: list[bytes]) -> None:
        """Frames of a connection whose session exists. Raises ProtocolError on one without a whole header."""
        now_ms = monotonic_ms()
        session = client.session
        assert session is not None
        if session.is_closing:
            return  # Dropped without a reply, as in ZooKeeper; the connection ends with its session.
        if self._is_enforcing and not is_let_in(client.credentials, self._auth_rules):
            self._receive_unknown(client, frames)
            return
        replica = self._replica
        readers = self._readers
        output = client.output
        pipeline = client.pipeline
        entries = pipeline.entries
        is_heard = False
        is_full = client.is_peer_full
        step_bytes = 0
        read_count = 0
        xid = opcode = 0
        for frame in frames:
            try:
                xid = read_int(frame, 0)
                opcode = read_int(frame, 4)
            except LAYOUT_ERROR:
                raise ProtocolError(f"frame of {len(frame)} bytes, expected at least the request header") from None
            reader = readers.get(opcode)
            if reader is None:
                if opcode == opcodes.AUTH:
                    self._authenticate(client, xid, frame)
                elif opcode == opcodes.SASL:
                    self._refuse_sasl(client, xid, frame)
                else:
                    is_heard = True
                    self._receive_other(client, xid, opcode, frame, now_ms)
                if client.is_closing:
                    return
                continue
            is_heard = True
            if entries or is_full:
                pipeline.append(Pending(READ, xid, opcode, frame, client.credentials, now_ms))
                continue
            read_count += 1
            try:
                answer = reader(client, frame, client.credentials)
            except JuteError:
                answer = MARSHALLING_ERROR
            if opcode == opcodes.PING:
                xid = opcodes.PING_XID
            if isinstance(answer, int):
                output.append(PACK_REPLY_HEADER(REPLY_HEADER_BYTES, xid, replica.zxid, answer))
            elif isinstance(answer, RefusedAnswer):
                output.append(encode_refused_answer(xid, replica.zxid, answer))
            else:
                output.append(PACK_REPLY_HEADER(REPLY_HEADER_BYTES + len(answer), xid, replica.zxid, 0) + answer)
                step_bytes += len(answer)
                if step_bytes > OUTPUT_STEP_BYTES:  # I4
                    client.end_turn()
                    step_bytes = 0
                    is_full = client.is_peer_full
                    if client.is_closing:
                        return
        if xid >= 0:
            client.last_xid = xid  # a ping's and its like leave that of the last real operation, as in ZooKeeper
        client.last_opcode = opcode
        client.last_zxid = replica.zxid
        client.last_response_ms = now_ms
        if read_count:
            # A clock would cost a small read a tenth of its time, to say 0.
            latency_ms = 0
            if (
                read_count > READS_UNTIMED_MAX
                or step_bytes > BYTES_UNTIMED_MAX
                or (opcode >= opcodes.MULTI_READ and _is_long_read(opcode))
            ):
                latency_ms = monotonic_ms() - now_ms
            client.last_latency_ms = latency_ms
            if latency_ms:
                client.note_latency(latency_ms)
            self._read_latency_ms.note_many(latency_ms, read_count)
        if is_heard and now_ms >= session.fresh_until_ms:
            self._keeper.touch(session, now_ms)

    def _receive_unknown(self, client: Client, frames: list[bytes]) -> None:
        """Frames of a client that must show an identity first: it may try to, and anything else ends its connection.
        Even a ping does, as in ZooKeeper."""
        for index, frame in enumerate(frames):
            try:
                xid = read_int(frame, 0)
                opcode = read_int(frame, 4)
            except LAYOUT_ERROR:
                raise ProtocolError(f"frame of {len(frame)} bytes, expected at least the request header") from None
            if opcode == opcodes.AUTH:
                self._authenticate(client, xid, frame)
            elif opcode == opcodes.SASL:
                self._refuse_sasl(client, xid, frame)
            else:
                _log.info("client_sent_away", peer=client.peer, reason="it has no identity of enforce.auth.schemes")
                client.output.append(encode_error(xid, _OUT_OF_ORDER_ZXID, SESSION_CLOSED_REQUIRE_AUTH))
                client.close_refused()
            if client.is_closing:
                return
            if is_let_in(client.credentials, self._auth_rules):
                if index + 1 < len(frames):
                    self.receive(client, frames[index + 1 :])
                return

    def _receive_other(self, client: Client, xid: int, opcode: int, frame: bytes, now_ms: int) -> None:
        if opcode in self._writes.opcodes:
            pending = Pending(UNPLANNED, xid, opcode, frame, client.credentials, now_ms)
            client.pipeline.append(pending)
            if client.unplanned_count:
                client.unplanned_count += 1
            else:
                self._plan(client, pending)
        elif opcode == opcodes.SYNC:
            self._sync(client, xid, frame, now_ms)
        else:
            pending = Pending(REFUSED, xid, opcode, frame, client.credentials, now_ms)
            # ZooKeeper knows createSession as its own request, finds no timeout in it, and goes on.
            pending.code = MARSHALLING_ERROR if opcode == opcodes.CREATE_SESSION else UNIMPLEMENTED
            client.pipeline.append(pending)
            self.drain(client)

    def _sync(self, client: Client, xid: int, frame: bytes, now_ms: int) -> None:
        pending = Pending(BARRIER, xid, opcodes.SYNC, frame, client.credentials, now_ms)
        client.pipeline.append(pending)
        try:
            pending.body = SyncRequest.decode(frame, _BODY).encode()
        except JuteError:
            pending.kind = REFUSED
            pending.code = MARSHALLING_ERROR
            self.drain(client)
            return
        self._backend.request_barrier(_Barrier(self, client, pending))

    def _authenticate(self, client: Client, xid: int, frame: bytes) -> None:
        try:
            packet = AuthPacket.decode(frame, _BODY)
        except JuteError as error:
            # ZooKeeper decodes these two where it reads the socket, so they end as a bad frame does.
            raise ProtocolError(f"auth packet: {error}") from error
        if is_of_other_ensemble(packet.scheme, packet.auth, self._auth_rules):
            _log.info("client_of_other_ensemble", peer=client.peer)
            client.abort()
            return
        credentials = authenticate(client.credentials, packet.scheme, packet.auth, client.peer_host, self._auth_rules)
        if credentials is None:
            _log.info("client_auth_failed", peer=client.peer, scheme=packet.scheme)
            client.output.append(encode_error(xid, _OUT_OF_ORDER_ZXID, AUTH_FAILED))
            client.close_refused()
            return
        client.credentials = credentials
        client.output.append(encode_reply(xid, _OUT_OF_ORDER_ZXID, b""))

    def _refuse_sasl(self, client: Client, xid: int, frame: bytes) -> None:
        """A server without SASL answers with a null token and goes on (reference section 5.6)."""
        try:
            token = GetSASLRequest.decode(frame, _BODY).token
        except JuteError as error:
            raise ProtocolError(f"sasl packet: {error}") from error
        if token is None:
            raise ProtocolError("sasl packet: null token")
        client.output.append(encode_reply(xid, _OUT_OF_ORDER_ZXID, SetSASLResponse(None).encode()))

    # Planning

    def _plan(self, client: Client, pending: Pending) -> bool:
        """Plans an UNPLANNED entry of the client's pipeline. False if it has to wait."""
        committer = self._committer
        if self._refusal_reason is not None:
            self._refuse(client, pending, SYSTEM_ERROR, b"", 0)
            return True
        outcome: Plan | FailedMulti | int = STALL
        if committer.can_submit:
            context = client.context
            assert context is not None
            context.credentials = pending.credentials  # I3
            try:
                outcome = self._writes.plan(pending.opcode, pending.frame, context)
            except JuteError:
                outcome = MARSHALLING_ERROR
        if isinstance(outcome, Plan):
            if outcome.puts or outcome.deletes:
                pending.kind = IN_FLIGHT
                outcome.owner = client
                outcome.request = pending
                if pending.opcode == opcodes.CLOSE_SESSION:
                    client.is_leaving = True
                    self._keeper.closing(client.session_id)
                committer.submit(outcome)
            else:
                self._refuse(client, pending, 0, encode_answer(outcome), committer.last_sequence)
        elif isinstance(outcome, FailedMulti):
            self._refuse(client, pending, 0, outcome.encode(), committer.last_sequence)
        elif outcome == STALL:
            pending.kind = UNPLANNED
            client.unplanned_count += 1
            self._riders.append((committer.last_sequence, client))
            return False
        else:
            self._refuse(client, pending, outcome, b"", committer.last_sequence)
        return True

    def _refuse(self, client: Client, pending: Pending, code: int, body: bytes, after_sequence: int) -> None:
        pending.kind = REFUSED
        pending.code = code
        pending.body = body
        pending.after_sequence = after_sequence
        if after_sequence > self._committer.decided_sequence:
            self._riders.append((after_sequence, client))  # I2
        else:
            self.drain(client)

    # Answers out

    def drain(self, client: Client) -> None:
        """Answers what can be answered at the head of the client's pipeline."""
        pipeline = client.pipeline
        entries = pipeline.entries
        if client.is_draining:
            return
        client.is_draining = True
        step_bytes = 0
        while entries and not client.is_closing and not client.is_peer_full:  # I4
            head = entries[0]
            kind = head.kind
            if kind == READ:
                pipeline.popleft()
                step_bytes += self._answer_read(client, head)
                if step_bytes > OUTPUT_STEP_BYTES:
                    client.end_turn()
                    step_bytes = 0
            elif kind == REFUSED:
                if head.after_sequence > self._committer.decided_sequence:
                    break  # I2; a rider comes back for it
                pipeline.popleft()
                self._answer_refused(client, head)
            elif kind == UNPLANNED:
                client.unplanned_count -= 1
                if not self._plan(client, head):
                    break
            elif head.is_ready:
                pipeline.popleft()
                self._answer_ready(client, head)
            else:
                break
        client.is_draining = False

    def _answer_read(self, client: Client, pending: Pending) -> int:
        """Returns the size of the answer."""
        try:
            answer = self._readers[pending.opcode](client, pending.frame, pending.credentials)
        except JuteError:
            answer = MARSHALLING_ERROR
        except ProtocolError as error:
            _log.info("client_protocol_violated", peer=client.peer, reason=str(error))
            client.abort()
            return 0
        xid = opcodes.PING_XID if pending.opcode == opcodes.PING else pending.xid
        latency_ms = monotonic_ms() - pending.received_ms
        client.note_latency(latency_ms)
        self._read_latency_ms.note(latency_ms)
        if isinstance(answer, int):
            client.reply(encode_error(xid, self._replica.zxid, answer))
            return 0
        if isinstance(answer, RefusedAnswer):
            client.reply(encode_refused_answer(xid, self._replica.zxid, answer))
            return len(answer.body)
        client.reply(encode_reply(xid, self._replica.zxid, answer))
        return len(answer)

    def _answer_refused(self, client: Client, pending: Pending) -> None:
        latency_ms = monotonic_ms() - pending.received_ms
        client.note_latency(latency_ms)
        self._update_latency_ms.note(latency_ms)
        if pending.code == UNIMPLEMENTED and pending.opcode not in self._writes.opcodes:
            client.reply(encode_error(pending.xid, _UNKNOWN_OPCODE_ZXID, UNIMPLEMENTED))
            client.close_refused()
        elif pending.code:
            client.reply(encode_error(pending.xid, self._replica.zxid, pending.code))
        else:
            client.reply(encode_reply(pending.xid, self._replica.zxid, pending.body))

    def _answer_ready(self, client: Client, pending: Pending) -> None:
        client.reply(encode_reply(pending.xid, self._replica.zxid, pending.body))
        latency_ms = monotonic_ms() - pending.received_ms
        client.note_latency(latency_ms)
        client.last_zxid = self._replica.zxid
        if pending.kind == BARRIER:
            self._read_latency_ms.note(latency_ms)  # as in ZooKeeper: a sync changes nothing
        else:
            self._update_latency_ms.note(latency_ms)
        if pending.opcode == opcodes.CLOSE_SESSION:
            client.close()

    # The fate of plans

    def plan_applied(self, plan: Plan) -> None:
        """The replica shows it and its events are queued: now its answer may follow."""
        pending = plan.request
        if isinstance(pending, Pending):
            client = plan.owner
            assert isinstance(client, Client)
            if not client.is_closing:
                pending.body = encode_answer(plan)
                pending.is_ready = True
                self.drain(client)
        if self._riders:
            self.wake_riders()

    def wake_riders(self) -> None:
        """Goes back to those who waited for plans that are decided now."""
        riders = self._riders
        decided_sequence = self._committer.decided_sequence
        count = len(riders)
        while count and riders and riders[0][0] <= decided_sequence:
            _, client = riders.popleft()
            count -= 1  # who has to wait again queues behind; once around is enough
            self.drain(client)

    def replan(self, plans: list[Plan]) -> None:
        for plan in plans:
            pending = plan.request
            client = plan.owner
            if isinstance(pending, Pending) and isinstance(client, Client):
                if plan.opcode == opcodes.CLOSE_SESSION:
                    self._keeper.reopened(plan.session_id)
                if not client.is_closing:
                    pending.kind = UNPLANNED
                    client.unplanned_count += 1
            else:
                self._keeper.plan_refused(plan)
        for plan in plans:
            if isinstance(plan.owner, Client):
                self.drain(plan.owner)

    def plan_lost(self, plan: Plan, reason: str, is_decided: bool) -> None:
        client = plan.owner
        pending = plan.request
        if plan.opcode == opcodes.CLOSE_SESSION:
            self._keeper.reopened(plan.session_id)
        if isinstance(client, Client) and isinstance(pending, Pending) and not client.is_closing:
            if is_decided and plan.opcode != opcodes.CLOSE_SESSION:
                pending.kind = REFUSED
                pending.code = SYSTEM_ERROR
                self.drain(client)
            else:
                # Nobody knows whether it will take effect; ZooKeeper's word for that is a closed connection.
                _log.info("write_fate_unknown", peer=client.peer, reason=reason)
                client.abort()
        else:
            self._keeper.plan_lost(plan)
        self.wake_riders()

    def writer_deposed(self) -> None:
        # Only this process has the store open, so it was an etcd client, on our own port for those: take it back.
        _log.warning("fence_moved", reason="an etcd client wrote or deleted the writer's fence key")
        self._committer.take_over()

    def write_state_changed(self, reason: str | None) -> None:
        """Writes are refused for this reason from now on; None: they go through again."""
        self._refusal_reason = reason
        if reason is None:
            self.wake_riders()

    @property
    def refusal_reason(self) -> str | None:
        """Why no write can be taken now, None if they can."""
        return self._refusal_reason
