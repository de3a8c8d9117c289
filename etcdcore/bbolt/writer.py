"""Writes a bbolt file in one pass from pairs that come in order, a page at a time.

Pages are numbered as they are written: a leaf when it is full, a branch when it is full of children, the metas last. In
memory are two pages of each level of the tree that is being built, however many pairs there are.

Example, pages for three pairs each: pairs 1-3 are page 3, 4-6 page 4, 7-9 page 5, a branch [3 4 5] page 6, ...

Invariants:
1. Every page but the metas is written exactly once, in order of the numbers: the output needs one seek, at the end.
2. Every page below the count is reached or the freelist, which is empty; a branch has two children at least.
"""

from collections.abc import Iterable
from typing import BinaryIO, Final, final

from etcdcore.bbolt.layout import (
    BRANCH,
    BRANCH_ELEMENT,
    BUCKET,
    BUCKET_HEADER,
    ELEMENT_BYTES,
    FREELIST,
    LEAF,
    LEAF_ELEMENT,
    PAGE_BYTES,
    PAGE_HEADER,
    Meta,
    encode_meta_page,
)

KEY_BYTES_MAX: Final = 32768
VALUE_BYTES_MAX: Final = (1 << 31) - 2
"""Both bbolt's own."""
_INLINE_PARTS: Final = 4
"""A bucket whose only page is at most such a part of a page lies inline in its parent, as bbolt has it."""
_FREELIST_PAGE: Final = 2
_BUCKETS_MAX: Final = 1024
"""The list of buckets is kept in memory until the end; etcd has ten."""

_Child = tuple[bytes, int]


