"""Plays a script on one server and writes down what every connection saw.

After each step the other connections send a ping: all events that the step caused must lie before its pong, so the
transcript has one well-defined order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.conformance import wire
from integration.conformance.frame_socket import Closed, FrameSocket
from integration.conformance.replies import Labels, show_header_zxid, show_notification, show_reply
from integration.conformance.script import CONNECTION_COUNT, Request, Step, StepKind, ZxidSource
from integration.conformance.wire import Cursor, ShortReply, buffer, connect_request, frame, i32, i64

HUGE_ZXID = 2**62
UNIMPLEMENTED, AUTH_FAILED = -6, -115
SYSTEM_PATHS = (b"/", b"/zookeeper", b"/zookeeper/config", b"/zookeeper/quota")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a connection saw in a step."""

    step: int
    who: str
    text: str


class Client:
    """One client: its socket, its session, and what it has seen."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: FrameSocket | None = None
        self.session_id = 0
        self.password = bytes(16)
        self.last_zxid = 0
        self.highest_zxid = 0
        self.next_xid = 0

    def open(self) -> None:
        """A new TCP connection, the old one left alone."""
        self.socket = FrameSocket(self.port)
        self.highest_zxid = 0

    def drop(self) -> None:
        """Close the socket from our side."""
        if self.socket is not None:
            self.socket.drop()
            self.socket = None

    def forget_session(self) -> None:
        """The session is over; the next handshake asks for a new one."""
        self.session_id = 0
        self.password = bytes(16)
        self.last_zxid = 0

    def send(self, data: bytes) -> None:
        """Write; that the server has closed shows when reading."""
        assert self.socket is not None
        self.socket.send_bytes(data)

    def read_frame(self) -> bytes:
        """The next frame. Raises Closed, and TimeoutError after a long silence."""
        assert self.socket is not None
        return self.socket.read_frame()


class Player:
    """Plays scripts on one server; the labels live as long as the server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.labels = Labels()
        self.clients = [Client(port) for _ in range(CONNECTION_COUNT)]
        self.seen_zxids = [0]
        self.entries: list[Entry] = []
        self.step_number = 0

    def play(self, script: Sequence[Step]) -> list[Entry]:
        """All that was seen, in an order that depends on the server's answers only. Ends with an empty tree."""
        self.entries = []
        for number, step in enumerate(script):
            self.step_number = number
            self._play_step(step)
        self.step_number = len(script)
        self._finish()
        return self.entries

    def _note(self, who: str, text: str) -> None:
        self.entries.append(Entry(self.step_number, who, text))

    def _play_step(self, step: Step) -> None:
        client, who = self.clients[step.connection], f"c{step.connection}"
        if client.socket is None:
            self._handshake(client, who, step)
        match step.kind:
            case StepKind.BATCH:
                self._exchange(client, who, step.requests)
            case StepKind.REATTACH:
                client.drop()
                self._handshake(client, who, step)
            case StepKind.STEAL:
                self._steal(client, who, step)
            case StepKind.BAD_PASSWORD:
                self._steal(client, who, step, b"\x55" * 16)
            case StepKind.FUTURE:
                self._future(who, step)
            case StepKind.CLOSE:
                self._close(client, who)
        if client.socket is not None and client.last_zxid > 0:
            self.seen_zxids.append(client.last_zxid)
        for other in self.clients:
            if other is not client and other.socket is not None:
                other.send(frame(i32(wire.XID_PING) + i32(wire.PING)))
        for number, other in enumerate(self.clients):
            if other is not client and other.socket is not None:
                self._read_replies(other, f"c{number}", [(wire.XID_PING, wire.PING)], quiet=True)

    def _handshake(self, client: Client, who: str, step: Step, password: bytes | None = None) -> bool:
        """Open a connection and a session on it, or come back to the client's; whether it holds one now."""
        client.open()
        read_only = b"" if step.short_handshake else b"\x00"
        asked = client.session_id
        secret = client.password if password is None else password
        client.send(connect_request(client.last_zxid, step.timeout_ms, asked, secret, read_only))
        try:
            body = client.read_frame()
        except Closed:
            self._note(who, "handshake: closed without an answer")
            client.drop()
            return False
        cursor = Cursor(body)
        version, timeout_ms, session_id = cursor.i32(), cursor.i32(), cursor.i64()
        secret_back = cursor.buffer() or b""
        name = self.labels.add_session(session_id)
        rest = cursor.rest().hex()
        same = "same" if secret_back == client.password else "zero" if secret_back == bytes(16) else "new"
        self._note(
            who, f"handshake: v{version} {timeout_ms} ms {name} password {len(secret_back)} bytes {same} rest {rest!r}"
        )
        if session_id == 0:
            self._expect_close(client, who)
            return False
        client.session_id, client.password = session_id, secret_back
        return True

    def _expect_close(self, client: Client, who: str) -> None:
        try:
            self._note(who, f"frame instead of a close: {client.read_frame().hex()}")
        except Closed:
            self._note(who, "closed")
        except TimeoutError:
            self._note(who, "not closed")
        client.drop()

    def _steal(self, client: Client, who: str, step: Step, password: bytes | None = None) -> None:
        """Reattach on a second connection while the first one is open.

        Whether the server cuts the first one is not compared but left to the tests of single traps: ZooKeeper forgets
        which connection has a session when the close of an older one reaches it late, and then leaves both open.
        """
        old = client.socket
        attached = self._handshake(client, who, step, password)
        if old is not None:
            old.drop()
        if not attached:
            client.drop()

    def _future(self, who: str, step: Step) -> None:
        """A client that has seen more than this server is turned away without a word."""
        visitor = Client(self.port)
        visitor.last_zxid = HUGE_ZXID
        self._handshake(visitor, f"{who}-future", step)
        visitor.drop()

    def _close(self, client: Client, who: str) -> None:
        if client.socket is None:
            return
        client.send(frame(i32(client.next_xid) + i32(wire.CLOSE_SESSION)))
        if self._read_replies(client, who, [(client.next_xid, wire.CLOSE_SESSION)]):
            self._expect_close(client, who)
        client.forget_session()

    def _exchange(self, client: Client, who: str, requests: Sequence[Request]) -> None:
        """Send all requests at once, then read all replies."""
        if client.socket is None:
            return
        out: list[bytes] = []
        awaited: list[tuple[int, int]] = []
        for request in requests:
            client.next_xid += 1
            xid = client.next_xid if request.xid is None else request.xid
            body = self._zxid_prefix(client, request) + request.body
            out.append(frame(i32(xid) + i32(request.opcode) + body))
            awaited.append((wire.XID_PING if request.opcode == wire.PING else xid, request.opcode))
        client.send(b"".join(out))
        self._read_replies(client, who, awaited)

    def _zxid_prefix(self, client: Client, request: Request) -> bytes:
        match request.zxid_source:
            case ZxidSource.NONE:
                return b""
            case ZxidSource.ZERO:
                return i64(0)
            case ZxidSource.LAST:
                return i64(client.last_zxid)
            case ZxidSource.EARLIER:
                return i64(self.seen_zxids[int(request.fraction * len(self.seen_zxids))])
            case ZxidSource.HUGE:
                return i64(2**63 - 1)

    def _read_replies(self, client: Client, who: str, awaited: Sequence[tuple[int, int]], quiet: bool = False) -> bool:
        """Read until all awaited replies are there; whether the connection is still open."""
        error = 0
        for number, (expected_xid, opcode) in enumerate(awaited):
            while True:
                try:
                    body = client.read_frame()
                except (Closed, TimeoutError) as end:
                    ended = "closed" if isinstance(end, Closed) else "no answer"
                    self._note(who, f"{ended} with {len(awaited) - number} requests unanswered")
                    client.drop()
                    return False
                try:
                    cursor = Cursor(body)
                    xid, zxid, error = cursor.i32(), cursor.i64(), cursor.i32()
                    if xid == wire.XID_NOTIFICATION:
                        self._note(who, show_notification(zxid, error, cursor, self.labels))
                        continue
                    text = show_reply(opcode, error, cursor, self.labels)
                except ShortReply as short:
                    self._note(who, f"undecodable {body.hex()}: {short}")
                    break
                self._note_reply(client, who, f"{number} xid {xid - expected_xid:+d}", zxid, text, quiet)
                break
        if awaited and self._may_close_after(awaited[-1][1]):
            # No ping after a refusal: ZooKeeper closes a moment later and may still answer it, or not.
            if error in (UNIMPLEMENTED, AUTH_FAILED):
                self._expect_close(client, who)
            else:
                client.send(frame(i32(wire.XID_PING) + i32(wire.PING)))
                self._read_replies(client, who, [(wire.XID_PING, wire.PING)], quiet=True)
        return client.socket is not None

    def _may_close_after(self, opcode: int) -> bool:
        """Whether the server may close after the reply to this."""
        return opcode in (wire.AUTH, wire.SASL, wire.CHECK) or opcode not in wire.OPCODE_NAMES

    def _note_reply(self, client: Client, who: str, which: str, zxid: int, text: str, quiet: bool) -> None:
        back = ""
        if zxid > 0:
            back = " ZXID WENT BACK" if zxid < client.highest_zxid else ""
            client.last_zxid = client.highest_zxid = zxid
        if not quiet or back or not text.startswith("ok"):
            self._note(who, f"{which} zxid {show_header_zxid(zxid)} {text}{back}")

    # The end of a script: all sessions closed, the tree empty again but for its counters.

    def _finish(self) -> None:
        for number, client in enumerate(self.clients):
            if client.session_id and client.socket is None:
                self._handshake(client, f"c{number}", Step(number, StepKind.REATTACH))
            self._close(client, f"c{number}")
            for other_number, other in enumerate(self.clients):
                if other.socket is not None:
                    other.send(frame(i32(wire.XID_PING) + i32(wire.PING)))
                    self._read_replies(other, f"c{other_number}", [(wire.XID_PING, wire.PING)], quiet=True)
            client.drop()
        cleaner = Client(self.port)
        self._handshake(cleaner, "cleaner", Step(0, StepKind.REATTACH))
        if cleaner.socket is None:
            return
        self._call(cleaner, wire.AUTH, i32(0) + buffer(b"digest") + buffer(b"super:test"))
        doomed = self._below(cleaner, b"/")
        for path in reversed(doomed):
            if path not in SYSTEM_PATHS:
                self._note("cleaner", f"delete {path!r} {self._call(cleaner, wire.DELETE, buffer(path) + i32(-1))[0]}")
        for path in SYSTEM_PATHS:
            perms = 1 if path == b"/zookeeper/config" else 31
            acl = wire.acl_vector([(perms, b"world", b"anyone")])
            self._note("cleaner", f"open {path!r} {self._call(cleaner, wire.SET_ACL, buffer(path) + acl + i32(-1))[0]}")
        self._close(cleaner, "cleaner")

    def _below(self, client: Client, path: bytes) -> list[bytes]:
        """All paths below one, parents first, names in order."""
        error, cursor = self._call(client, wire.GET_CHILDREN, buffer(path) + b"\x00")
        if error:
            return []
        names = sorted(cursor.buffer() or b"" for _ in range(cursor.i32()))
        found: list[bytes] = []
        for name in names:
            child = path.rstrip(b"/") + b"/" + name
            found += [child, *self._below(client, child)]
        return found

    def _call(self, client: Client, opcode: int, body: bytes) -> tuple[int, Cursor]:
        """One request, one answer: its error and the rest of it."""
        client.send(frame(i32(1) + i32(opcode) + body))
        cursor = Cursor(client.read_frame())
        cursor.i32()
        cursor.i64()
        return cursor.i32(), cursor
