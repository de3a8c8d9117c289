"""What is sent: named byte strings that no client should send, grouped by what is wrong with them.

A case is one connection's worth of bytes, with a session opened before or as the very first thing. Pieces are sent
with a pause between them, in which the server must neither answer nor close. Two things are a race in ZooKeeper itself:
how soon after refusing an opcode it closes (`is_closed_late`), and whether the answers of good requests still leave
when bad bytes behind them close the connection (`may_lose_answers`).
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from integration.abuse.connection import ANYONE, PING, create, get_data, request, set_data
from integration.conformance import wire
from integration.conformance.wire import buffer, flag, frame, i32, i64, multi_header, vector

FRAME_BYTES_MAX = 0xFFFFF
HUGE = 60 * 1024 * 1024
OPS_PER_MULTI = 16
NESTING = 16
RANDOM_SEED = 20_117

PATH_OPCODES = (
    wire.CREATE,
    wire.DELETE,
    wire.EXISTS,
    wire.GET_DATA,
    wire.SET_DATA,
    wire.GET_ACL,
    wire.SET_ACL,
    wire.GET_CHILDREN,
    wire.SYNC,
    wire.GET_CHILDREN2,
    wire.CREATE2,
    wire.CREATE_CONTAINER,
    wire.CREATE_TTL,
    wire.GET_EPHEMERALS,
    wire.GET_ALL_CHILDREN_NUMBER,
    wire.ADD_WATCH,
    wire.REMOVE_WATCHES,
    wire.CHECK_WATCHES,
)
"""Opcodes whose body begins with a path."""

BAD_PATHS: dict[str, bytes | None] = {
    "null": None,
    "empty": b"",
    "relative": b"abuse",
    "double slash": b"//",
    "empty name": b"/abuse//x",
    "trailing slash": b"/abuse/",
    "dot": b"/abuse/.",
    "dots": b"/abuse/../abuse",
    "up from the root": b"/..",
    "NUL": b"/abuse/a\x00b",
    "only NUL": b"\x00",
    "control character": b"/abuse/\x01",
    "delete character": b"/abuse/\x7f",
    "C1 character": b"/abuse/\xc2\x85",
    "bad UTF-8": b"/abuse/\xff\xfe",
    "cut UTF-8": b"/abuse/\xe2\x82",
    "overlong UTF-8": b"/abuse/\xc0\xaf..",
    "surrogate": b"/abuse/\xed\xa0\x80",
    "surrogate pair": b"/abuse/\xed\xa0\xbd\xed\xb8\x80",
    "four byte character": b"/abuse/\xf0\x9f\x98\x80",
    "private character": b"/abuse/\xef\xa3\xbf",
    "special character": b"/abuse/\xef\xbf\xbd",
    "beyond Unicode": b"/abuse/\xf5\x80\x80\x80",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One connection's worth of bytes."""

    name: str
    pieces: tuple[bytes, ...]
    with_session: bool = True
    is_word: bool = False
    is_closed_late: bool = False
    may_lose_answers: bool = False


def rest_of(opcode: int) -> bytes:
    """A good body behind the path."""
    match opcode:
        case wire.CREATE | wire.CREATE2:
            return buffer(b"") + ANYONE + i32(0)
        case wire.CREATE_CONTAINER:
            return buffer(b"") + ANYONE + i32(4)
        case wire.CREATE_TTL:
            return buffer(b"") + ANYONE + i32(5) + i64(3_600_000)
        case wire.DELETE:
            return i32(-1)
        case wire.EXISTS | wire.GET_DATA | wire.GET_CHILDREN | wire.GET_CHILDREN2:
            return flag(True)
        case wire.SET_DATA:
            return buffer(b"x") + i32(-1)
        case wire.SET_ACL:
            return ANYONE + i32(-1)
        case wire.ADD_WATCH:
            return i32(1)
        case wire.REMOVE_WATCHES | wire.CHECK_WATCHES:
            return i32(3)
        case _:
            return b""


