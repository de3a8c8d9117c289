"""Builds the index from the records, in one pass in revision order.

Create revision and version are decoded only where a key is seen first in the middle of its life (compaction has removed
the beginning); else they follow from the order, and only the lease is looked up behind the value.
"""

from typing import Final

from etcdcore.errors import EngineCorrupt
from etcdcore.mvcc.engine import KEY, SCAN_BYTES_MAX, Engine
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.revision import decode_record_head, decode_record_key, decode_varint, varint
from etcdcore.mvcc.sorted_keys import SortedKeys
from etcdcore.mvcc.superseded import Superseded

_PAGE_RECORDS: Final = 4096


def load_index(
    engine: Engine,
    index: dict[bytes, KeyIndex],
    sorted_keys: SortedKeys,
    deleted: dict[bytes, KeyIndex],
    superseded: Superseded,
) -> int:
    """Fills the empty index, key order and what is about deleted keys and replaced records; returns the newest main
    revision, 0 if none."""
    main = 0
    start = b""
    try:
        while True:
            page = engine.scan(KEY, start, b"", _PAGE_RECORDS, bytes_max=SCAN_BYTES_MAX)
            for stored_key, data in page:
                main, sub, is_tombstone = decode_record_key(stored_key)
                length = data[1] if data else 0
                if length < 128:
                    after_key = length + 2
                    key = data[2:after_key]
                else:
                    length, key_start = decode_varint(data, 1)
                    after_key = key_start + length
                    key = data[key_start:after_key]
                entry = index.get(key)
                if is_tombstone:
                    create = version = lease = 0
                elif not data:
                    # What a restore that raises the revision leaves, a real etcd's too: it counts as the empty key's.
                    create = main
                    version = 1
                    lease = 0
                elif entry is not None and entry.version:
                    create = entry.create
                    version = entry.version + 1
                    after_version = after_key + 3 + len(varint(create)) + len(varint(main)) + len(varint(version))
                    lease = _lease_after(data, after_version)
                else:
                    mod = varint(main)
                    head = b"\x10" + mod + b"\x18" + mod + b"\x20\x01"
                    if data.startswith(head, after_key):
                        # One object for equal numbers saves 32 bytes for each key.
                        create = main
                        version = 1
                        lease = _lease_after(data, after_key + len(head))
                    else:
                        create, version, lease = decode_record_head(data, after_key)
                if entry is None:
                    entry = index[key] = KeyIndex(create, main, sub, version, lease)
                    if is_tombstone:
                        deleted[key] = entry
                        superseded.spared.append(stored_key)
                    continue
                if is_tombstone:
                    deleted[key] = entry
                elif not entry.version:
                    del deleted[key]
                entry.supersede()
                superseded.keys.append(entry)
                entry.create = create
                entry.mod_main = main
                entry.mod_sub = sub
                entry.version = version
                entry.lease = lease
            if not page:
                sorted_keys.load(list(index))
                return main
            start = page[-1][0] + b"\0"
    except IndexError as error:
        raise EngineCorrupt(f"the record after {start!r} ends inside a field") from error


def _lease_after(data: bytes, offset: int) -> int:
    """The lease of a record, given where the value field begins if there is one."""
    end = len(data)
    if offset < end and data[offset] == 0x2A:
        length = data[offset + 1]
        if length < 128:
            offset += 2 + length
        else:
            length, offset = decode_varint(data, offset + 1)
            offset += length
    if offset == end:
        return 0
    if data[offset] != 0x30:
        raise EngineCorrupt(f"a record has the field tag {data[offset]} where the lease is due")
    lease, _ = decode_varint(data, offset + 1)
    return lease - (1 << 64) if lease >= 1 << 63 else lease
