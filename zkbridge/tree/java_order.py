"""The order in which Java's hash tables give back what was put into them, where clients can see it.

A session's ephemerals are deleted in the order of a `HashSet` of paths; a connection's ids stand in that of a
`ConcurrentHashMap`, and so does what `auth` expands to, which is stored. Both orders follow from the hash codes and
from the table's size: bin by bin, and within one bin mostly the older first.

    items    "a" "b" "q"     hashes 97 98 113; in a table of 16 the bins are 1 2 1
    order    a q b           the table grows when it is three quarters full, and never shrinks

Differs: Java turns a bin of nine and more into a tree, or doubles a table below 64 for it. Nine of a session's paths in
one bin is what happens to nobody whose names were not made for it; their order is that of a list here.

Source: OpenJDK 17 HashMap (putVal, resize, clone), ConcurrentHashMap (putVal, addCount, transfer), String.hashCode.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

DEFAULT_TABLE_SIZE: Final = 16


def string_hash(text: str) -> int:
    """`String.hashCode` as an unsigned number: a polynomial over the units of UTF-16."""
    result: i64 = 0
    for character in text:
        code: i64 = ord(character)
        if code >= 0x10000:
            code -= 0x10000
            result = (31 * result + 0xD800 + (code >> 10)) & 0xFFFFFFFF
            code = 0xDC00 + (code & 0x3FF)
        result = (31 * result + code) & 0xFFFFFFFF
    return result


def id_hash(scheme: str, id: str) -> int:
    """`hashCode` of the jute record Id."""
    return (37 * (37 * 17 + string_hash(scheme)) + string_hash(id)) & 0xFFFFFFFF


def _spread(code: int) -> int:
    """What both kinds of tables take the bin from: the high half of the hash mixed into the low one."""
    return code ^ (code >> 16)


def _in_bins(items: list[str], table_size: int) -> list[str]:
    """Bin by bin; within one, in the order given."""
    mask = table_size - 1
    # The bin above, the place below: sorting plain integers is cheaper than sorting pairs.
    places = [(_spread(string_hash(item)) & mask) << 32 | place for place, item in enumerate(items)]
    places.sort()
    return [items[place & 0xFFFFFFFF] for place in places]


@final
@mypyc_attr(acyclic=True)
class JavaHashSet:
    """A set of strings that knows in which order a `java.util.HashSet` with this history would give them back."""

    __slots__ = ("_items", "_table_size")

    def __init__(self) -> None:
        # In the order in which they were added, which is the order within a bin.
        self._items: dict[str, None] = {}
        self._table_size = DEFAULT_TABLE_SIZE

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def add(self, item: str) -> None:
        """Harmless if it is there."""
        items = self._items
        items[item] = None
        if len(items) * 4 > self._table_size * 3:
            self._table_size *= 2

    def discard(self, item: str) -> None:
        """Harmless if it is not there. The table keeps its size."""
        self._items.pop(item, None)

    def ordered(self) -> list[str]:
        """All items, in the order of Java's iteration."""
        items = list(self._items)
        return items if len(items) < 2 else _in_bins(items, self._table_size)

    def clone(self) -> "JavaHashSet":
        """A copy as `HashSet.clone` makes it: in a table of the least size, filled in the order of iteration."""
        copy = JavaHashSet()
        items = self.ordered()
        if items:
            copy._items = dict.fromkeys(items)
            copy._table_size = _clone_table_size(len(items))
        return copy


def clone_order(items: list[str]) -> list[str]:
    """What `ordered` gives for a clone of the set that has these items in this order."""
    return items if len(items) < 2 else _in_bins(items, _clone_table_size(len(items)))


def _clone_table_size(count: int) -> int:
    """The power of two that is not below count / 0.75 + 1. From Java 19 on the 1 is not added."""
    wanted = (4 * count + 3) // 3
    size = 1
    while size < wanted:
        size *= 2
    return size


def concurrent_order(codes: list[int]) -> list[int]:
    """Places of the hash codes, which were added in this order, as a `ConcurrentHashMap` iterates."""
    size = DEFAULT_TABLE_SIZE
    spread = [_spread(code) for code in codes]
    bins: list[list[int]] = [[] for _ in range(size)]
    for place, code in enumerate(spread):
        bins[code & (size - 1)].append(place)
        if (place + 1) * 4 >= size * 3:
            lower = [_transferred(bin, spread, size, 0) for bin in bins]
            bins = lower + [_transferred(bin, spread, size, size) for bin in bins]
            size *= 2
    return [place for bin in bins for place in bin]


def _transferred(bin: list[int], spread: list[int], bit: int, wanted: int) -> list[int]:
    """What one bin leaves to one of the two that follow it when the table doubles.

    The longest tail that stays together is reused as it is; what stands before it is put in front, one by one.
    """
    tail = len(bin)
    while tail > 0 and spread[bin[tail - 1]] & bit == spread[bin[-1]] & bit:
        tail -= 1
    front = [place for place in bin[:tail] if spread[place] & bit == wanted]
    front.reverse()
    return front + [place for place in bin[tail:] if spread[place] & bit == wanted]
