"""Seeded random scripts: what a few clients do, good and bad, the same for every server.

A script knows nothing of the answers. What it must take from one (a zxid to come back with) it names by where it was
seen, and the player fills in the server's own figure.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from integration.conformance import wire
from integration.conformance.wire import Acl, acl_vector, buffer, flag, i32, i64, multi_header, vector

CONNECTION_COUNT = 4
BATCH_MAX = 24
OPEN: list[Acl] = [(31, b"world", b"anyone")]
SUPER_DIGEST = "super:" + base64.b64encode(hashlib.sha1(b"super:test").digest()).decode()


class StepKind(enum.Enum):
    """What happens in one step."""

    BATCH = "batch"
    REATTACH = "reattach after dropping the connection"
    STEAL = "reattach beside the old connection"
    BAD_PASSWORD = "reattach with a wrong password"
    FUTURE = "handshake from the future"
    CLOSE = "closeSession"


class ZxidSource(enum.Enum):
    """Which zxid a setWatches carries."""

    NONE = "none in this request"
    ZERO = "zero"
    LAST = "the connection's last"
    EARLIER = "one seen earlier by anyone"
    HUGE = "the largest possible"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; with a zxid source, the player puts eight bytes before the body."""

    opcode: int
    body: bytes
    text: str
    xid: int | None = None
    zxid_source: ZxidSource = ZxidSource.NONE
    fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one connection does before the others look."""

    connection: int
    kind: StepKind
    requests: tuple[Request, ...] = ()
    timeout_ms: int = 30000
    short_handshake: bool = False

    def describe(self) -> str:
        """For the report of a difference."""
        asked = "\n".join(f"      {number}: {request.text}" for number, request in enumerate(self.requests))
        return f"connection {self.connection}: {self.kind.value} (timeout {self.timeout_ms})\n{asked}"


def digest_id(user: str, password: str) -> bytes:
    """The id that an auth packet `user:password` gives."""
    hashed = hashlib.sha1(f"{user}:{password}".encode()).digest()
    return f"{user}:{base64.b64encode(hashed).decode()}".encode()


BAD_PATHS: list[bytes | None] = [
    None,
    b"",
    b"foo",
    b"foo/bar",
    b"/",
    b"//",
    b"/a/",
    b"/a//b",
    b"/a/..",
    b"/a/../b",
    b"/a/./b",
    b"/missing/../x",
    b"/a/\x00",
    b"/a\x00b/c",
    b"/a/\x01x",
    b"/a/\x7f",
    "/a/\u0085".encode(),
    "/a/\ue000".encode(),
    "/a/\uffff".encode(),
    "/a/\U0001f600".encode(),
]
ODD_PATHS: list[bytes | None] = [
    b"/a/...",
    b"/a/..b",
    b"/a/x y",
    "/a/é".encode(),
    "/a/中".encode(),
    b"/zookeeper",
    b"/zookeeper/config",
    b"/zookeeper/quota",
    b"/zookeeper/x",
    b"/zookeeper/quota/a",
    b"/",
]
NOT_UTF8: list[bytes | None] = [b"/a/\xff\xfe", b"/a/\xc3", b"\x80"]
ACLS: list[list[Acl] | None] = [
    None,
    [],
    [(31, b"auth", b"")],
    [(31, b"auth", b"ignored"), (1, b"auth", b"")],
    [(31, b"auth", None)],
    [(31, b"digest", digest_id("u1", "p1"))],
    [(1, b"digest", digest_id("u1", "p1")), (31, b"digest", digest_id("u2", "p2"))],
    [(31, b"digest", b"a:")],
    [(31, b"digest", b"a:b:c")],
    [(31, b"digest", b"nocolon")],
    [(31, b"digest", b"")],
    [(31, b"ip", b"127.0.0.1")],
    [(31, b"ip", b"127.0.0.0/8"), (1, b"ip", b"10.0.0.1")],
    [(31, b"ip", b"10.0.0.0/8")],
    [(31, b"ip", b"10.0.0.0/33")],
    [(31, b"ip", b"300.1.1.1")],
    [(31, b"ip", b"::1")],
    [(31, b"ip", b"not-an-address")],
    [(31, b"super", b"super")],
    [(31, b"sasl", b"bob")],
    [(31, b"x509", b"CN=bob")],
    [(31, b"nosuch", b"x")],
    [(31, None, b"x")],
    [(31, b"world", b"somebody")],
    [(31, b"world", b"")],
    [(31, b"world", None)],
    [(31, b"digest", None)],
    [(31, b"", b"")],
    OPEN + OPEN,
    [*OPEN, (1, b"world", b"anyone")],
    [(0, b"world", b"anyone")],
    [(-1, b"world", b"anyone")],
    [(32, b"world", b"anyone")],
    [(1 << 20 | 31, b"world", b"anyone")],
    [(1, b"world", b"anyone")],
    [(2, b"world", b"anyone")],
    [(3, b"world", b"anyone")],
    [(4, b"world", b"anyone")],
    [(8, b"world", b"anyone")],
    [(16, b"world", b"anyone")],
    [(15, b"world", b"anyone")],
    [(30, b"world", b"anyone")],
    [(23, b"world", b"anyone"), (8, b"digest", digest_id("u2", "p2"))],
]
ACLS_WITHOUT_NULL_IDS = [acl for acl in ACLS if acl is None or all(ident is not None for _, _, ident in acl)]
AUTHS: list[tuple[bytes | None, bytes | None]] = [
    (b"digest", b"u1:p1"),
    (b"digest", b"u1:p1"),
    (b"digest", b"u2:p2"),
    (b"digest", b"u2:wrong"),
    (b"digest", b"super:test"),
    (b"digest", b"nocolon"),
    (b"digest", b""),
    (b"ip", b""),
    (b"ip", b"1.2.3.4"),
]
FAILING_AUTHS: list[tuple[bytes | None, bytes | None]] = [
    (b"digest", None),
    (b"world", b"anyone"),
    (b"auth", b""),
    (b"super", b"super"),
    (b"nosuch", b"x"),
    (b"", b""),
]
UNKNOWN_OPCODES = [-1, 0, 10, 13, 23, 24, 50, 99, 108, 200, -2, -12, 2**31 - 1, -(2**31)]


class ScriptMaker:
    """Makes steps from one generator of random numbers."""

    def __init__(self, seed: int, bad_utf8: bool = True) -> None:
        self.random = random.Random(seed)
        self.bad_utf8 = bad_utf8
        self.inside_multi = False
        self.makers: list[tuple[Callable[[], Request], int]] = [
            (self.create, 26),
            (self.create_ttl, 4),
            (self.delete, 12),
            (self.exists, 6),
            (self.get_data, 6),
            (self.set_data, 9),
            (self.get_acl, 3),
            (self.set_acl, 3),
            (self.get_children, 3),
            (self.get_children2, 4),
            (self.sync, 2),
            (self.ping, 2),
            (self.multi, 9),
            (self.multi_read, 3),
            (self.set_watches, 2),
            (self.add_watch, 3),
            (self.check_or_remove_watches, 4),
            (self.get_ephemerals, 2),
            (self.get_all_children_number, 2),
            (self.who_am_i, 1),
            (self.reconfig, 1),
            (self.truncated, 2),
        ]

    def script(self, operation_count: int) -> list[Step]:
        """Steps with about so many operations in all."""
        steps: list[Step] = []
        done = 0
        while done < operation_count:
            step = self.step()
            steps.append(step)
            done += max(1, len(step.requests))
        return steps

    def step(self) -> Step:
        """What one connection does."""
        connection = self.random.randrange(CONNECTION_COUNT)
        dice = self.random.random()
        timeout_ms = self.random.choice([30000, 30000, 30000, 20000, 40000, 60000, 2**31 - 1, 39999])
        short = self.random.random() < 0.2
        if dice < 0.05:
            return Step(connection, StepKind.BATCH, (self.auth(),))
        if dice < 0.07:
            return Step(connection, StepKind.BATCH, (self.unknown(),))
        for limit, kind in (
            (0.10, StepKind.REATTACH),
            (0.12, StepKind.STEAL),
            (0.13, StepKind.BAD_PASSWORD),
            (0.14, StepKind.FUTURE),
            (0.165, StepKind.CLOSE),
        ):
            if dice < limit:
                return Step(connection, kind, (), timeout_ms, short)
        makers = [maker for maker, _ in self.makers]
        weights = [weight for _, weight in self.makers]
        count = self.random.randint(1, BATCH_MAX)
        chosen = self.random.choices(makers, weights, k=count)
        requests: list[Request] = []
        for maker in chosen:
            requests.append(maker())
            if requests[-1].opcode == wire.SET_ACL:
                # ZooKeeper checks pipelined requests against the old ACL until the new one is applied: a race.
                break
        return Step(connection, StepKind.BATCH, tuple(requests))

    # Arguments.

    def path(self) -> bytes | None:
        """Mostly one of some forty good paths, so that requests meet."""
        dice = self.random.random()
        if dice < 0.05:
            return self.random.choice(BAD_PATHS)
        if dice < 0.08:
            return self.random.choice(ODD_PATHS)
        if dice < 0.085 and self.bad_utf8:
            return self.random.choice(NOT_UTF8)
        depth = self.random.choices([1, 2, 3], [3, 5, 2])[0]
        names = [self.random.choice([b"a", b"b", b"c"]) for _ in range(depth)]
        if self.random.random() < 0.12:
            names[-1] += b"%010d" % self.random.randrange(6)
        return b"/" + b"/".join(names)

    def version(self) -> int:
        """Mostly any."""
        return self.random.choice([-1, -1, -1, -1, 0, 0, 1, 2, 3, -2, 2**31 - 1, -(2**31)])

    def data(self) -> bytes | None:
        """Null, empty, short, and now and then long."""
        return self.random.choice([None, b"", b"x", b"hello", b"\x00\xff", b"y" * 256, self.random.randbytes(40)])

    def acl(self) -> list[Acl] | None:
        """Mostly open to all."""
        if self.random.random() >= 0.15:
            return OPEN
        # A null id inside a multi makes ZooKeeper answer -5 and forget to take back what the operations before it had
        # promised: later names and checks then depend on its timing.
        return self.random.choice(ACLS_WITHOUT_NULL_IDS if self.inside_multi else ACLS)

    def watch(self) -> bytes:
        """A watch flag; any byte but zero is true."""
        return self.random.choice([b"\x00", b"\x00", b"\x01", b"\x01", b"\x02"])

    def sequential_path(self, flags: int) -> bytes | None:
        """Sequential creates get a prefix, sometimes an empty one."""
        path = self.path()
        if flags in (2, 3, 6) and path is not None and self.random.random() < 0.3:
            return path.rstrip(b"0123456789") + b"/"
        return path

    # Requests.

    def create(self) -> Request:
        """create, create2 or createContainer."""
        opcode = self.random.choices([wire.CREATE, wire.CREATE2, wire.CREATE_CONTAINER], [6, 3, 1])[0]
        usual = 4 if opcode == wire.CREATE_CONTAINER else self.random.choice([0, 0, 0, 0, 1, 1, 2, 3])
        flags = usual if self.random.random() < 0.93 else self.random.choice([0, 1, 3, 4, 5, 6, 7, -1, 100])
        return self.create_request(opcode, flags)

    def create_request(self, opcode: int, flags: int) -> Request:
        """One create of the plain form."""
        path, data, acl = self.sequential_path(flags), self.data(), self.acl()
        body = buffer(path) + buffer(data) + acl_vector(acl) + i32(flags)
        return Request(opcode, body, f"{wire.OPCODE_NAMES[opcode]}({path!r}, {data!r}, acl={acl}, flags={flags})")

    def create_ttl(self) -> Request:
        """createTTL."""
        flags = self.random.choice([5, 5, 5, 6, 6, 0, 1, 4, 7])
        ttl = self.random.choice([1 << 39, 1 << 30, 3600000, 3600000, 0, -1, -2, 1 << 40, (1 << 40) - 1, 1 << 62])
        if flags not in (5, 6):
            # A plain mode with a negative ttl passes ZooKeeper's check and then kills the whole server while applying.
            ttl = max(ttl, 0)
        path, data, acl = self.sequential_path(flags), self.data(), self.acl()
        body = buffer(path) + buffer(data) + acl_vector(acl) + i32(flags) + i64(ttl)
        return Request(wire.CREATE_TTL, body, f"createTTL({path!r}, {data!r}, acl={acl}, flags={flags}, ttl={ttl})")

    def delete(self) -> Request:
        """delete."""
        return self.path_and_version(wire.DELETE)

    def path_and_version(self, opcode: int) -> Request:
        """delete or check."""
        path, version = self.path(), self.version()
        return Request(opcode, buffer(path) + i32(version), f"{wire.OPCODE_NAMES[opcode]}({path!r}, {version})")

    def path_and_watch(self, opcode: int) -> Request:
        """A read that may leave a watch."""
        path, watch = self.path(), self.watch()
        return Request(opcode, buffer(path) + watch, f"{wire.OPCODE_NAMES[opcode]}({path!r}, watch={watch!r})")

    def exists(self) -> Request:
        """exists."""
        return self.path_and_watch(wire.EXISTS)

    def get_data(self) -> Request:
        """getData."""
        return self.path_and_watch(wire.GET_DATA)

    def get_children(self) -> Request:
        """getChildren."""
        return self.path_and_watch(wire.GET_CHILDREN)

    def get_children2(self) -> Request:
        """getChildren2."""
        return self.path_and_watch(wire.GET_CHILDREN2)

    def set_data(self) -> Request:
        """setData."""
        path, data, version = self.path(), self.data(), self.version()
        body = buffer(path) + buffer(data) + i32(version)
        return Request(wire.SET_DATA, body, f"setData({path!r}, {data!r}, {version})")

    def get_acl(self) -> Request:
        """getACL."""
        return self.path_only(wire.GET_ACL)

    def set_acl(self) -> Request:
        """setACL, mostly opening again."""
        path, version = self.path(), self.version()
        acl = OPEN if self.random.random() < 0.4 else self.random.choice(ACLS)
        body = buffer(path) + acl_vector(acl) + i32(version)
        return Request(wire.SET_ACL, body, f"setACL({path!r}, {acl}, {version})")

    def path_only(self, opcode: int) -> Request:
        """A request of one path."""
        path = self.path()
        return Request(opcode, buffer(path), f"{wire.OPCODE_NAMES[opcode]}({path!r})")

    def sync(self) -> Request:
        """sync."""
        return self.path_only(wire.SYNC)

    def get_ephemerals(self) -> Request:
        """getEphemerals."""
        prefix = self.random.choice([None, b"", b"/", b" ", b"/a", b"/a/", b"/b/c", b"zzz"])
        return Request(wire.GET_EPHEMERALS, buffer(prefix), f"getEphemerals({prefix!r})")

    def get_all_children_number(self) -> Request:
        """getAllChildrenNumber."""
        return self.path_only(wire.GET_ALL_CHILDREN_NUMBER)

    def ping(self) -> Request:
        """ping, with the usual xid or another one."""
        return Request(wire.PING, b"", "ping", self.random.choice([wire.XID_PING, None]))

    def who_am_i(self) -> Request:
        """whoAmI."""
        return Request(wire.WHO_AM_I, b"", "whoAmI")

    def reconfig(self) -> Request:
        """reconfig, which a server on its own refuses."""
        body = buffer(b"server.2=localhost:1:2;3") + buffer(None) + buffer(None) + i64(-1)
        return Request(wire.RECONFIG, body, "reconfig")

    def watch_paths(self) -> list[bytes | None] | None:
        """Paths of a setWatches."""
        if self.random.random() < 0.03:
            return None
        return [self.path() for _ in range(self.random.randrange(4))]

    def set_watches(self) -> Request:
        """setWatches or setWatches2, from a zxid that the player knows."""
        opcode = self.random.choice([wire.SET_WATCHES, wire.SET_WATCHES2, wire.SET_WATCHES2])
        lists = [self.watch_paths() for _ in range(3 if opcode == wire.SET_WATCHES else 5)]
        body = b"".join(vector(None if paths is None else [buffer(path) for path in paths]) for paths in lists)
        source = self.random.choice([ZxidSource.ZERO, ZxidSource.LAST, ZxidSource.EARLIER, ZxidSource.HUGE])
        text = f"{wire.OPCODE_NAMES[opcode]}({source.value}, {lists})"
        return Request(opcode, body, text, self.random.choice([-8, None]), source, self.random.random())

    def add_watch(self) -> Request:
        """addWatch."""
        path, mode = self.path(), self.random.choice([0, 0, 1, 1, 2, -1])
        return Request(wire.ADD_WATCH, buffer(path) + i32(mode), f"addWatch({path!r}, {mode})")

    def check_or_remove_watches(self) -> Request:
        """checkWatches or removeWatches."""
        opcode = self.random.choice([wire.CHECK_WATCHES, wire.REMOVE_WATCHES])
        path, kind = self.path(), self.random.choice([1, 2, 3, 4, 5, 1, 2, 3, 0, 6, -1])
        return Request(opcode, buffer(path) + i32(kind), f"{wire.OPCODE_NAMES[opcode]}({path!r}, {kind})")

    def multi_operation(self) -> Request:
        """One operation of a multi, now and then one that has no business there."""
        dice = self.random.random()
        if dice < 0.015:
            return self.random.choice([self.get_data, self.set_acl, self.sync, self.multi, self.exists])()
        if dice < 0.40:
            return self.create()
        return self.random.choice([self.delete, self.set_data, self.set_data, self.check, self.create_ttl])()

    def check(self) -> Request:
        """check, only inside a multi."""
        return self.path_and_version(wire.CHECK)

    def multi(self) -> Request:
        """multi of up to five operations."""
        outermost = not self.inside_multi
        self.inside_multi = True
        operations = [self.multi_operation() for _ in range(self.random.choice([0, 1, 1, 2, 2, 2, 3, 3, 5]))]
        self.inside_multi = not outermost
        return self.framed_together(wire.MULTI, operations)

    def multi_read(self) -> Request:
        """multiRead."""
        operations = [self.random.choice([self.get_data, self.get_children])() for _ in range(self.random.randrange(5))]
        if self.random.random() < 0.06:
            operations.append(self.random.choice([self.delete, self.exists])())
        return self.framed_together(wire.MULTI_READ, operations)

    def framed_together(self, opcode: int, operations: list[Request]) -> Request:
        """Operations with their headers and the end header, which may be missing."""
        body = b"".join(multi_header(one.opcode, False, -1) + one.body for one in operations)
        complete = self.random.random() > 0.01
        if complete:
            body += multi_header(-1, True, -1)
        text = ", ".join(one.text for one in operations)
        return Request(opcode, body, f"{wire.OPCODE_NAMES[opcode]}[{text}]{'' if complete else ' without an end'}")

    def truncated(self) -> Request:
        """A body that ends too early or goes on too long."""
        makers = [self.create, self.create_ttl, self.delete, self.get_data, self.set_data, self.set_acl]
        makers += [self.get_children2, self.exists, self.add_watch, self.check_or_remove_watches, self.get_acl]
        whole = self.random.choice(makers)()
        if self.random.random() < 0.3:
            return Request(whole.opcode, whole.body + b"trailing", f"{whole.text} + trailing bytes")
        cut = self.random.randrange(len(whole.body))
        return Request(whole.opcode, whole.body[:cut], f"{whole.text} cut to {cut} bytes")

    def auth(self) -> Request:
        """An auth packet, alone in its step: its answer may overtake others."""
        scheme, payload = self.random.choice(AUTHS if self.random.random() < 0.9 else FAILING_AUTHS)
        body = i32(0) + buffer(scheme) + buffer(payload)
        return Request(wire.AUTH, body, f"auth({scheme!r}, {payload!r})", self.random.choice([wire.XID_AUTH, None]))

    def unknown(self) -> Request:
        """An opcode that no server serves (a check on its own too); the answer is followed by a close."""
        opcode = self.random.choice(UNKNOWN_OPCODES)
        return Request(opcode, buffer(b"/a") + flag(False), f"opcode {opcode}")
