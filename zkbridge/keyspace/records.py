"""Values of the store's keys, to bytes and back. The messages are those of proto/zkbridge/keyspace.proto.

Written by hand: a generated class costs several times as much to fill or to read, and ties the server to one protobuf
runtime. The bytes are those of the generated code (fields in order of their numbers); a property test holds that.

Znode: 09 ctime i64 LE | 11 mtime i64 LE | 1d version i32 LE | 22 length, data | 2d aversion i32 LE | 31 owner i64 LE |
3a length, AclEntry | 41 mzxid i64 LE | 49 czxid i64 LE | 50 reborn. Lengths are varints. Only the first three are
always there.
"""

import struct
from typing import Final, final

from zkbridge.tree.acl import OPEN_ACL, Acl, AclEntry, intern_acl
from zkbridge.tree.znode import INT32_MAX

NO_OVERRIDE: Final = -1
"""In place of an mzxid override, which may be 0 (the system znodes)."""

_HEAD: Final = struct.Struct("<BqBqBi")
_HEAD_BYTES: Final = _HEAD.size
_TAGGED_INT: Final = struct.Struct("<Bi")
_TAGGED_LONG: Final = struct.Struct("<Bq")
_INT: Final = struct.Struct("<i")
_LONG: Final = struct.Struct("<q")

_INT64_MAX: Final = 2**63 - 1

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5

_CACHED_ACLS_MAX: Final = 1_000
_acl_bytes: Final[dict[Acl, bytes]] = {}


class KeyspaceError(Exception):
    """A key or value under our prefix that this version doesn't understand. The bridge must not start on it."""


@final
class ZnodeRecord:
    """A decoded znode value. `mzxid` is `NO_OVERRIDE`, `czxid` 0 where the store's own figure holds."""

    __slots__ = ("acl", "aversion", "ctime", "czxid", "data", "mtime", "mzxid", "owner", "reborn", "version")

    def __init__(self) -> None:
        self.ctime = 0
        self.mtime = 0
        self.version = 0
        self.data: bytes | None = None
        self.aversion = 0
        self.owner = 0
        self.acl: Acl = OPEN_ACL
        self.mzxid = NO_OVERRIDE
        self.czxid = 0
        self.reborn = False


# Encoding