def _frames() -> Iterator[Case]:
    for name, length in {
        "-1": -1,
        "smallest": -(2**31),
        "60 MiB": HUGE,
        "largest": 2**31 - 1,
        "one too many": 2**20,
    }.items():
        yield Case(f"frame length {name}", (i32(length) + b"rest",))
        pieces = (PING + get_data(1, b"/") + i32(length),)
        yield Case(f"frame length {name} behind good requests", pieces, may_lose_answers=True)
        yield Case(f"frame length {name} as the first thing", (i32(length) + b"rest",), with_session=False)
    for size in range(8):
        yield Case(f"frame of {size} bytes", (frame(bytes(size)),))
    pieces = (set_data(1, b"/none", b"") + frame(bytes(5)),)
    yield Case("frame of 5 bytes behind a write", pieces, may_lose_answers=True)
    yield Case("greatest frame", (frame(i32(1) + i32(wire.PING) + bytes(FRAME_BYTES_MAX - 8)),))
    yield Case("zeros", (bytes(64),))
    yield Case("half a length", (get_data(1, b"/")[:2], get_data(1, b"/")[2:]))
    yield Case("half a frame", (set_data(1, b"/none", b"x" * 500)[:90], set_data(1, b"/none", b"x" * 500)[90:]))
    yield Case("byte by byte", tuple(bytes([byte]) for byte in request(9, wire.SYNC, buffer(b"/"))))


def _opcodes() -> Iterator[Case]:
    for opcode in (0, -1, -12, 10, 23, 24, 30, 99, 108, 200, 1000, 2**31 - 1, -(2**31)):
        yield Case(f"unknown opcode {opcode}", (request(7, opcode),), is_closed_late=True)
    yield Case("createSession as a request", (request(7, -10),))
    pieces = (PING + get_data(1, b"/none") + request(7, 4711) + PING,)
    yield Case("unknown opcode behind good requests", pieces, may_lose_answers=True, is_closed_late=True)
    for opcode, name in wire.OPCODE_NAMES.items():
        if opcode not in (wire.PING, wire.CLOSE_SESSION, wire.WHO_AM_I):
            late = opcode == wire.CHECK
            yield Case(f"{name} with an empty body", (request(5, opcode),), is_closed_late=late)
            yield Case(f"{name} with a body of ones", (request(5, opcode, b"\xff" * 40),), is_closed_late=late)
            yield Case(f"{name} with a body of sevens", (request(5, opcode, b"\x07" * 40),), is_closed_late=late)
            body = i32(2**31 - 1) + b"/abuse"
            yield Case(f"{name} with a path of 2 GiB", (request(5, opcode, body),), is_closed_late=late)
    yield Case("ping with a body", (request(-2, wire.PING, b"x" * 300),))
    pieces = (request(5, wire.CLOSE_SESSION, b"x" * 30) + PING,)
    yield Case("closeSession with a body, and more behind it", pieces, may_lose_answers=True, is_closed_late=True)
    pieces = (request(5, wire.CLOSE_SESSION) * 2,)
    yield Case("closeSession twice", pieces, may_lose_answers=True, is_closed_late=True)
    yield Case(
        "odd xids", (get_data(0, b"/q") + get_data(-1, b"/q") + get_data(-4, b"/q") + get_data(-(2**31), b"/q"),)
    )


def _paths() -> Iterator[Case]:
    for name, path in BAD_PATHS.items():
        for opcode in PATH_OPCODES:
            # getData and its like of the root answer with a Stat, whose length is all that is compared.
            body = request(3, opcode, buffer(path) + rest_of(opcode))
            yield Case(f"{wire.OPCODE_NAMES[opcode]} of a path: {name}", (body,))
        ops = multi_header(wire.CHECK, False, -1) + buffer(path) + i32(-1) + multi_header(-1, True, -1)
        yield Case(f"check in a multi of a path: {name}", (request(3, wire.MULTI, ops),))
    long_name = b"/abuse-" + b"n" * 100_000
    yield Case("a name of 100 kB", (create(1, long_name) + create(2, long_name + b"/c") + get_data(3, long_name),))
    yield Case("that name's end", (request(4, wire.DELETE, buffer(long_name + b"/c") + i32(-1)),))
    yield Case("that name's own end", (request(5, wire.DELETE, buffer(long_name) + i32(-1)),))
    deep = b"/d" * 3000
    yield Case("three thousand missing parents", (create(1, deep) + get_data(2, deep),))


