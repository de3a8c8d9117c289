"""How a bbolt file is laid out, integers little-endian.

page: number u64 | kind u16 | count u16 | overflow u32 (further pages that it spans) | elements, then their bytes
meta: magic u32 | version u32 | page bytes u32 | flags u32 | root page u64 | root sequence u64 | freelist page u64
      | page count u64 | transaction u64 | FNV-64a of all before u64
branch element: position u32 | key bytes u32 | child page u64
leaf element: flags u32 (1: a bucket) | position u32 | key bytes u32 | value bytes u32
bucket (a leaf element's value): root page u64 | sequence u64 | if the root page is 0, its only page inline

Positions count from the start of their element. Pages 0 and 1 are metas, written in turn: the valid one with the higher
transaction counts.
Source: etcd-io/bbolt internal/common/page.go, meta.go, bucket.go.
"""

from struct import Struct
from typing import Final, final

MAGIC: Final = 0xED0CDAED
VERSION: Final = 2
PAGE_BYTES: Final = 4096
PAGE_BYTES_MIN: Final = 512
PAGE_BYTES_MAX: Final = 1 << 16

BRANCH: Final = 0x01
LEAF: Final = 0x02
META: Final = 0x04
FREELIST: Final = 0x10
BUCKET: Final = 0x01
"""The flag of a leaf element that is a bucket."""

NO_FREELIST: Final = (1 << 64) - 1
"""As freelist page: the file has none, every page that nothing reaches is free."""
COUNT_OVERFLOWS: Final = 0xFFFF
"""As count of a freelist page: the count is the first number behind the header."""

PAGE_HEADER: Final = Struct("<QHHI")
META_BODY: Final = Struct("<IIIIQQQQQQ")
BRANCH_ELEMENT: Final = Struct("<IIQ")
LEAF_ELEMENT: Final = Struct("<IIII")
BUCKET_HEADER: Final = Struct("<QQ")
ELEMENT_BYTES: Final = 16
"""Of both kinds."""

_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_CHECKSUM_BYTES: Final = 8


class BboltCorrupt(Exception):
    """The file is no bbolt file, or a damaged one; the text says where and what."""


@final
class Meta:
    """What a meta page says, once its checksum was right."""

    __slots__ = ("freelist_page", "page_bytes", "page_count", "root_page", "root_sequence", "transaction")

    def __init__(
        self,
        page_bytes: int,
        root_page: int,
        root_sequence: int,
        freelist_page: int,
        page_count: int,
        transaction: int,
    ) -> None:
        self.page_bytes: Final = page_bytes
        self.root_page: Final = root_page
        self.root_sequence: Final = root_sequence
        self.freelist_page: Final = freelist_page
        self.page_count: Final = page_count
        self.transaction: Final = transaction


def fnv1a64(data: bytes) -> int:
    number = _FNV_OFFSET
    for byte in data:
        number = (number ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return number


def encode_meta_page(number: int, meta: Meta) -> bytes:
    """A whole page, padded."""
    fields = (
        MAGIC,
        VERSION,
        meta.page_bytes,
        0,
        meta.root_page,
        meta.root_sequence,
        meta.freelist_page,
        meta.page_count,
        meta.transaction,
    )
    summed = META_BODY.pack(*fields, 0)[:-_CHECKSUM_BYTES]
    body = META_BODY.pack(*fields, fnv1a64(summed))
    return (PAGE_HEADER.pack(number, META, 0, 0) + body).ljust(meta.page_bytes, b"\0")


def decode_meta(data: bytes) -> Meta | None:
    """The meta that a page begins with, or None: no meta, another version, a wrong checksum, an odd page size."""
    if len(data) < PAGE_HEADER.size + META_BODY.size:
        return None
    body = data[PAGE_HEADER.size : PAGE_HEADER.size + META_BODY.size]
    magic, version, page_bytes, _, root, sequence, freelist, page_count, transaction, checksum = META_BODY.unpack(body)
    if magic != MAGIC or version != VERSION or checksum != fnv1a64(body[:-_CHECKSUM_BYTES]):
        return None
    if not PAGE_BYTES_MIN <= page_bytes <= PAGE_BYTES_MAX or page_bytes & (page_bytes - 1):
        return None
    return Meta(page_bytes, root, sequence, freelist, page_count, transaction)
