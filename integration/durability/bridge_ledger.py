"""What one client knows of its own subtree: a model that applies its requests in order, and says what must be there.

A client is alone in its subtree, and a session's requests take effect in their order. So after any crash the subtree
must be what the acknowledged requests and some first part of those behind them leave: nothing lost, no multi in parts,
no hole. Names of sequential nodes, versions and children versions follow from the same model.

    acknowledged: 1 2 3 4    sent: 5 6 7    after a crash one of 4, 5, 6, 7 requests must explain everything
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from integration.conformance import wire

OK: Final = 0
NO_NODE: Final = -101
BAD_VERSION: Final = -103
NODE_EXISTS: Final = -110
EPHEMERAL: Final = 1
SEQUENTIAL: Final = 2
ANYONE: Final = wire.acl_vector([(31, b"world", b"anyone")])


@dataclass(frozen=True, slots=True)
class Node:
    """What a znode must show. `birth` tells two znodes of one path apart, and is known to the model alone."""

    data: bytes
    version: int = 0
    cversion: int = 0
    is_ephemeral: bool = False
    birth: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A znode as the server shows it."""

    node: Node
    czxid: int
    mzxid: int


class Tree:
    """The subtree: nodes by path, and how many children each parent ever had."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.created: dict[str, int] = {}
        self.births = 0

    def copy(self) -> Tree:
        """Nodes are values, so two tables are all there is to copy."""
        other = Tree()
        other.nodes = dict(self.nodes)
        other.created = dict(self.created)
        other.births = self.births
        return other

    def _note_child(self, path: str, created: int) -> None:
        parent = path.rpartition("/")[0]
        if parent in self.nodes:
            node = self.nodes[parent]
            self.nodes[parent] = replace(node, cversion=node.cversion + 1)
            self.created[parent] = self.created.get(parent, 0) + created

    def create(self, path: str, data: bytes, flags: int) -> str:
        """Adds a node; its path, with the number of a sequential one."""
        if flags & SEQUENTIAL:
            path += f"{self.created.get(path.rpartition('/')[0], 0):010d}"
        self._note_child(path, 1)
        self.births += 1
        self.nodes[path] = Node(data, is_ephemeral=bool(flags & EPHEMERAL), birth=self.births)
        return path

    def delete(self, path: str) -> None:
        """Takes a node away."""
        del self.nodes[path]
        self._note_child(path, 0)

    def set(self, path: str, data: bytes) -> None:
        """A new value."""
        node = self.nodes[path]
        self.nodes[path] = replace(node, data=data, version=node.version + 1)

    def drop_ephemerals(self) -> None:
        """What the end of the session leaves."""
        for path in [path for path, node in self.nodes.items() if node.is_ephemeral]:
            self.delete(path)


@dataclass(frozen=True, slots=True)
class Step:
    """One change: `kind` is a wire opcode (create2, delete, setData, check)."""

    kind: int
    path: str
    data: bytes = b""
    flags: int = 0
    version: int = -1

    def encode(self) -> bytes:
        """The body of the request."""
        path = wire.buffer(self.path.encode())
        if self.kind in (wire.CREATE, wire.CREATE2):
            return path + wire.buffer(self.data) + ANYONE + wire.i32(self.flags)
        if self.kind == wire.SET_DATA:
            return path + wire.buffer(self.data) + wire.i32(self.version)
        return path + wire.i32(self.version)

    def apply(self, tree: Tree) -> int:
        """Changes the tree, or leaves it alone and says with which code it is refused."""
        if self.kind in (wire.CREATE, wire.CREATE2):
            if not self.flags & SEQUENTIAL and self.path in tree.nodes:
                return NODE_EXISTS
            tree.create(self.path, self.data, self.flags)
            return OK
        if self.path not in tree.nodes:
            return NO_NODE
        if self.version not in (-1, tree.nodes[self.path].version):
            return BAD_VERSION
        if self.kind == wire.DELETE:
            tree.delete(self.path)
        elif self.kind == wire.SET_DATA:
            tree.set(self.path, self.data)
        return OK


@dataclass(frozen=True, slots=True)
class Request:
    """One frame: a single step, several as a multi, or none, which closes the session."""

    steps: tuple[Step, ...]
    is_multi: bool = False

    @property
    def opcode(self) -> int:
        """For the header."""
        if self.is_multi:
            return wire.MULTI
        return self.steps[0].kind if self.steps else wire.CLOSE_SESSION

    def encode(self) -> bytes:
        """The body behind the header."""
        if not self.is_multi:
            return self.steps[0].encode() if self.steps else b""
        parts = [wire.multi_header(step.kind, False, -1) + step.encode() for step in self.steps]
        return b"".join(parts) + wire.multi_header(-1, True, -1)

    def apply(self, tree: Tree) -> tuple[Tree, int]:
        """The tree behind it, and the code of the answer: that of the first step refused, then nothing has changed."""
        after = tree.copy()
        if not self.steps:
            after.drop_ephemerals()
            return after, OK
        for step in self.steps:
            code = step.apply(after)
            if code != OK:
                return tree, code
        return after, OK


@dataclass(slots=True)
class Sent:
    """A request on its way, and what it must come to."""

    xid: int
    request: Request
    code: int
    after: Tree = field(repr=False)
    created_path: str = ""


class LedgerBroken(AssertionError):
    """The server has lost, reordered, halved or invented a write."""


class Ledger:
    """Acknowledged state, and the requests behind it in the order in which they were sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged = Tree()
        self.sent: list[Sent] = []
        self.zxids: dict[tuple[str, int, int], tuple[int, int]] = {}
        self.acknowledged_count = 0
        self.refused_count = 0
        self.unanswered_count = 0
        self.effective_count = 0

    @property
    def latest(self) -> Tree:
        """As if everything that was sent took effect."""
        return self.sent[-1].after if self.sent else self.acknowledged

    def send(self, xid: int, request: Request) -> Sent:
        """Notes a request; the caller writes it."""
        after, code = request.apply(self.latest)
        sent = Sent(xid, request, code, after)
        if code == OK and not request.is_multi and request.steps and request.steps[0].flags & SEQUENTIAL:
            (sent.created_path,) = after.nodes.keys() - self.latest.nodes.keys()
        self.sent.append(sent)
        return sent

    def acknowledge(self, xid: int, code: int) -> Sent:
        """The answer to the oldest request."""
        sent = self.sent.pop(0)
        if sent.xid != xid:
            raise LedgerBroken(f"{self.name}: expected the answer to request {sent.xid}, got {xid}")
        if sent.code != code:
            raise LedgerBroken(f"{self.name}: expected code {sent.code}, got {code} for {sent.request}")
        self.acknowledged = sent.after
        self.acknowledged_count += 1
        if code != OK:
            self.refused_count += 1
        return sent

    def learn_zxids(self, path: str, czxid: int, mzxid: int) -> None:
        """The Stat in the answer that was just acknowledged."""
        node = self.acknowledged.nodes[path]
        self.zxids[path, node.birth, node.version] = (czxid, mzxid)

    def settle(self, seen: dict[str, Seen]) -> None:
        """After a restart: some first part of the unanswered requests must explain what is there."""
        nodes = {path: found.node for path, found in seen.items()}
        for count, tree in enumerate([self.acknowledged, *(sent.after for sent in self.sent)]):
            if tree.nodes == nodes:
                self._check_zxids(tree, seen)
                self.unanswered_count += len(self.sent)
                self.effective_count += count
                self.acknowledged = tree
                self.sent = []
                return
        raise LedgerBroken(f"{self.name}: no first part of what was sent explains the tree{self._difference(nodes)}")

    def _check_zxids(self, tree: Tree, seen: dict[str, Seen]) -> None:
        known, self.zxids = self.zxids, {}
        for path, node in tree.nodes.items():
            found = (seen[path].czxid, seen[path].mzxid)
            key = (path, node.birth, node.version)
            if known.get(key, found) != found:
                raise LedgerBroken(f"{self.name}: {path} was told with czxid and mzxid {known[key]}, now {found}")
            self.zxids[key] = found

    def _difference(self, seen: dict[str, Node]) -> str:
        lines = [f"; {len(self.sent)} requests unanswered: {[sent.request for sent in self.sent]}"]
        for path in sorted(self.acknowledged.nodes.keys() | seen.keys()):
            expected, found = self.acknowledged.nodes.get(path), seen.get(path)
            if expected != found:
                lines.append(f"{path}: acknowledged {expected}, there is {found}")
        return "\n  ".join(lines)