@final
class DatabaseWriter:
    """`output` is empty, seekable and at its start. Give every bucket once, then `finish`."""

    __slots__ = ("_buckets", "_next_page", "_output", "_page_bytes")

    def __init__(self, output: BinaryIO, page_bytes: int = PAGE_BYTES) -> None:
        self._output: Final = output
        self._page_bytes: Final = page_bytes
        self._buckets: Final[dict[bytes, bytes]] = {}
        self._next_page = _FREELIST_PAGE + 1
        output.write(bytes(2 * page_bytes))
        output.write(PAGE_HEADER.pack(_FREELIST_PAGE, FREELIST, 0, 0).ljust(page_bytes, b"\0"))

    def write_bucket(self, name: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """A bucket of the top level. Raises ValueError when keys do not rise, or one is empty or too long."""
        if name in self._buckets or len(self._buckets) == _BUCKETS_MAX:
            raise ValueError(f"bucket {name!r} is given twice, or is one more than {_BUCKETS_MAX}")
        tree = _Tree(self)
        for key, value in pairs:
            tree.add(key, value, 0)
        inline = tree.inline_page(self._page_bytes // _INLINE_PARTS)
        if inline is None:
            self._buckets[name] = BUCKET_HEADER.pack(tree.finish(), 0)
        else:
            self._buckets[name] = BUCKET_HEADER.pack(0, 0) + inline

    def finish(self) -> int:
        """Writes what holds the buckets together. Returns the size of the file, whole pages."""
        tree = _Tree(self)
        for name in sorted(self._buckets):
            tree.add(name, self._buckets[name], BUCKET)
        root = tree.finish()
        output = self._output
        output.seek(0)
        for number in (0, 1):
            # Both name the same state, so that either may be damaged. bbolt takes page 0 and writes page 1 next.
            meta = Meta(self._page_bytes, root, 0, _FREELIST_PAGE, self._next_page, 2 - number)
            output.write(encode_meta_page(number, meta))
        return self._next_page * self._page_bytes

    def write_page(self, kind: int, count: int, body: bytes) -> int:
        """Appends a page with as many overflow pages as its body needs. Returns its number. For the trees."""
        number = self._next_page
        span = -(-(PAGE_HEADER.size + len(body)) // self._page_bytes)
        self._next_page += span
        page = PAGE_HEADER.pack(number, kind, count, span - 1) + body
        self._output.write(page.ljust(span * self._page_bytes, b"\0"))
        return number

    @property
    def page_bytes(self) -> int:
        return self._page_bytes


@final
class _Tree:
    """One B+ tree: the leaf being filled, and above it the branches being filled."""

    __slots__ = ("_branches", "_elements", "_first_key", "_flags", "_last_key", "_limit", "_pairs", "_used", "_writer")

    def __init__(self, writer: DatabaseWriter) -> None:
        self._writer: Final = writer
        self._limit: Final = writer.page_bytes
        self._branches: Final[list[_Branch]] = []
        self._last_key = b""
        self._begin_leaf()

    def _begin_leaf(self) -> None:
        self._flags: list[int] = []
        self._pairs: list[bytes] = []
        self._used = PAGE_HEADER.size
        self._first_key = b""

    def add(self, key: bytes, value: bytes, flags: int) -> None:
        if key <= self._last_key:
            raise ValueError(f"key {key!r} follows {self._last_key!r}")
        if len(key) > KEY_BYTES_MAX or len(value) > VALUE_BYTES_MAX:
            raise ValueError(f"a key of {len(key)} bytes with a value of {len(value)} is too long for the format")
        self._last_key = key
        size = ELEMENT_BYTES + len(key) + len(value)
        if self._flags:
            if self._used + size > self._limit:
                self._end_leaf()
                self._first_key = key
        else:
            self._first_key = key
        self._flags.append(flags)
        self._pairs.append(key)
        self._pairs.append(value)
        self._used += size

    def inline_page(self, bytes_max: int) -> bytes | None:
        """The only page, if all fits into so many bytes."""
        if self._branches or self._used > bytes_max:
            return None
        return PAGE_HEADER.pack(0, LEAF, len(self._flags), 0) + self._leaf_body()

    def _leaf_body(self) -> bytes:
        pairs = self._pairs
        pack = LEAF_ELEMENT.pack
        table: list[bytes] = []
        # From the start of an element to its bytes: the rest of the table, and the bytes of those before.
        position = len(self._flags) * ELEMENT_BYTES
        at = 0
        for flags in self._flags:
            key_bytes = len(pairs[at])
            value_bytes = len(pairs[at + 1])
            table.append(pack(flags, position, key_bytes, value_bytes))
            position += key_bytes + value_bytes - ELEMENT_BYTES
            at += 2
        return b"".join(table) + b"".join(pairs)

    def _end_leaf(self) -> None:
        number = self._writer.write_page(LEAF, len(self._flags), self._leaf_body())
        self._add_child(0, self._first_key, number)
        self._begin_leaf()

    def _add_child(self, level: int, first_key: bytes, number: int) -> None:
        branches = self._branches
        if level == len(branches):
            branches.append(_Branch())
        ended = branches[level].add(first_key, number, self._limit)
        if ended is not None:
            self._add_child(level + 1, ended[0][0], self._write_branch(ended))

    def _write_branch(self, children: list[_Child]) -> int:
        pack = BRANCH_ELEMENT.pack
        table: list[bytes] = []
        position = len(children) * ELEMENT_BYTES
        for first_key, number in children:
            table.append(pack(position, len(first_key), number))
            position += len(first_key) - ELEMENT_BYTES
        body = b"".join(table) + b"".join([first_key for first_key, _ in children])
        return self._writer.write_page(BRANCH, len(children), body)

    def finish(self) -> int:
        """Writes what is left, from the leaf up. Returns the number of the root page."""
        if not self._branches:
            return self._writer.write_page(LEAF, len(self._flags), self._leaf_body())
        self._end_leaf()
        level = 0
        while True:
            rest = self._branches[level].take_rest()
            if level + 1 == len(self._branches) and len(rest) == 1:
                return self._write_branch(rest[0])
            for children in rest:
                self._add_child(level + 1, children[0][0], self._write_branch(children))
            level += 1


@final
class _Branch:
    """The branch pages of one level: the last full one is held back, as the one behind it might end with one child."""

    __slots__ = ("_children", "_held", "_used")

    def __init__(self) -> None:
        self._held: list[_Child] = []
        self._children: list[_Child] = []
        self._used = PAGE_HEADER.size

    def add(self, first_key: bytes, number: int, limit: int) -> list[_Child] | None:
        """The children of a page that is complete with this one's coming, if one is."""
        ended: list[_Child] | None = None
        size = ELEMENT_BYTES + len(first_key)
        if len(self._children) > 1 and self._used + size > limit:
            ended = self._held or None
            self._held = self._children
            self._children = []
            self._used = PAGE_HEADER.size
        self._children.append((first_key, number))
        self._used += size
        return ended

    def take_rest(self) -> list[list[_Child]]:
        """The last pages of the level. An only child joins the page before it, which then overflows a little."""
        if not self._held:
            return [self._children]
        if len(self._children) == 1:
            return [self._held + self._children]
        return [self._held, self._children]