def _bodies() -> Iterator[Case]:
    whole = buffer(b"/abuse-cut") + buffer(b"data") + ANYONE + i32(0)
    for size in range(len(whole)):
        yield Case(f"create cut after {size} bytes", (request(2, wire.CREATE, whole[:size]),))
    start = buffer(b"/abuse-acl") + buffer(b"")
    for name, acl in {
        "null": i32(-1),
        "none": i32(0),
        "-2 entries": i32(-2),
        "2 billion entries": i32(2**31 - 1),
        "a million entries": i32(1_000_000) + ANYONE[4:],
        "null scheme": vector([i32(31) + i32(-1) + buffer(b"anyone")]),
        "null id": vector([i32(31) + buffer(b"world") + i32(-1)]),
        "empty scheme": vector([i32(31) + buffer(b"") + buffer(b"")]),
        "permissions -1": vector([i32(-1) + buffer(b"world") + buffer(b"anyone")]),
        "permissions 32": vector([i32(32) + buffer(b"world") + buffer(b"anyone")]),
        "scheme not UTF-8": vector([i32(31) + buffer(b"\xff\xff") + buffer(b"anyone")]),
        "ip beyond its bits": vector([i32(31) + buffer(b"ip") + buffer(b"127.0.0.1/99")]),
        "ip of words": vector([i32(31) + buffer(b"ip") + buffer(b"a.b.c.d/x")]),
        "digest of NULs": vector([i32(31) + buffer(b"digest") + buffer(b"\x00:\x00")]),
    }.items():
        yield Case(f"create with an ACL: {name}", (request(2, wire.CREATE, start + acl + i32(0)),))
    for flags in (-1, 7, 8, 99, 2**31 - 1, -(2**31)):
        yield Case(f"create with flags {flags}", (create(2, b"/abuse-flags", b"", flags),))
    for ttl in (0, -1, 2**40, 2**62, -(2**63)):
        body = buffer(b"/abuse-ttl") + buffer(b"") + ANYONE + i32(5) + i64(ttl)
        yield Case(f"createTTL with a TTL of {ttl}", (request(2, wire.CREATE_TTL, body),))
    for size in (-2, 2**31 - 1, HUGE):
        body = buffer(b"/") + i32(size) + b"x" * 20
        yield Case(f"setData with data of {size}", (request(2, wire.SET_DATA, body),))
    for mode in (-1, 2, 2**31 - 5):
        yield Case(f"addWatch of mode {mode}", (request(2, wire.ADD_WATCH, buffer(b"/") + i32(mode)),))
        yield Case(f"removeWatches of type {mode}", (request(2, wire.REMOVE_WATCHES, buffer(b"/") + i32(mode + 3)),))
    for count in (-1, -2, 10_000_000, 2**31 - 1):
        body = i64(0) + i32(count) + i32(0) + i32(0)
        yield Case(f"setWatches of {count} paths", (request(2, wire.SET_WATCHES, body),))


def _auth() -> Iterator[Case]:
    for name, scheme, auth in (
        ("unknown scheme", b"nosuch", b"x"),
        ("empty scheme", b"", b""),
        ("null scheme", None, b"x"),
        ("scheme not UTF-8", b"\xff\xfe", b"x"),
        ("digest without colon", b"digest", b"x"),
        ("digest empty", b"digest", b""),
        ("digest null", b"digest", None),
        ("digest of colons", b"digest", b":::::"),
        ("digest not UTF-8", b"digest", b"\xff:\xff"),
        ("world", b"world", b"anyone"),
        ("ip", b"ip", b"1.2.3.4"),
        ("super", b"super", b"x"),
        ("a megabyte", b"digest", b"u:" + b"p" * 1_000_000),
    ):
        packet = request(-4, wire.AUTH, i32(0) + buffer(scheme) + buffer(auth))
        yield Case(f"auth: {name}", (packet,))


