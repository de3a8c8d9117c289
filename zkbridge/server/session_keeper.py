"""Sessions of this bridge: opened, attached, renewed, expired, closed.

A session is a lease and a session key with the same number. The lease is the backstop for when every bridge is gone; it
is renewed only because bytes came from the client, so a session that this bridge lost sight of ends all the same. What
ends sessions in daily life is the expiry queue, by the monotonic clock, through a planned close in one revision.

Invariants:
1. A lease is granted before the transaction that opens its session and revoked after the one that closed it.
2. A session is opened or over when the replica has applied it, never before.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Final, final

import structlog

from zkbridge.backend.interface import Backend
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.errors import ProtocolError
from zkbridge.jute.records import ConnectRequest
from zkbridge.jute.wire import JuteError
from zkbridge.keyspace.keys import Keyspace
from zkbridge.plan.plan import STALL, Plan, PlanContext
from zkbridge.plan.session import plan_change_session, plan_close_session, plan_open_session, plan_settle_parents
from zkbridge.protocol import opcodes
from zkbridge.protocol.replies import PASSWORD_BYTES, encode_connect_response, encode_session_expired
from zkbridge.server.client import Client
from zkbridge.server.clock import monotonic_ms, wall_ms
from zkbridge.server.session_log import SessionLog
from zkbridge.sessions.expiry import Session
from zkbridge.sessions.ids import SessionIds
from zkbridge.sessions.table import SessionTable
from zkbridge.tree.acl import Credentials
from zkbridge.tree.changes import Change, SessionChanged, SessionClosed, SessionOpened, ZnodeDeleted
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica

_log = structlog.get_logger()

LEASE_SLACK_MS: Final = 15_000
"""How much longer than its session a lease lives: renewals are batched by ticks and a restart has to fit in."""


@final
class SessionKeeper:
    """Owner of the session table and the leases."""

    def __init__(
        self,
        backend: Backend,
        committer: OrderedCommitter,
        overlay: Overlay,
        replica: Replica,
        table: SessionTable,
        keyspace: Keyspace,
        tick_ms: int,
        server_id: int,
        is_ttl_enabled: bool,
        enforces_quota: bool,
        is_digest_enabled: bool,
    ) -> None:
        self._backend: Final = backend
        self._committer: Final = committer
        self._overlay: Final = overlay
        self._replica: Final = replica
        self._table: Final = table
        self._keyspace: Final = keyspace
        self._tick_ms: Final = tick_ms
        self._is_ttl_enabled: Final = is_ttl_enabled
        self._enforces_quota: Final = enforces_quota
        self._is_digest_enabled: Final = is_digest_enabled
        self._ids: Final = SessionIds(server_id, wall_ms())
        self.log: Final = SessionLog()
        self._heard: dict[int, None] = {}
        self._unwritten_closes: dict[int, None] = {}
        self._opening: dict[int, tuple[Client, bool]] = {}
        self._unsettled: dict[str, None] = {}
        self.expired_count = 0
        """Sessions that were silent for too long, since the start."""

    # Handshake

    def connect(self, client: Client, frame: bytes, can_write: bool) -> None:
        """The first frame of a connection. Raises ProtocolError if the connection has to end without an answer."""
        try:
            request = ConnectRequest.decode(frame)
        except JuteError as error:
            raise ProtocolError(f"connect request: {error}") from error
        if request.last_zxid_seen > self._replica.zxid:
            raise ProtocolError(
                f"client has seen zxid {request.last_zxid_seen:#x}, this server is at {self._replica.zxid:#x}: "
                "it must try another server"
            )
        with_read_only = request.read_only is not None
        if request.session_id == 0:
            if not (can_write and self._committer.can_submit):
                raise ProtocolError("no session can be opened while the store takes no writes")
            self._open(client, request.time_out, with_read_only)
        else:
            self._attach(client, request, with_read_only)

    def _open(self, client: Client, requested_ms: int, with_read_only: bool) -> None:
        session_id = self._ids.next_id()
        timeout_ms = self._table.negotiate(requested_ms)
        password = os.urandom(PASSWORD_BYTES)
        plan = plan_open_session(session_id, timeout_ms, password, self._overlay, self._server_context())
        assert isinstance(plan, Plan)
        plan.owner = client
        self._opening[session_id] = (client, with_read_only)
        self._backend.grant_lease(session_id, (timeout_ms + LEASE_SLACK_MS + 999) // 1000)  # I1
        self._committer.submit(plan)

    def _attach(self, client: Client, request: ConnectRequest, with_read_only: bool) -> None:
        attachment = self._table.attach(request.session_id, request.passwd, request.time_out, client, monotonic_ms())
        displaced = attachment.displaced
        if isinstance(displaced, Client):
            displaced.abort()
        session = attachment.session
        if session is None:
            if isinstance(displaced, Client):
                self.log.disconnected(request.session_id, displaced.peer)
            self.log.reattach_refused(request.session_id, client.peer)
            client.reply(encode_session_expired(with_read_only))
            client.close_refused()
            return
        if attachment.timeout_changed and self._committer.can_submit:
            # Best effort: if it can't be written, the session still has its old timeout after a restart.
            plan = plan_change_session(session.session_id, session.timeout_ms, self._overlay, self._server_context())
            if isinstance(plan, Plan):
                self._committer.submit(plan)
        self._heard[session.session_id] = None
        session.peer_host, session.peer_port = client.peer_host, client.peer_port
        self.log.reattached(session.session_id, session.peer, session.timeout_ms)
        self._establish(client, session, with_read_only)

    def _establish(self, client: Client, session: Session, with_read_only: bool) -> None:
        client.session = session
        client.session_id = session.session_id
        client.context = PlanContext(
            self._keyspace,
            session.session_id,
            client.credentials,
            wall_ms(),
            self._is_ttl_enabled,
            self._enforces_quota,
            self._is_digest_enabled,
        )
        client.reply(encode_connect_response(session.timeout_ms, session.session_id, session.password, with_read_only))
        client.established()

    # What the replica says

    def restored(self) -> None:
        """The replica is loaded: every session in it gets its full timeout anew."""
        now_ms = monotonic_ms()
        for record in self._replica.sessions.values():
            self._table.opened(record.session_id, record.timeout_ms, record.password, now_ms)
            self._heard[record.session_id] = None

    def changes_applied(self, changes: list[Change]) -> None:
        """A revision that concerned sessions has been applied (I2)."""
        for change in changes:
            if isinstance(change, SessionOpened):
                self._opened(change)
            elif isinstance(change, SessionClosed):
                self._closed(change.session_id, changes)
            elif isinstance(change, SessionChanged):
                self._table.changed(change.session_id, change.timeout_ms, change.password, monotonic_ms())

    def _opened(self, change: SessionOpened) -> None:
        client, with_read_only = self._opening.pop(change.session_id, (None, False))
        holder = client if client is not None and not client.is_closing else None
        session = self._table.opened(change.session_id, change.timeout_ms, change.password, monotonic_ms(), holder)
        if client is not None:
            session.peer_host, session.peer_port = client.peer_host, client.peer_port
        if not self.log.only_counts_opened():
            self.log.opened(change.session_id, session.peer, change.timeout_ms)
        if client is not None and holder is None:
            self.log.disconnected(change.session_id, session.peer)
        if holder is not None:
            self._establish(holder, session, with_read_only)

    def _closed(self, session_id: int, changes: list[Change]) -> None:
        session = self._table.closed(session_id)
        self._heard.pop(session_id, None)
        self._unwritten_closes.pop(session_id, None)
        self._backend.revoke_lease(session_id)  # I1
        if session is None:
            return
        if session.has_expired:
            self.log.expired(session_id, session.peer, session.timeout_ms, _count_deleted(changes))
        elif not self.log.only_counts_closed():
            self.log.closed(session_id, session.peer, _count_deleted(changes))
        holder = session.holder
        session.holder = None
        # A client that asked for the end gets its answer first; one whose session expired gets no packet.
        if isinstance(holder, Client) and not holder.is_leaving:
            holder.abort()

    # Liveness

    def touch(self, session: Session, now_ms: int) -> None:
        """Bytes came from the session's client."""
        self._table.touch(session, now_ms)
        self._heard[session.session_id] = None

    def detach(self, client: Client) -> None:
        """A connection is gone; its session is not."""
        session_id = client.session_id
        if session_id and self._table.detach(session_id, client):
            self.log.disconnected(session_id, client.peer)

    def closing(self, session_id: int) -> None:
        """Its client asked for the end of the session."""
        self._table.closing(session_id)

    def reopened(self, session_id: int) -> None:
        """The close was not written."""
        self._table.reopened(session_id, monotonic_ms())

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        """The store's backstop has run out for these; those of our sessions are closed in the usual way."""
        ours: list[int] = []
        for lease_id in lease_ids:
            session = self._table.get(lease_id)
            if session is not None:
                ours.append(lease_id)
                if self._table.closing(lease_id) is not None:
                    session.has_expired = True
                    self._unwritten_closes[lease_id] = None
        return ours

    def expire(self, now_ms: int) -> None:
        """Closes the sessions that were silent for too long."""
        for session in self._table.expired(now_ms):
            self.expired_count += 1
            self._unwritten_closes[session.session_id] = None
        for session_id in list(self._unwritten_closes):
            # Asked for each: a store that takes no writes drops the first at once, and nothing may follow it.
            if not self._committer.can_submit:
                break
            self._submit_close(session_id)

    def _submit_close(self, session_id: int) -> None:
        plan = plan_close_session(session_id, self._overlay, self._server_context())
        if isinstance(plan, Plan):
            del self._unwritten_closes[session_id]
            self._committer.submit(plan)
        elif plan < 0:
            # Closed by another plan in flight, which will be applied or come back here.
            del self._unwritten_closes[session_id]

    def settle_later(self, parents: Sequence[str]) -> None:
        """A lease ended by itself and took children of these along; their pzxid has to be written down."""
        self._unsettled.update(dict.fromkeys(parents))

    def settle(self) -> None:
        """Writes down what `settle_later` was told, once no plan in flight concerns it."""
        if self._unsettled and self._committer.can_submit:
            plan = plan_settle_parents(list(self._unsettled), self._overlay, self._server_context())
            if isinstance(plan, Plan):
                self._committer.submit(plan)
            if plan != STALL:
                self._unsettled.clear()

    def renew_leases(self) -> None:
        """Renews the leases of the sessions that were heard since the last time."""
        if self._heard:
            heard, self._heard = self._heard, {}
            self._backend.renew_leases(list(heard))

    # The fate of the server's own plans

    def plan_refused(self, plan: Plan) -> None:
        """It took no effect. A close is tried again with the next tick, a new session's client has to come again."""
        self.plan_lost(plan)

    def plan_lost(self, plan: Plan) -> None:
        """As above, or nobody knows: closing a session twice does no harm."""
        if plan.opcode == opcodes.CLOSE_SESSION:
            if self._table.get(plan.session_id) is not None:
                self._unwritten_closes[plan.session_id] = None
        elif plan.opcode == opcodes.CREATE_SESSION:
            for session_id, (client, _) in list(self._opening.items()):
                if client is plan.owner:
                    del self._opening[session_id]
                    client.abort()

    async def serve(self) -> None:
        """Polls the expiry queue twice a tick, as it asks for."""
        pause_s = self._tick_ms / 2000
        while True:
            await asyncio.sleep(pause_s)
            self.expire(monotonic_ms())
            self.settle()
            self.renew_leases()
            self._tell_quotas()

    def _tell_quotas(self) -> None:
        """Limits that were passed since the last time, one line a path and figure."""
        for warning in self._replica.quotas.take_warnings():
            _log.warning(
                "quota_exceeded",
                path=warning.path,
                figure=warning.figure,
                value=warning.value,
                limit=warning.limit,
                is_hard=warning.is_hard,
                times=warning.times,
            )

    def _server_context(self) -> PlanContext:
        return PlanContext(self._keyspace, 0, _NOBODY, wall_ms(), self._is_ttl_enabled)


_NOBODY: Final = Credentials()


def _count_deleted(changes: list[Change]) -> int:
    """How many ephemerals the end of a session took along."""
    return sum([isinstance(change, ZnodeDeleted) for change in changes])