def encode_varint(number: int) -> bytes:
    """Base-128 of a number from 0 to 2**64 - 1, lowest group first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_DATA_TAGS_COUNT: Final = 2_048
# The data field's tag and length, for the lengths that most data has.
_DATA_TAGS: Final = [b"\x22" + encode_varint(length) for length in range(_DATA_TAGS_COUNT)]


def encode_znode(
    ctime: int,
    mtime: int,
    version: int,
    data: bytes | None,
    aversion: int = 0,
    owner: int = 0,
    acl: Acl = OPEN_ACL,
    mzxid: int = NO_OVERRIDE,
    czxid: int = 0,
    reborn: bool = False,
) -> bytes:
    """Value of a znode key."""
    value = _HEAD.pack(0x09, ctime, 0x11, mtime, 0x1D, version)
    if data is not None:
        length = len(data)
        if length < _DATA_TAGS_COUNT:
            value = b"%b%b%b" % (value, _DATA_TAGS[length], data)
        else:
            value = value + b"\x22" + encode_varint(length) + data
    if owner != 0 or acl is not OPEN_ACL or aversion != 0 or mzxid != NO_OVERRIDE or czxid != 0 or reborn:
        value += _encode_rare(aversion, owner, acl, mzxid, czxid, reborn)
    return value


def _encode_rare(aversion: int, owner: int, acl: Acl, mzxid: int, czxid: int, reborn: bool) -> bytes:
    parts: list[bytes] = []
    if aversion != 0:
        parts.append(_TAGGED_INT.pack(0x2D, aversion))
    if owner != 0:
        parts.append(_TAGGED_LONG.pack(0x31, owner))
    if acl is not OPEN_ACL:
        parts.append(encode_acl(acl))
    if mzxid != NO_OVERRIDE:
        parts.append(_TAGGED_LONG.pack(0x41, mzxid))
    if czxid != 0:
        parts.append(_TAGGED_LONG.pack(0x49, czxid))
    if reborn:
        parts.append(b"\x50\x01")
    return b"".join(parts)


def encode_acl(acl: Acl) -> bytes:
    """The repeated acl field; kept for the ACLs in use, since most trees know a handful."""
    encoded = _acl_bytes.get(acl)
    if encoded is None:
        parts: list[bytes] = []
        for entry in acl:
            message = b""
            if entry.perms != 0:
                message = b"\x08" + encode_varint(entry.perms & 0xFFFFFFFFFFFFFFFF)
            message += _encode_text(0x12, entry.scheme) + _encode_text(0x1A, entry.id)
            parts.append(b"\x3a" + encode_varint(len(message)) + message)
        encoded = b"".join(parts)
        if len(_acl_bytes) >= _CACHED_ACLS_MAX:
            _acl_bytes.clear()
        _acl_bytes[acl] = encoded
    return encoded


def encode_children(created_count: int, pzxid: int = 0) -> bytes:
    """Value of a children key. `pzxid` overrides the key's mod_revision.

    A count that plans in flight have run past the end is stored as the end: the tree's own stays there, as ZooKeeper's.
    """
    value = _TAGGED_INT.pack(0x0D, created_count if created_count <= INT32_MAX else INT32_MAX)
    return value if pzxid == 0 else value + _TAGGED_LONG.pack(0x11, pzxid)


def encode_session(password: bytes, timeout_ms: int, bridge: str) -> bytes:
    """Value of a session key."""
    value = b""
    if password:
        value = b"\x0a" + encode_varint(len(password)) + password
    if timeout_ms:
        value += b"\x10" + encode_varint(timeout_ms)
    return value + _encode_text(0x1A, bridge)


def encode_format(version: int) -> bytes:
    """Value of the format key."""
    return b"\x08" + encode_varint(version)


def _encode_text(tag: int, text: str) -> bytes:
    if not text:
        return b""
    raw = text.encode()
    return bytes((tag,)) + encode_varint(len(raw)) + raw


# Decoding


def decode_znode(value: bytes) -> ZnodeRecord:
    """A znode's value. Raises KeyspaceError on what is none."""
    record = ZnodeRecord()
    length = len(value)
    if length >= _HEAD_BYTES:
        # The common value: the fixed head, then nothing or the data.
        tag1, ctime, tag2, mtime, tag3, version = _HEAD.unpack_from(value)
        if tag1 == 0x09 and tag2 == 0x11 and tag3 == 0x1D:
            record.ctime = ctime
            # Equal times share one integer object: a million of them are 32 MB.
            record.mtime = ctime if mtime == ctime else mtime
            record.version = version
            if length == _HEAD_BYTES:
                return record
            data_length = length - _HEAD_BYTES - 2
            if 0 <= data_length < 0x80 and value[_HEAD_BYTES] == 0x22 and value[_HEAD_BYTES + 1] == data_length:
                record.data = value[_HEAD_BYTES + 2 :]
                return record
    _decode_znode_fields(value, record)
    return record


def _decode_znode_fields(value: bytes, record: ZnodeRecord) -> None:
    acl: list[AclEntry] = []
    offset = 0
    while offset < len(value):
        number, number_value, raw, offset = _decode_field(value, offset)
        if number == 1:
            record.ctime = number_value
        elif number == 2:
            record.mtime = record.ctime if number_value == record.ctime else number_value
        elif number == 3:
            record.version = number_value
        elif number == 4:
            record.data = raw
        elif number == 5:
            record.aversion = number_value
        elif number == 6:
            record.owner = number_value
        elif number == 7:
            acl.append(_decode_acl_entry(raw))
        elif number == 8:
            record.mzxid = number_value
        elif number == 9:
            record.czxid = number_value
        elif number == 10:
            record.reborn = number_value != 0
    if acl:
        record.acl = intern_acl(tuple(acl))
    # A foreign hand can have written any number as a varint; what no Stat can hold must not get into the tree.
    _check_range(record.version, "version", INT32_MAX)
    _check_range(record.aversion, "aversion", INT32_MAX)
    _check_range(record.ctime, "ctime", _INT64_MAX)
    _check_range(record.mtime, "mtime", _INT64_MAX)
    _check_range(record.owner, "owner", _INT64_MAX)
    if not NO_OVERRIDE <= record.mzxid <= _INT64_MAX or not 0 <= record.czxid <= _INT64_MAX:
        raise KeyspaceError(f"mzxid {record.mzxid} or czxid {record.czxid} is no revision")


