"""How a case ends on one server, in words that two servers must agree on."""

from __future__ import annotations

from integration.abuse.cases import Case
from integration.abuse.connection import RawConnection, request
from integration.conformance import wire
from integration.conformance.frame_socket import Closed
from integration.conformance.wire import Cursor

BODY_SUMMED_MAX = 60
KNOCK_XID = 0x5A5A5A5A
KNOCK = request(KNOCK_XID, wire.EXISTS, wire.buffer(b"/") + wire.flag(False))
PASSWORD_BYTES = 16
PAUSE_S = 0.02
CLOSE_TIMEOUT_S = 5.0


def describe_handshake(body: bytes) -> str:
    """A ConnectResponse without what is random in it."""
    cursor = Cursor(body)
    version, timeout_ms, session_id = cursor.i32(), cursor.i32(), cursor.i64()
    password = cursor.buffer() or b""
    kind = "zero" if password == bytes(PASSWORD_BYTES) else "some"
    return (
        f"handshake v{version} {timeout_ms} ms session {'0' if session_id == 0 else 'new'}"
        f" {kind} password of {len(password)} rest {cursor.rest().hex()!r}"
    )


def describe_reply(body: bytes) -> str:
    """A reply; of a long body, which holds ids and times, only its length."""
    cursor = Cursor(body)
    xid, zxid, error = cursor.i32(), cursor.i64(), cursor.i32()
    rest = cursor.rest()
    # The sum of the bytes: names out of a hash set come in any order.
    shown = f", sum {sum(rest)}" if len(rest) < BODY_SUMMED_MAX else ""
    return f"xid {xid} zxid {'+' if zxid > 0 else zxid} error {error} body of {len(rest)} bytes{shown}"


def differs(case: Case, expected: list[str], found: list[str]) -> bool:
    """Whether two servers do not agree on how a case ends."""
    if case.may_lose_answers:
        return expected[-1] != found[-1] or not (set(expected) <= set(found) or set(found) <= set(expected))
    return expected != found


def play(port: int, case: Case) -> list[str]:
    """Send the case's bytes on a connection of its own; what came back until a close, or until a knock is answered."""
    seen: list[str] = []
    with RawConnection(port) as connection:
        if case.with_session:
            connection.open_session()
        for number, piece in enumerate(case.pieces):
            if number > 0:
                # What came so far is no whole frame: the server has to wait for the rest.
                if not connection.is_open(PAUSE_S):
                    return [*seen, "closed"]
                seen.append("waits")
            connection.send_bytes(piece)
        if case.is_word:
            return [*seen, _read_to_the_end(connection)]
        try:
            if not case.with_session:
                seen.append(describe_handshake(connection.read_frame()))
            connection.send_bytes(KNOCK)
            while True:
                body = connection.read_frame()
                if Cursor(body).i32() == KNOCK_XID:
                    if case.is_closed_late and not connection.is_open(CLOSE_TIMEOUT_S):
                        return [*seen, "closed"]
                    return [*seen, "serves on"]
                seen.append(describe_reply(body))
        except Closed:
            return [*seen, "closed"]
        except TimeoutError:
            return [*seen, "silent"]


def _read_to_the_end(connection: RawConnection) -> str:
    try:
        while True:
            connection.fill()
    except Closed:
        return f"{bytes(connection.received)!r} closed"
    except TimeoutError:
        return f"{bytes(connection.received)!r} silent"