def _bad_op(number: int) -> bytes:
    """Ops that fail for different reasons, or that are no ops at all."""
    missing = buffer(b"/abuse-missing")
    kinds = (
        multi_header(wire.CREATE, False, -1) + buffer(b"/abuse-missing/x") + rest_of(wire.CREATE),
        multi_header(wire.DELETE, False, -1) + missing + i32(-1),
        multi_header(wire.SET_DATA, False, -1) + missing + rest_of(wire.SET_DATA),
        multi_header(wire.CHECK, False, -1) + missing + i32(3),
        multi_header(wire.CREATE, False, -1) + buffer(b"/a//b") + rest_of(wire.CREATE),
        multi_header(wire.CREATE_CONTAINER, False, -1) + buffer(b"x") + rest_of(wire.CREATE_CONTAINER),
        multi_header(wire.CREATE_TTL, False, -1) + missing + buffer(b"") + ANYONE + i32(5) + i64(-1),
        multi_header(wire.CREATE, False, -1) + i32(-1) + rest_of(wire.CREATE),
    )
    return kinds[number % len(kinds)]


def _multis() -> Iterator[Case]:
    end = multi_header(-1, True, -1)
    good = multi_header(wire.CREATE, False, -1) + buffer(b"/abuse-multi") + rest_of(wire.CREATE)
    for number in range(8):
        ops = _bad_op(number) * OPS_PER_MULTI
        yield Case(f"multi of sixteen bad ops of kind {number}", (request(2, wire.MULTI, ops + end),))
        yield Case(
            f"multi of fifteen good ops and a bad one {number}",
            (request(2, wire.MULTI, good + _bad_op(number) * (OPS_PER_MULTI - 1) + end),),
        )
    mixed = b"".join(_bad_op(number) for number in range(OPS_PER_MULTI))
    yield Case("multi of sixteen different bad ops", (request(2, wire.MULTI, mixed + end),))
    nested = end
    for _ in range(NESTING):
        nested = multi_header(wire.MULTI, False, -1) + nested + end
    yield Case("multi in a multi, sixteen deep", (request(2, wire.MULTI, nested),))
    yield Case("multiRead in a multiRead, sixteen deep", (request(2, wire.MULTI_READ, nested),))
    for opcode in (0, -1, wire.GET_DATA, wire.PING, wire.AUTH, wire.CLOSE_SESSION, wire.SET_ACL, wire.SYNC, 4711):
        ops = good + multi_header(opcode, False, -1) + buffer(b"/") + flag(False)
        yield Case(f"multi with an op of type {opcode}", (request(2, wire.MULTI, ops + end),))
        ops = multi_header(wire.GET_DATA, False, -1) + buffer(b"/") + flag(False) + multi_header(opcode, False, -1)
        yield Case(f"multiRead with an op of type {opcode}", (request(2, wire.MULTI_READ, ops + buffer(b"/") + end),))
    yield Case("multi of nothing", (request(2, wire.MULTI, end),))
    yield Case("multi without an end", (request(2, wire.MULTI, good * 3),))
    yield Case("multi that ends in a header", (request(2, wire.MULTI, good + end[:5]),))
    yield Case("multi with more behind its end", (request(2, wire.MULTI, _bad_op(1) + end + good),))
    yield Case("multi of headers only", (request(2, wire.MULTI, multi_header(wire.CREATE, False, -1) * OPS_PER_MULTI),))
    yield Case(
        "multi of ten thousand checks",
        (request(2, wire.MULTI, (multi_header(wire.CHECK, False, -1) + buffer(b"/") + i32(-1)) * 10_000 + end),),
    )
    chance = random.Random(RANDOM_SEED)
    for number in range(20):
        noise = chance.randbytes(chance.randrange(4, 200))
        yield Case(f"multi of noise {number}", (request(2, wire.MULTI, noise),))
        yield Case(f"multi of an op and noise {number}", (request(2, wire.MULTI, _bad_op(number) + noise),))


def _connect(
    timeout_ms: int = 30_000,
    session_id: int = 0,
    password: bytes | None = bytes(16),
    zxid: int = 0,
    end: bytes = b"\x00",
) -> bytes:
    return wire.connect_request(zxid, timeout_ms, session_id, password, end)


