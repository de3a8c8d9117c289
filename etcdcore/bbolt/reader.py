"""Reads a bbolt file, trusting nothing in it.

Invariants:
1. In one pass over the file each page is read once at most: a cycle, or a page with two parents, is found at once.
2. What a pass holds in memory is one bit for each page and the pages from the root down, each PAGE_SPAN_BYTES_MAX long
   at most; its time is that of reading the file.
3. Keys come in rising order, each within the bounds that the branches above it set, so none comes twice.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, Final, final

from etcdcore.bbolt.layout import (
    BRANCH,
    BRANCH_ELEMENT,
    BUCKET,
    BUCKET_HEADER,
    COUNT_OVERFLOWS,
    ELEMENT_BYTES,
    FREELIST,
    LEAF,
    LEAF_ELEMENT,
    META_BODY,
    NO_FREELIST,
    PAGE_BYTES_MAX,
    PAGE_BYTES_MIN,
    PAGE_HEADER,
    BboltCorrupt,
    Meta,
    decode_meta,
)

PAGE_SPAN_BYTES_MAX: Final = 1 << 28
"""A leaf with its overflow pages. bbolt puts two values at least into one; etcd refuses requests above 1.5 MiB."""
DEPTH_MAX: Final = 64
"""A branch has two children, so a tree of such a depth would not fit on any disk."""
BUCKET_DEPTH_MAX: Final = 64
_FIRST_PAGE: Final = 2
_FREELIST_CHUNK: Final = 1 << 16


class PageSource(ABC):
    """Where the bytes of the file are."""

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes of the file."""

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer only at the end of the file."""


@final
class FileSource(PageSource):
    """An open file, or anything that can seek and read."""

    __slots__ = ("_file", "_size")

    def __init__(self, file: BinaryIO) -> None:
        self._file: Final = file
        self._size: Final = file.seek(0, 2)

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


@final
class Bucket:
    """A sorted map, perhaps with buckets among its values; `depth` counts the buckets around it."""

    __slots__ = ("_database", "_depth", "_inline", "_root_page", "sequence")

    def __init__(self, database: "Database", root_page: int, sequence: int, inline: bytes, depth: int) -> None:
        self._database: Final = database
        self._root_page: Final = root_page
        self._inline: Final = inline
        self._depth: Final = depth
        self.sequence: Final = sequence

    def elements(self, seen: "PageSet") -> Iterator[tuple[bytes, bytes, bool]]:
        """Keys, values, and whether the value is a bucket; `seen` gets the pages."""
        if self._root_page == 0:
            last = b""
            for key, value, flags in _leaf_elements(self._inline, 0):
                if flags & BUCKET or key <= last:
                    raise BboltCorrupt("an inline bucket has keys out of order, or a bucket in it")
                last = key
                yield key, value, False
            return
        yield from self._database.walk(self._root_page, seen)

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values in order, buckets left out. Raises BboltCorrupt."""
        for key, value, is_bucket in self.elements(self._database.new_page_set()):
            if not is_bucket:
                yield key, value

    def buckets(self) -> Iterator[tuple[bytes, "Bucket"]]:
        """The buckets in it by name. Raises BboltCorrupt."""
        for key, value, is_bucket in self.elements(self._database.new_page_set()):
            if is_bucket:
                yield key, self.decode_child(value)

    def bucket(self, name: bytes) -> "Bucket | None":
        for found, bucket in self.buckets():
            if found == name:
                return bucket
        return None

    def decode_child(self, value: bytes) -> "Bucket":
        """The bucket that a value of this one holds. Raises BboltCorrupt."""
        if self._depth == BUCKET_DEPTH_MAX:
            raise BboltCorrupt(f"buckets lie in each other more than {BUCKET_DEPTH_MAX} deep")
        if len(value) < BUCKET_HEADER.size:
            raise BboltCorrupt(f"a bucket's header has {len(value)} bytes")
        root_page, sequence = BUCKET_HEADER.unpack_from(value)
        return Bucket(self._database, root_page, sequence, value[BUCKET_HEADER.size :], self._depth + 1)