def _check_range(number: int, name: str, greatest: int) -> None:
    if not -greatest - 1 <= number <= greatest:
        raise KeyspaceError(f"{name} {number} is out of its range")


def _decode_acl_entry(value: bytes) -> AclEntry:
    perms = 0
    scheme = ""
    id = ""
    offset = 0
    while offset < len(value):
        number, number_value, raw, offset = _decode_field(value, offset)
        if number == 1:
            perms = ((number_value + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        elif number == 2:
            scheme = _decode_text(raw)
        elif number == 3:
            id = _decode_text(raw)
    return AclEntry(perms, scheme, id)


def decode_children(value: bytes) -> tuple[int, int]:
    """Children ever created, and the pzxid override or 0."""
    created_count = 0
    pzxid = 0
    offset = 0
    while offset < len(value):
        number, number_value, _, offset = _decode_field(value, offset)
        if number == 1:
            created_count = number_value
        elif number == 2:
            pzxid = number_value
    _check_range(created_count, "count of children", INT32_MAX)
    if not 0 <= pzxid <= _INT64_MAX:
        raise KeyspaceError(f"pzxid {pzxid} is no revision")
    return created_count, pzxid


def decode_session(value: bytes) -> tuple[bytes, int, str]:
    """Password, timeout in milliseconds, bridge."""
    password = b""
    timeout_ms = 0
    bridge = ""
    offset = 0
    while offset < len(value):
        number, number_value, raw, offset = _decode_field(value, offset)
        if number == 1:
            password = raw
        elif number == 2:
            timeout_ms = number_value
        elif number == 3:
            bridge = _decode_text(raw)
    if timeout_ms > INT32_MAX:
        raise KeyspaceError(f"session timeout {timeout_ms} ms is out of its range")
    return password, timeout_ms, bridge


def decode_format(value: bytes) -> int:
    """The schema version."""
    version = 0
    offset = 0
    while offset < len(value):
        number, number_value, _, offset = _decode_field(value, offset)
        if number == 1:
            version = number_value
    return version


def check_format(value: bytes, version: int) -> None:
    """Raises KeyspaceError unless the store's format key names this schema version."""
    found = decode_format(value)
    if found != version:
        raise KeyspaceError(f"the tree in this store has schema version {found}, this program knows {version}")


def _decode_field(value: bytes, offset: int) -> tuple[int, int, bytes, int]:
    """One field: number, its value if a number, its bytes if delimited, the offset behind it."""
    tag, offset = _decode_varint(value, offset)
    number = tag >> 3
    wire_type = tag & 7
    if wire_type == _VARINT:
        number_value, offset = _decode_varint(value, offset)
        return number, number_value, b"", offset
    try:
        if wire_type == _FIXED64:
            return number, int(_LONG.unpack_from(value, offset)[0]), b"", offset + 8
        if wire_type == _FIXED32:
            return number, int(_INT.unpack_from(value, offset)[0]), b"", offset + 4
    except struct.error:
        raise KeyspaceError(f"field {number} ends beyond its {len(value)} bytes") from None
    if wire_type == _BYTES:
        length, offset = _decode_varint(value, offset)
        end = offset + length
        if end > len(value):
            raise KeyspaceError(f"field {number} ends beyond its {len(value)} bytes")
        return number, 0, value[offset:end], end
    raise KeyspaceError(f"field {number} has wire type {wire_type}")


def _decode_varint(value: bytes, offset: int) -> tuple[int, int]:
    number = 0
    shift = 0
    while offset < len(value) and shift < 70:
        byte = value[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, offset
        shift += 7
    raise KeyspaceError(f"a varint does not end within its {len(value)} bytes")


def _decode_text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise KeyspaceError(f"text is not UTF-8: {error}") from None
