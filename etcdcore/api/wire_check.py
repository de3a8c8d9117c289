"""What etcd 3.6 finds wrong with a request's bytes: its generated code refuses more than protobuf's own libraries do.

Those pass over a known field that comes in another wire type; etcd 3.6 refuses it (3.7 no longer does). Asked only
where a message was not read or held something unknown, so it may take its time. Not checked, as in etcd 3.6: that texts
are UTF-8. Source: the Unmarshal methods of etcd api/etcdserverpb/rpc.pb.go.
"""

from typing import Final, final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
GROUP_START: Final = 3
GROUP_END: Final = 4
FIXED32: Final = 5
_VARINT_BITS_MAX: Final = 64
_INT64_MAX: Final = (1 << 63) - 1
_UNEXPECTED_EOF: Final = "unexpected EOF"
_BY_LENGTH: Final = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE)


@final
class WireError(ValueError):
    """The text is that of etcd's generated code."""


def check_wire(kind: Descriptor, data: bytes) -> None:
    """Raises WireError where etcd 3.6 would not read the bytes as a message of this kind."""
    _Walk(data).check(kind, 0, len(data))


@final
class _Walk:
    """Over one request's bytes; `_at` is where it has come to."""

    def __init__(self, data: bytes) -> None:
        self._data: Final = data
        self._at = 0

    def check(self, kind: Descriptor, start: int, end: int) -> None:
        self._at = start
        while self._at < end:
            field_start = self._at
            tag = self._varint(end)
            # An int32 in etcd, so that numbers of fields that are no numbers of fields count as negative.
            number = (tag >> 3) & 0xFFFFFFFF
            wire_type = tag & 7
            if wire_type == GROUP_END:
                raise WireError(f"proto: {kind.name}: wiretype end group for non-group")
            if number == 0 or number >= 1 << 31:
                shown = number - (1 << 32) if number else 0
                raise WireError(f"proto: {kind.name}: illegal tag {shown} (wire type {tag})")
            field = kind.fields_by_number.get(number)
            if field is None:
                self._at = field_start
                self._skip(end)
            else:
                self._check_field(field, wire_type, end)

    def _check_field(self, field: FieldDescriptor, wire_type: int, end: int) -> None:
        if field.type in _BY_LENGTH:
            if wire_type != LENGTH:
                raise WireError(_wrong(field, wire_type))
            until = self._length(end)
            if field.message_type is not None:
                self.check(field.message_type, self._at, until)
            self._at = until
        elif wire_type == VARINT:
            self._varint(end)
        elif wire_type == LENGTH and field.is_repeated:
            until = self._length(end)
            while self._at < until:
                self._varint(end)
        else:
            raise WireError(_wrong(field, wire_type))

    def _length(self, end: int) -> int:
        """Where what has its length in front ends."""
        length = self._varint(end)
        if length > _INT64_MAX or self._at + length > _INT64_MAX:
            raise WireError("proto: negative length found during unmarshaling")
        if self._at + length > end:
            raise WireError(_UNEXPECTED_EOF)
        return self._at + length

    def _varint(self, end: int) -> int:
        number = shift = 0
        while True:
            if shift >= _VARINT_BITS_MAX:
                raise WireError("proto: integer overflow")
            if self._at >= end:
                raise WireError(_UNEXPECTED_EOF)
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number & ((1 << 64) - 1)
            shift += 7

    def _skip(self, end: int) -> None:
        """An unknown field, groups in groups included."""
        depth = 0
        while self._at < end:
            wire_type = self._varint(end) & 7
            if wire_type == VARINT:
                self._varint(end)
            elif wire_type == FIXED64:
                self._at += 8
            elif wire_type == LENGTH:
                length = self._varint(end)
                if length > _INT64_MAX or self._at + length > _INT64_MAX:
                    raise WireError("proto: negative length found during unmarshaling")
                self._at += length
            elif wire_type == GROUP_START:
                depth += 1
            elif wire_type == GROUP_END:
                if depth == 0:
                    raise WireError("proto: unexpected end of group")
                depth -= 1
            elif wire_type == FIXED32:
                self._at += 4
            else:
                raise WireError(f"proto: illegal wireType {wire_type}")
            if depth == 0:
                if self._at > end:
                    raise WireError(_UNEXPECTED_EOF)
                return
        raise WireError(_UNEXPECTED_EOF)


def _wrong(field: FieldDescriptor, wire_type: int) -> str:
    return f"proto: wrong wireType = {wire_type} for field {_go_name(field.name)}"


def _go_name(name: str) -> str:
    """`range_end` is RangeEnd, `peerURLs` PeerURLs, `ID` ID."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