def _client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tunnel = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        tunnel.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a peer")


def _first_packets() -> Iterator[Case]:
    whole = _connect()
    cases: dict[str, bytes] = {
        "a TLS hello": _client_hello(),
        "HTTP GET": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "an SSH banner": b"SSH-2.0-OpenSSH_9.2\r\n",
        "a word in capitals": b"RUOK",
        "a word nobody knows": b"abcd",
        "telnet's close": b"\xff\xf4\xff\xfd\x06",
        "a getData": get_data(1, b"/"),
        "a ping": PING,
        "an auth packet": request(-4, wire.AUTH, i32(0) + buffer(b"digest") + buffer(b"a:b")),
        "a frame of nothing": i32(0),
        "noise": random.Random(RANDOM_SEED).randbytes(500),
        "a connect request and requests": whole + get_data(1, b"/none") + create(2, b"/abuse-early"),
        "a huge password": _connect(password=b"p" * 100_000),
        "a null password": _connect(password=None),
        "an empty password": _connect(password=b""),
        "a session nobody has": _connect(session_id=0x1234567890),
        "a session nobody has, a huge password": _connect(session_id=0x1234567890, password=b"p" * 100_000),
        "a session nobody has, a null password": _connect(session_id=0x1234567890, password=None),
        "session -1": _connect(session_id=-1),
        "a timeout of 0": _connect(timeout_ms=0),
        "a timeout of -1": _connect(timeout_ms=-1),
        "the longest timeout": _connect(timeout_ms=2**31 - 1),
        "a zxid from the future": _connect(zxid=2**60),
        "zxid -1": _connect(zxid=-1),
        "no readOnly": _connect(end=b""),
        "readOnly 7": _connect(end=b"\x07"),
        "a tail": _connect(end=b"\x00" + b"tail" * 100),
        "a password of length -2": frame(whole[4:28] + i32(-2) + bytes(17)),
        "a password of 2 GiB": frame(whole[4:28] + i32(2**31 - 1) + bytes(17)),
        "protocol version 99": frame(i32(99) + whole[8:]),
    }
    for name, data in cases.items():
        yield Case(f"first comes {name}", (data,), with_session=False)
    for size in range(len(whole) - 4):
        yield Case(f"first comes a connect request of {size} bytes", (frame(whole[4 : 4 + size]),), with_session=False)
    yield Case("a connect request byte by byte", tuple(bytes([byte]) for byte in whole), with_session=False)
    yield Case("half a connect request", (whole[:20], whole[20:]), with_session=False)
    for name, tail in {"noise": b"\xf0" * 50, "a four-letter word": b"ruok"}.items():
        name = f"first comes a connect request and {name}"
        yield Case(name, (whole + tail,), with_session=False, may_lose_answers=True)
    bad_auth = request(-4, wire.AUTH, i32(0) + i32(26_485) + b"digest")
    for name, tail in {"a short frame": frame(bytes(5)), "an auth packet cut short": bad_auth}.items():
        # These are met when the session is there, by whoever brings that news: never by the connection's own reading.
        name = f"first comes a connect request and {name}"
        yield Case(name, (whole + tail,), with_session=False, may_lose_answers=True)
    yield Case("a second connect request", (whole,), is_closed_late=True)
    yield Case("first comes a connect request twice", (whole * 2,), with_session=False, is_closed_late=True)
    yield Case("a four-letter word in a session", (b"ruok",))
    yield Case("a word in two halves", (b"ru", b"ok"), with_session=False, is_word=True)
    yield Case("a word with a tail", (b"ruok" + b"x" * 1000,), with_session=False, is_word=True)
    yield Case("two words", (b"ruokruok",), with_session=False, is_word=True)


FAMILIES: dict[str, list[Case]] = {
    "frames": list(_frames()),
    "opcodes": list(_opcodes()),
    "paths": list(_paths()),
    "bodies": list(_bodies()),
    "auth": list(_auth()),
    "multis": list(_multis()),
    "first packets": list(_first_packets()),
}
CASES: list[Case] = [case for cases in FAMILIES.values() for case in cases]
