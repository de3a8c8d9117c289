"""Replies as text that two servers must agree on: ids and zxids by order of appearance, times masked.

Invariants:
1. A zxid in a Stat or a notification gets a label when first seen; the same zxid has the same label ever after, and
   `order_of_zxids` tells whether two servers' labels stand for zxids in the same order.
2. What both servers give in one order keeps it, the orders of Java's hash tables included; children are sorted.
"""

from __future__ import annotations

import zlib

from integration.conformance import wire
from integration.conformance.wire import Cursor


class Labels:
    """What one server's ids and zxids are called in a transcript."""

    def __init__(self) -> None:
        self.sessions: dict[int, str] = {}
        self.zxids: dict[int, str] = {}

    def session(self, session_id: int) -> str:
        """S0, S1, … by order of the handshakes."""
        return "0" if session_id == 0 else self.sessions.get(session_id, "unknown-session")

    def add_session(self, session_id: int) -> str:
        """Name a session that a handshake has just shown."""
        return self.sessions.setdefault(session_id, f"S{len(self.sessions)}") if session_id else "0"

    def zxid(self, zxid: int) -> str:
        """z0, z1, … by order of appearance; zero and negative ones are themselves."""
        return str(zxid) if zxid <= 0 else self.zxids.setdefault(zxid, f"z{len(self.zxids)}")

    def order_of_zxids(self) -> list[str]:
        """The labels in the order of the zxids they stand for."""
        return [self.zxids[zxid] for zxid in sorted(self.zxids)]


def show(value: bytes | None) -> str:
    """Bytes as short text."""
    if value is None:
        return "null"
    text = repr(value)[1:]
    return text if len(text) < 80 else f"{text[:40]}…({len(value)} bytes, crc {zlib.crc32(value):x})"


def show_header_zxid(zxid: int) -> str:
    """Only whether it is special: the figure itself counts failed writes on ZooKeeper."""
    return "+" if zxid > 0 else str(zxid)


def show_time(time_ms: int) -> str:
    """Masked, but for zero."""
    return "0" if time_ms == 0 else "T"


def show_stat(cursor: Cursor, labels: Labels) -> str:
    """A Stat of 68 bytes."""
    czxid, mzxid, ctime, mtime = cursor.i64(), cursor.i64(), cursor.i64(), cursor.i64()
    version, cversion, aversion, owner = cursor.i32(), cursor.i32(), cursor.i32(), cursor.i64()
    length, children, pzxid = cursor.i32(), cursor.i32(), cursor.i64()
    return (
        f"stat(c={labels.zxid(czxid)} m={labels.zxid(mzxid)} p={labels.zxid(pzxid)} ct={show_time(ctime)}"
        f" mt={show_time(mtime)} v={version} cv={cversion} av={aversion} owner={labels.session(owner)}"
        f" len={length} n={children})"
    )


def show_acl(cursor: Cursor) -> str:
    """An ACL list in its order."""
    entries = [(cursor.i32(), cursor.buffer(), cursor.buffer()) for _ in range(cursor.i32())]
    return "[" + " ".join(f"{show(scheme)}:{show(ident)}:{perms}" for perms, scheme, ident in entries) + "]"


def show_strings(cursor: Cursor, has_order: bool = False) -> str:
    """A list of names; children come in another order here (docs: differences from ZooKeeper) and are sorted."""
    count = cursor.i32()
    if count < 0:
        return "null"
    names = [show(cursor.buffer()) for _ in range(count)]
    return "[" + " ".join(names if has_order else sorted(names)) + "]"


def show_multi(cursor: Cursor, labels: Labels) -> str:
    """The results of a multi or a multiRead, to the end header."""
    parts: list[str] = []
    while True:
        opcode, done, error = cursor.i32(), cursor.boolean(), cursor.i32()
        if done:
            return f"multi({'; '.join(parts)}; end {opcode} {error})"
        body = f"error {cursor.i32()}" if opcode == -1 else show_body(opcode, cursor, labels)
        parts.append(f"{opcode}/{error}: {body}")


def show_body(opcode: int, cursor: Cursor, labels: Labels) -> str:
    """The body of a successful reply."""
    match opcode:
        case wire.CREATE | wire.SYNC:
            return show(cursor.buffer())
        case wire.CREATE2 | wire.CREATE_CONTAINER | wire.CREATE_TTL:
            return f"{show(cursor.buffer())} {show_stat(cursor, labels)}"
        case wire.EXISTS | wire.SET_DATA | wire.SET_ACL:
            return show_stat(cursor, labels)
        case wire.GET_DATA | wire.RECONFIG:
            return f"{show(cursor.buffer())} {show_stat(cursor, labels)}"
        case wire.GET_ACL:
            return f"{show_acl(cursor)} {show_stat(cursor, labels)}"
        case wire.GET_CHILDREN:
            return show_strings(cursor)
        case wire.GET_EPHEMERALS:
            return show_strings(cursor, has_order=True)
        case wire.GET_CHILDREN2:
            return f"{show_strings(cursor)} {show_stat(cursor, labels)}"
        case wire.MULTI | wire.MULTI_READ:
            return show_multi(cursor, labels)
        case wire.ADD_WATCH | wire.GET_ALL_CHILDREN_NUMBER:
            return str(cursor.i32())
        case wire.SASL:
            return show(cursor.buffer())
        case wire.WHO_AM_I:
            infos = [f"{show(cursor.buffer())}={show(cursor.buffer())}" for _ in range(cursor.i32())]
            return " ".join(infos)
        case _:
            return ""


def show_reply(opcode: int, error: int, cursor: Cursor, labels: Labels) -> str:
    """A reply after its header; bytes left over are part of it."""
    if error != 0 and (opcode != wire.MULTI_READ or not cursor.rest()):
        return f"error {error} {cursor.rest().hex()}".rstrip()
    outcome = "ok" if error == 0 else f"error {error}"
    try:
        text = show_body(opcode, cursor, labels)
    except wire.ShortReply as short:
        return f"short reply {cursor.data.hex()}: {short}"
    rest = cursor.rest()
    return f"{outcome} {text}{' left over ' + rest.hex() if rest else ''}".rstrip()


def show_notification(zxid: int, error: int, cursor: Cursor, labels: Labels) -> str:
    """A watch event."""
    kind, state, path = cursor.i32(), cursor.i32(), cursor.buffer()
    rest = cursor.rest().hex()
    return f"event {kind} {show(path)} state={state} zxid={labels.zxid(zxid)} err={error} {rest}".rstrip()