@final
class PageSet:
    """Which pages were met in a pass."""

    __slots__ = ("bits", "page_count")

    def __init__(self, page_count: int) -> None:
        self.page_count: Final = page_count
        self.bits: Final = bytearray((page_count + 7) // 8)

    def add(self, page: int, span: int) -> None:
        """Raises BboltCorrupt when one of them is there already."""
        bits = self.bits
        for number in range(page, page + span):
            mask = 1 << (number & 7)
            if bits[number >> 3] & mask:
                raise BboltCorrupt(f"page {number} is used twice")
            bits[number >> 3] |= mask


@final
class Database:
    """An open file. Raises BboltCorrupt when neither meta page is whole, or pages are missing at the end."""

    __slots__ = ("_source", "meta", "root")

    def __init__(self, source: PageSource) -> None:
        self._source: Final = source
        self.meta: Final = _read_meta(source)
        if self.meta.page_count * self.meta.page_bytes > source.size:
            raise BboltCorrupt(
                f"the file should have {self.meta.page_count} pages of {self.meta.page_bytes} bytes, "
                f"but it has {source.size} bytes"
            )
        self.root: Final = Bucket(self, self.meta.root_page, self.meta.root_sequence, b"", 0)
        if self.meta.root_page < _FIRST_PAGE:
            raise BboltCorrupt(f"the root is said to be page {self.meta.root_page}")

    @property
    def size(self) -> int:
        """Bytes up to the last page: a live file may be longer, and a snapshot's digest is behind it."""
        return self.meta.page_count * self.meta.page_bytes

    def new_page_set(self) -> PageSet:
        return PageSet(self.meta.page_count)

    def check(self) -> None:
        """Reads all of it, as `bbolt check` does: every page is used once or free. Raises BboltCorrupt."""
        used = self.new_page_set()
        used.add(0, _FIRST_PAGE)
        pending = [self.root]
        while pending:
            bucket = pending.pop()
            for _, value, is_bucket in bucket.elements(used):
                if is_bucket:
                    pending.append(bucket.decode_child(value))
        if self.meta.freelist_page == NO_FREELIST:
            return
        free = self._read_freelist(used)
        both = int.from_bytes(used.bits, "little") & int.from_bytes(free.bits, "little")
        if both:
            raise BboltCorrupt(f"page {(both & -both).bit_length() - 1} is used and free")
        either = int.from_bytes(used.bits, "little") | int.from_bytes(free.bits, "little")
        if either != (1 << self.meta.page_count) - 1:
            raise BboltCorrupt(f"page {(~either & (either + 1)).bit_length() - 1} is neither used nor free")

    def _read_freelist(self, used: PageSet) -> PageSet:
        number = self.meta.freelist_page
        kind, count, span = self._read_header(number)
        if kind != FREELIST:
            raise BboltCorrupt(f"the freelist is said to be page {number}, which is of kind {kind}")
        used.add(number, span)
        offset = number * self.meta.page_bytes + PAGE_HEADER.size
        room = span * self.meta.page_bytes - PAGE_HEADER.size
        if count == COUNT_OVERFLOWS:
            count = int.from_bytes(self._read(offset, 8), "little")
            offset += 8
            room -= 8
        if count * 8 > room:
            raise BboltCorrupt(f"the freelist on page {number} is said to have {count} entries")
        free = self.new_page_set()
        for begin in range(0, count, _FREELIST_CHUNK):
            data = self._read(offset + begin * 8, min(_FREELIST_CHUNK, count - begin) * 8)
            for at in range(0, len(data), 8):
                page = int.from_bytes(data[at : at + 8], "little")
                if not _FIRST_PAGE <= page < self.meta.page_count:
                    raise BboltCorrupt(f"the freelist has page {page}")
                free.add(page, 1)
        return free

    def walk(self, root_page: int, seen: PageSet) -> Iterator[tuple[bytes, bytes, bool]]:
        """The elements of the leaves below a page in order."""
        # For each level the children still to come, the last one first, each with the key that it must not reach.
        stack = [[(b"", root_page, b"")]]
        last = b""
        while stack:
            level = stack[-1]
            if not level:
                stack.pop()
                continue
            low, page, high = level.pop()
            kind, data = self._read_page(page, seen)
            if kind == BRANCH:
                if len(stack) == DEPTH_MAX:
                    raise BboltCorrupt(f"page {page} is more than {DEPTH_MAX} levels deep")
                stack.append(_branch_children(data, page, low, high))
                continue
            for key, value, flags in _leaf_elements(data, page):
                if key <= last or key < low or (high and key >= high):
                    raise BboltCorrupt(f"the keys of page {page} are out of order")
                last = key
                yield key, value, bool(flags & BUCKET)

    def _read(self, offset: int, length: int) -> bytes:
        data = self._source.read(offset, length)
        if len(data) != length:
            raise BboltCorrupt(f"expected {length} bytes at {offset}, found {len(data)}")
        return data

    def _read_header(self, page: int) -> tuple[int, int, int]:
        """Kind, count and span of a page."""
        if not _FIRST_PAGE <= page < self.meta.page_count:
            raise BboltCorrupt(f"there is no page {page}")
        number, kind, count, overflow = PAGE_HEADER.unpack(self._read(page * self.meta.page_bytes, PAGE_HEADER.size))
        if number != page:
            raise BboltCorrupt(f"page {page} says that it is {number}")
        if page + overflow >= self.meta.page_count:
            raise BboltCorrupt(f"page {page} says that it spans {overflow + 1} pages")
        return kind, count, overflow + 1

    def _read_page(self, page: int, seen: PageSet) -> tuple[int, bytes]:
        kind, _, span = self._read_header(page)
        if kind not in (BRANCH, LEAF):
            raise BboltCorrupt(f"page {page} is of kind {kind}, expected a branch or a leaf")
        length = span * self.meta.page_bytes
        if length > PAGE_SPAN_BYTES_MAX:
            raise BboltCorrupt(f"page {page} says that it spans {length} bytes, more than {PAGE_SPAN_BYTES_MAX}")
        seen.add(page, span)
        return kind, self._read(page * self.meta.page_bytes, length)


def _read_meta(source: PageSource) -> Meta:
    """Of the two metas the newer one that is whole. The second is where the page size, perhaps unknown, puts it."""
    need = PAGE_HEADER.size + META_BODY.size
    first = decode_meta(source.read(0, need))
    if first is not None:
        second = decode_meta(source.read(first.page_bytes, need))
        if second is not None and second.page_bytes == first.page_bytes and second.transaction > first.transaction:
            return second
        return first
    page_bytes = PAGE_BYTES_MIN
    while page_bytes <= PAGE_BYTES_MAX:
        second = decode_meta(source.read(page_bytes, need))
        if second is not None and second.page_bytes == page_bytes:
            return second
        page_bytes *= 2
    raise BboltCorrupt("neither meta page is whole: this is no bbolt file, or a damaged one")


def _check_table(data: bytes, page: int, count: int) -> None:
    if PAGE_HEADER.size + count * ELEMENT_BYTES > len(data):
        raise BboltCorrupt(f"page {page} is said to have {count} elements")


def _branch_children(data: bytes, page: int, low: bytes, high: bytes) -> list[tuple[bytes, int, bytes]]:
    """First key, page and bound of each child, the last one first."""
    count = PAGE_HEADER.unpack_from(data)[2]
    _check_table(data, page, count)
    if not count:
        raise BboltCorrupt(f"page {page} is a branch without children")
    children: list[tuple[bytes, int, bytes]] = []
    end = len(data)
    before = low
    for at in range(PAGE_HEADER.size, PAGE_HEADER.size + count * ELEMENT_BYTES, ELEMENT_BYTES):
        position, key_bytes, child = BRANCH_ELEMENT.unpack_from(data, at)
        begin = at + position
        if begin + key_bytes > end:
            raise BboltCorrupt(f"a key of page {page} is said to be outside of it")
        key = data[begin : begin + key_bytes]
        # The first key of the leftmost branches may be empty: bbolt keeps there what the first insertion was.
        if key < before or (children and key == before) or (high and key >= high):
            raise BboltCorrupt(f"the keys of page {page} are out of order")
        before = key
        children.append((key, child, b""))
    upper = high
    for number in range(len(children) - 1, -1, -1):
        key, child, _ = children[number]
        children[number] = (key, child, upper)
        upper = key
    children.reverse()
    return children


def _leaf_elements(data: bytes, page: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Key, value and flags of each element. Their bytes must not overlap, so that they are no more than the page."""
    if len(data) < PAGE_HEADER.size:
        raise BboltCorrupt("an inline bucket has no page")
    _, kind, count, _ = PAGE_HEADER.unpack_from(data)
    if kind != LEAF:
        raise BboltCorrupt(f"an inline page is of kind {kind}, expected a leaf")
    _check_table(data, page, count)
    end = len(data)
    free_from = PAGE_HEADER.size + count * ELEMENT_BYTES
    for at in range(PAGE_HEADER.size, free_from, ELEMENT_BYTES):
        flags, position, key_bytes, value_bytes = LEAF_ELEMENT.unpack_from(data, at)
        begin = at + position
        middle = begin + key_bytes
        after = middle + value_bytes
        if begin < free_from or after > end or not key_bytes:
            raise BboltCorrupt(f"an element of page {page} is said to be outside of it, or has no key")
        free_from = after
        yield data[begin:middle], data[middle:after], flags
