"""Every record of proto/zookeeper.jute.

Written by `python -m zkbridge.jute.generate`, not to be edited.
Fields are in wire order and must not be assigned. `decode` ignores bytes behind the record; `decode_from` also
returns the offset behind it. Both raise JuteError, and so does `encode` for an integer out of its wire type's range.
"""

from collections.abc import Sequence
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.jute.wire import (
    LAYOUT_ERROR,
    decode_malformed,
    encode_text,
    layout,
    out_of_range,
    read_bool,
    read_int,
    short_of,
    unreasonable_length,
)

_PACK_B: Final = layout("?").pack
_PACK_I: Final = layout("i").pack
_UNPACK_IBI: Final = layout("i?i").unpack_from
_PACK_IBI: Final = layout("i?i").pack
_UNPACK_II: Final = layout("ii").unpack_from
_PACK_II: Final = layout("ii").pack
_UNPACK_III: Final = layout("iii").unpack_from
_PACK_III: Final = layout("iii").pack
_UNPACK_IIQI: Final = layout("iiqi").unpack_from
_PACK_IIQI: Final = layout("iiqi").pack
_UNPACK_IQ: Final = layout("iq").unpack_from
_PACK_IQ: Final = layout("iq").pack
_UNPACK_IQI: Final = layout("iqi").unpack_from
_PACK_IQI: Final = layout("iqi").pack
_UNPACK_IQIQI: Final = layout("iqiqi").unpack_from
_PACK_IQIQI: Final = layout("iqiqi").pack
_UNPACK_Q: Final = layout("q").unpack_from
_PACK_Q: Final = layout("q").pack
_UNPACK_QI: Final = layout("qi").unpack_from
_PACK_QI: Final = layout("qi").pack
_UNPACK_QQQQIIIQIIQ: Final = layout("qqqqiiiqiiq").unpack_from
_PACK_QQQQIIIQIIQ: Final = layout("qqqqiiiqiiq").pack


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class RequestHeader:
    """Opens every request but the handshake: the client's number for it, and the opcode."""

    __slots__ = ("xid", "type")

    def __init__(self, xid: int, type: int) -> None:
        self.xid: Final = xid
        self.type: Final = type

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "RequestHeader":
        xid_: int
        type_: int
        try:
            xid_, type_ = _UNPACK_II(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("RequestHeader", error) from None
        return RequestHeader(xid_, type_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["RequestHeader", int]:
        xid_: int
        type_: int
        try:
            xid_, type_ = _UNPACK_II(data, offset)
            offset += 8
        except LAYOUT_ERROR as error:
            raise short_of("RequestHeader", error) from None
        return RequestHeader(xid_, type_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_II(self.xid, self.type)
        except LAYOUT_ERROR as error:
            raise out_of_range("RequestHeader", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RequestHeader)
            and self.xid == other.xid
            and self.type == other.type
        )

    def __hash__(self) -> int:
        return hash((self.xid, self.type))

    def __repr__(self) -> str:
        return (
            f"RequestHeader("
            f"xid={self.xid!r}, "
            f"type={self.type!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ReplyHeader:
    """Opens every answer and every notification. `zxid` is the server's last applied transaction."""

    __slots__ = ("xid", "zxid", "err")

    def __init__(self, xid: int, zxid: int, err: int) -> None:
        self.xid: Final = xid
        self.zxid: Final = zxid
        self.err: Final = err

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ReplyHeader":
        xid_: int
        zxid_: int
        err_: int
        try:
            xid_, zxid_, err_ = _UNPACK_IQI(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ReplyHeader", error) from None
        return ReplyHeader(xid_, zxid_, err_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ReplyHeader", int]:
        xid_: int
        zxid_: int
        err_: int
        try:
            xid_, zxid_, err_ = _UNPACK_IQI(data, offset)
            offset += 16
        except LAYOUT_ERROR as error:
            raise short_of("ReplyHeader", error) from None
        return ReplyHeader(xid_, zxid_, err_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_IQI(self.xid, self.zxid, self.err)
        except LAYOUT_ERROR as error:
            raise out_of_range("ReplyHeader", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ReplyHeader)
            and self.xid == other.xid
            and self.zxid == other.zxid
            and self.err == other.err
        )

    def __hash__(self) -> int:
        return hash((self.xid, self.zxid, self.err))

    def __repr__(self) -> str:
        return (
            f"ReplyHeader("
            f"xid={self.xid!r}, "
            f"zxid={self.zxid!r}, "
            f"err={self.err!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class MultiHeader:
    """Opens each operation or result of a multi; the one with `done` set closes the list."""

    __slots__ = ("type", "done", "err")

    def __init__(self, type: int, done: bool, err: int) -> None:
        self.type: Final = type
        self.done: Final = done
        self.err: Final = err

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "MultiHeader":
        type_: int
        done_: bool
        err_: int
        try:
            type_, done_, err_ = _UNPACK_IBI(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("MultiHeader", error) from None
        return MultiHeader(type_, done_, err_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["MultiHeader", int]:
        type_: int
        done_: bool
        err_: int
        try:
            type_, done_, err_ = _UNPACK_IBI(data, offset)
            offset += 9
        except LAYOUT_ERROR as error:
            raise short_of("MultiHeader", error) from None
        return MultiHeader(type_, done_, err_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_IBI(self.type, self.done, self.err)
        except LAYOUT_ERROR as error:
            raise out_of_range("MultiHeader", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, MultiHeader)
            and self.type == other.type
            and self.done == other.done
            and self.err == other.err
        )

    def __hash__(self) -> int:
        return hash((self.type, self.done, self.err))

    def __repr__(self) -> str:
        return (
            f"MultiHeader("
            f"type={self.type!r}, "
            f"done={self.done!r}, "
            f"err={self.err!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Id:
    """Who an ACL entry speaks of."""

    __slots__ = ("scheme", "id")

    def __init__(self, scheme: str | None, id: str | None) -> None:
        self.scheme: Final = scheme
        self.id: Final = id

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "Id":
        scheme_: str | None
        length: int
        raw: bytes
        end: int
        id_: str | None
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Id.scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    scheme_ = raw.decode()
                except UnicodeDecodeError:
                    scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                scheme_ = None
            else:
                raise unreasonable_length("Id.scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Id.id", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    id_ = raw.decode()
                except UnicodeDecodeError:
                    id_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                id_ = None
            else:
                raise unreasonable_length("Id.id", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("Id", error) from None
        return Id(scheme_, id_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["Id", int]:
        scheme_: str | None
        length: int
        raw: bytes
        end: int
        id_: str | None
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Id.scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    scheme_ = raw.decode()
                except UnicodeDecodeError:
                    scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                scheme_ = None
            else:
                raise unreasonable_length("Id.scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Id.id", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    id_ = raw.decode()
                except UnicodeDecodeError:
                    id_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                id_ = None
            else:
                raise unreasonable_length("Id.id", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("Id", error) from None
        return Id(scheme_, id_), offset

    def encode(self) -> bytes:
        try:
            scheme_ = self.scheme
            if scheme_ is None:
                scheme_length = -1
                scheme_raw = b""
            else:
                scheme_raw = scheme_.encode() if scheme_.isascii() else encode_text(scheme_)
                scheme_length = len(scheme_raw)
            id_ = self.id
            if id_ is None:
                id_length = -1
                id_raw = b""
            else:
                id_raw = id_.encode() if id_.isascii() else encode_text(id_)
                id_length = len(id_raw)
            return b"".join((_PACK_I(scheme_length), scheme_raw, _PACK_I(id_length), id_raw))
        except LAYOUT_ERROR as error:
            raise out_of_range("Id", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Id)
            and self.scheme == other.scheme
            and self.id == other.id
        )

    def __hash__(self) -> int:
        return hash((self.scheme, self.id))

    def __repr__(self) -> str:
        return (
            f"Id("
            f"scheme={self.scheme!r}, "
            f"id={self.id!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ACL:
    """One entry of an access control list: a bit set of permissions for one identity."""

    __slots__ = ("perms", "id")

    def __init__(self, perms: int, id: Id) -> None:
        self.perms: Final = perms
        self.id: Final = id

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ACL":
        perms_: int
        id_: Id
        try:
            perms_ = read_int(data, offset)
            offset += 4
            id_, offset = Id.decode_from(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ACL", error) from None
        return ACL(perms_, id_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ACL", int]:
        perms_: int
        id_: Id
        try:
            perms_ = read_int(data, offset)
            offset += 4
            id_, offset = Id.decode_from(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ACL", error) from None
        return ACL(perms_, id_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_I(self.perms) + self.id.encode()
        except LAYOUT_ERROR as error:
            raise out_of_range("ACL", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ACL)
            and self.perms == other.perms
            and self.id == other.id
        )

    def __hash__(self) -> int:
        return hash((self.perms, self.id))

    def __repr__(self) -> str:
        return (
            f"ACL("
            f"perms={self.perms!r}, "
            f"id={self.id!r})"
        )


_FREQUENT_ACL_BYTES: Final = bytes.fromhex("0000001f00000005776f726c6400000006616e796f6e65")
_FREQUENT_ACL: Final = ACL(31, Id("world", "anyone"))


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Stat:
    """What a node says of itself, 68 bytes. Times are Unix milliseconds."""

    __slots__ = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "ephemeral_owner", "data_length", "num_children", "pzxid")

    def __init__(
        self,
        czxid: int,
        mzxid: int,
        ctime: int,
        mtime: int,
        version: int,
        cversion: int,
        aversion: int,
        ephemeral_owner: int,
        data_length: int,
        num_children: int,
        pzxid: int,
    ) -> None:
        self.czxid: Final = czxid
        self.mzxid: Final = mzxid
        self.ctime: Final = ctime
        self.mtime: Final = mtime
        self.version: Final = version
        self.cversion: Final = cversion
        self.aversion: Final = aversion
        self.ephemeral_owner: Final = ephemeral_owner
        self.data_length: Final = data_length
        self.num_children: Final = num_children
        self.pzxid: Final = pzxid

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "Stat":
        czxid_: int
        mzxid_: int
        ctime_: int
        mtime_: int
        version_: int
        cversion_: int
        aversion_: int
        ephemeral_owner_: int
        data_length_: int
        num_children_: int
        pzxid_: int
        try:
            czxid_, mzxid_, ctime_, mtime_, version_, cversion_, aversion_, ephemeral_owner_, data_length_, num_children_, pzxid_ = _UNPACK_QQQQIIIQIIQ(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("Stat", error) from None
        return Stat(czxid_, mzxid_, ctime_, mtime_, version_, cversion_, aversion_, ephemeral_owner_, data_length_, num_children_, pzxid_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["Stat", int]:
        czxid_: int
        mzxid_: int
        ctime_: int
        mtime_: int
        version_: int
        cversion_: int
        aversion_: int
        ephemeral_owner_: int
        data_length_: int
        num_children_: int
        pzxid_: int
        try:
            czxid_, mzxid_, ctime_, mtime_, version_, cversion_, aversion_, ephemeral_owner_, data_length_, num_children_, pzxid_ = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
        except LAYOUT_ERROR as error:
            raise short_of("Stat", error) from None
        return Stat(czxid_, mzxid_, ctime_, mtime_, version_, cversion_, aversion_, ephemeral_owner_, data_length_, num_children_, pzxid_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_QQQQIIIQIIQ(self.czxid, self.mzxid, self.ctime, self.mtime, self.version, self.cversion, self.aversion, self.ephemeral_owner, self.data_length, self.num_children, self.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("Stat", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Stat)
            and self.czxid == other.czxid
            and self.mzxid == other.mzxid
            and self.ctime == other.ctime
            and self.mtime == other.mtime
            and self.version == other.version
            and self.cversion == other.cversion
            and self.aversion == other.aversion
            and self.ephemeral_owner == other.ephemeral_owner
            and self.data_length == other.data_length
            and self.num_children == other.num_children
            and self.pzxid == other.pzxid
        )

    def __hash__(self) -> int:
        return hash((self.czxid, self.mzxid, self.ctime, self.mtime, self.version, self.cversion, self.aversion, self.ephemeral_owner, self.data_length, self.num_children, self.pzxid))

    def __repr__(self) -> str:
        return (
            f"Stat("
            f"czxid={self.czxid!r}, "
            f"mzxid={self.mzxid!r}, "
            f"ctime={self.ctime!r}, "
            f"mtime={self.mtime!r}, "
            f"version={self.version!r}, "
            f"cversion={self.cversion!r}, "
            f"aversion={self.aversion!r}, "
            f"ephemeral_owner={self.ephemeral_owner!r}, "
            f"data_length={self.data_length!r}, "
            f"num_children={self.num_children!r}, "
            f"pzxid={self.pzxid!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ClientInfo:
    """One identity of the asking connection, in the answer to whoAmI."""

    __slots__ = ("auth_scheme", "user")

    def __init__(self, auth_scheme: str | None, user: str | None) -> None:
        self.auth_scheme: Final = auth_scheme
        self.user: Final = user

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ClientInfo":
        auth_scheme_: str | None
        length: int
        raw: bytes
        end: int
        user_: str | None
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ClientInfo.auth_scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    auth_scheme_ = raw.decode()
                except UnicodeDecodeError:
                    auth_scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                auth_scheme_ = None
            else:
                raise unreasonable_length("ClientInfo.auth_scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ClientInfo.user", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    user_ = raw.decode()
                except UnicodeDecodeError:
                    user_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                user_ = None
            else:
                raise unreasonable_length("ClientInfo.user", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("ClientInfo", error) from None
        return ClientInfo(auth_scheme_, user_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ClientInfo", int]:
        auth_scheme_: str | None
        length: int
        raw: bytes
        end: int
        user_: str | None
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ClientInfo.auth_scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    auth_scheme_ = raw.decode()
                except UnicodeDecodeError:
                    auth_scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                auth_scheme_ = None
            else:
                raise unreasonable_length("ClientInfo.auth_scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ClientInfo.user", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    user_ = raw.decode()
                except UnicodeDecodeError:
                    user_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                user_ = None
            else:
                raise unreasonable_length("ClientInfo.user", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("ClientInfo", error) from None
        return ClientInfo(auth_scheme_, user_), offset

    def encode(self) -> bytes:
        try:
            auth_scheme_ = self.auth_scheme
            if auth_scheme_ is None:
                auth_scheme_length = -1
                auth_scheme_raw = b""
            else:
                auth_scheme_raw = auth_scheme_.encode() if auth_scheme_.isascii() else encode_text(auth_scheme_)
                auth_scheme_length = len(auth_scheme_raw)
            user_ = self.user
            if user_ is None:
                user_length = -1
                user_raw = b""
            else:
                user_raw = user_.encode() if user_.isascii() else encode_text(user_)
                user_length = len(user_raw)
            return b"".join((_PACK_I(auth_scheme_length), auth_scheme_raw, _PACK_I(user_length), user_raw))
        except LAYOUT_ERROR as error:
            raise out_of_range("ClientInfo", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ClientInfo)
            and self.auth_scheme == other.auth_scheme
            and self.user == other.user
        )

    def __hash__(self) -> int:
        return hash((self.auth_scheme, self.user))

    def __repr__(self) -> str:
        return (
            f"ClientInfo("
            f"auth_scheme={self.auth_scheme!r}, "
            f"user={self.user!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ConnectRequest:
    """First frame of a connection, without a header. Session 0 asks for a new one; `timeOut` is in milliseconds."""

    __slots__ = ("protocol_version", "last_zxid_seen", "time_out", "session_id", "passwd", "read_only")

    def __init__(
        self,
        protocol_version: int,
        last_zxid_seen: int,
        time_out: int,
        session_id: int,
        passwd: bytes | None,
        read_only: bool | None = None,
    ) -> None:
        self.protocol_version: Final = protocol_version
        self.last_zxid_seen: Final = last_zxid_seen
        self.time_out: Final = time_out
        self.session_id: Final = session_id
        self.passwd: Final = passwd
        self.read_only: Final = read_only

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ConnectRequest":
        protocol_version_: int
        last_zxid_seen_: int
        time_out_: int
        session_id_: int
        passwd_: bytes | None
        length: int
        end: int
        read_only_: bool | None
        try:
            protocol_version_, last_zxid_seen_, time_out_, session_id_, length = _UNPACK_IQIQI(data, offset)
            offset += 28
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ConnectRequest.passwd", length, len(data) - offset)
                passwd_ = data[offset:end]
                offset = end
            elif length == -1:
                passwd_ = None
            else:
                raise unreasonable_length("ConnectRequest.passwd", length, len(data) - offset)
            read_only_ = None
            if offset < len(data):
                read_only_ = read_bool(data, offset)
                offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("ConnectRequest", error) from None
        return ConnectRequest(protocol_version_, last_zxid_seen_, time_out_, session_id_, passwd_, read_only_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ConnectRequest", int]:
        protocol_version_: int
        last_zxid_seen_: int
        time_out_: int
        session_id_: int
        passwd_: bytes | None
        length: int
        end: int
        read_only_: bool | None
        try:
            protocol_version_, last_zxid_seen_, time_out_, session_id_, length = _UNPACK_IQIQI(data, offset)
            offset += 28
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ConnectRequest.passwd", length, len(data) - offset)
                passwd_ = data[offset:end]
                offset = end
            elif length == -1:
                passwd_ = None
            else:
                raise unreasonable_length("ConnectRequest.passwd", length, len(data) - offset)
            read_only_ = None
            if offset < len(data):
                read_only_ = read_bool(data, offset)
                offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("ConnectRequest", error) from None
        return ConnectRequest(protocol_version_, last_zxid_seen_, time_out_, session_id_, passwd_, read_only_), offset

    def encode(self) -> bytes:
        try:
            passwd_raw = self.passwd
            if passwd_raw is None:
                passwd_length = -1
                passwd_raw = b""
            else:
                passwd_length = len(passwd_raw)
            read_only_ = self.read_only
            return _PACK_IQIQI(self.protocol_version, self.last_zxid_seen, self.time_out, self.session_id, passwd_length) + passwd_raw + (b"" if read_only_ is None else _PACK_B(read_only_))
        except LAYOUT_ERROR as error:
            raise out_of_range("ConnectRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ConnectRequest)
            and self.protocol_version == other.protocol_version
            and self.last_zxid_seen == other.last_zxid_seen
            and self.time_out == other.time_out
            and self.session_id == other.session_id
            and self.passwd == other.passwd
            and self.read_only == other.read_only
        )

    def __hash__(self) -> int:
        return hash((self.protocol_version, self.last_zxid_seen, self.time_out, self.session_id, self.passwd, self.read_only))

    def __repr__(self) -> str:
        return (
            f"ConnectRequest("
            f"protocol_version={self.protocol_version!r}, "
            f"last_zxid_seen={self.last_zxid_seen!r}, "
            f"time_out={self.time_out!r}, "
            f"session_id={self.session_id!r}, "
            f"passwd={self.passwd!r}, "
            f"read_only={self.read_only!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ConnectResponse:
    """Answer to the handshake, without a header. A `timeOut` of 0 says that the session is gone."""

    __slots__ = ("protocol_version", "time_out", "session_id", "passwd", "read_only")

    def __init__(
        self,
        protocol_version: int,
        time_out: int,
        session_id: int,
        passwd: bytes | None,
        read_only: bool | None = None,
    ) -> None:
        self.protocol_version: Final = protocol_version
        self.time_out: Final = time_out
        self.session_id: Final = session_id
        self.passwd: Final = passwd
        self.read_only: Final = read_only

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ConnectResponse":
        protocol_version_: int
        time_out_: int
        session_id_: int
        passwd_: bytes | None
        length: int
        end: int
        read_only_: bool | None
        try:
            protocol_version_, time_out_, session_id_, length = _UNPACK_IIQI(data, offset)
            offset += 20
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ConnectResponse.passwd", length, len(data) - offset)
                passwd_ = data[offset:end]
                offset = end
            elif length == -1:
                passwd_ = None
            else:
                raise unreasonable_length("ConnectResponse.passwd", length, len(data) - offset)
            read_only_ = None
            if offset < len(data):
                read_only_ = read_bool(data, offset)
                offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("ConnectResponse", error) from None
        return ConnectResponse(protocol_version_, time_out_, session_id_, passwd_, read_only_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ConnectResponse", int]:
        protocol_version_: int
        time_out_: int
        session_id_: int
        passwd_: bytes | None
        length: int
        end: int
        read_only_: bool | None
        try:
            protocol_version_, time_out_, session_id_, length = _UNPACK_IIQI(data, offset)
            offset += 20
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ConnectResponse.passwd", length, len(data) - offset)
                passwd_ = data[offset:end]
                offset = end
            elif length == -1:
                passwd_ = None
            else:
                raise unreasonable_length("ConnectResponse.passwd", length, len(data) - offset)
            read_only_ = None
            if offset < len(data):
                read_only_ = read_bool(data, offset)
                offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("ConnectResponse", error) from None
        return ConnectResponse(protocol_version_, time_out_, session_id_, passwd_, read_only_), offset

    def encode(self) -> bytes:
        try:
            passwd_raw = self.passwd
            if passwd_raw is None:
                passwd_length = -1
                passwd_raw = b""
            else:
                passwd_length = len(passwd_raw)
            read_only_ = self.read_only
            return _PACK_IIQI(self.protocol_version, self.time_out, self.session_id, passwd_length) + passwd_raw + (b"" if read_only_ is None else _PACK_B(read_only_))
        except LAYOUT_ERROR as error:
            raise out_of_range("ConnectResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ConnectResponse)
            and self.protocol_version == other.protocol_version
            and self.time_out == other.time_out
            and self.session_id == other.session_id
            and self.passwd == other.passwd
            and self.read_only == other.read_only
        )

    def __hash__(self) -> int:
        return hash((self.protocol_version, self.time_out, self.session_id, self.passwd, self.read_only))

    def __repr__(self) -> str:
        return (
            f"ConnectResponse("
            f"protocol_version={self.protocol_version!r}, "
            f"time_out={self.time_out!r}, "
            f"session_id={self.session_id!r}, "
            f"passwd={self.passwd!r}, "
            f"read_only={self.read_only!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class AuthPacket:
    """auth (100). `type` is 0 and nobody reads it."""

    __slots__ = ("type", "scheme", "auth")

    def __init__(self, type: int, scheme: str | None, auth: bytes | None) -> None:
        self.type: Final = type
        self.scheme: Final = scheme
        self.auth: Final = auth

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "AuthPacket":
        type_: int
        scheme_: str | None
        length: int
        raw: bytes
        end: int
        auth_: bytes | None
        try:
            type_, length = _UNPACK_II(data, offset)
            offset += 8
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AuthPacket.scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    scheme_ = raw.decode()
                except UnicodeDecodeError:
                    scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                scheme_ = None
            else:
                raise unreasonable_length("AuthPacket.scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AuthPacket.auth", length, len(data) - offset)
                auth_ = data[offset:end]
                offset = end
            elif length == -1:
                auth_ = None
            else:
                raise unreasonable_length("AuthPacket.auth", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("AuthPacket", error) from None
        return AuthPacket(type_, scheme_, auth_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["AuthPacket", int]:
        type_: int
        scheme_: str | None
        length: int
        raw: bytes
        end: int
        auth_: bytes | None
        try:
            type_, length = _UNPACK_II(data, offset)
            offset += 8
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AuthPacket.scheme", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    scheme_ = raw.decode()
                except UnicodeDecodeError:
                    scheme_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                scheme_ = None
            else:
                raise unreasonable_length("AuthPacket.scheme", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AuthPacket.auth", length, len(data) - offset)
                auth_ = data[offset:end]
                offset = end
            elif length == -1:
                auth_ = None
            else:
                raise unreasonable_length("AuthPacket.auth", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("AuthPacket", error) from None
        return AuthPacket(type_, scheme_, auth_), offset

    def encode(self) -> bytes:
        try:
            scheme_ = self.scheme
            if scheme_ is None:
                scheme_length = -1
                scheme_raw = b""
            else:
                scheme_raw = scheme_.encode() if scheme_.isascii() else encode_text(scheme_)
                scheme_length = len(scheme_raw)
            auth_raw = self.auth
            if auth_raw is None:
                auth_length = -1
                auth_raw = b""
            else:
                auth_length = len(auth_raw)
            return b"".join((_PACK_II(self.type, scheme_length), scheme_raw, _PACK_I(auth_length), auth_raw))
        except LAYOUT_ERROR as error:
            raise out_of_range("AuthPacket", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AuthPacket)
            and self.type == other.type
            and self.scheme == other.scheme
            and self.auth == other.auth
        )

    def __hash__(self) -> int:
        return hash((self.type, self.scheme, self.auth))

    def __repr__(self) -> str:
        return (
            f"AuthPacket("
            f"type={self.type!r}, "
            f"scheme={self.scheme!r}, "
            f"auth={self.auth!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class WatcherEvent:
    """A watch has fired: event type, state of the connection, path."""

    __slots__ = ("type", "state", "path")

    def __init__(self, type: int, state: int, path: str | None) -> None:
        self.type: Final = type
        self.state: Final = state
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "WatcherEvent":
        type_: int
        state_: int
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            type_, state_, length = _UNPACK_III(data, offset)
            offset += 12
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("WatcherEvent.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("WatcherEvent.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("WatcherEvent", error) from None
        return WatcherEvent(type_, state_, path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["WatcherEvent", int]:
        type_: int
        state_: int
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            type_, state_, length = _UNPACK_III(data, offset)
            offset += 12
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("WatcherEvent.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("WatcherEvent.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("WatcherEvent", error) from None
        return WatcherEvent(type_, state_, path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_III(self.type, self.state, path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("WatcherEvent", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, WatcherEvent)
            and self.type == other.type
            and self.state == other.state
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.type, self.state, self.path))

    def __repr__(self) -> str:
        return (
            f"WatcherEvent("
            f"type={self.type!r}, "
            f"state={self.state!r}, "
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ErrorResponse:
    """An error code as a body: results inside multis, and the answer to addWatch."""

    __slots__ = ("err",)

    def __init__(self, err: int) -> None:
        self.err: Final = err

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ErrorResponse":
        err_: int
        try:
            err_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ErrorResponse", error) from None
        return ErrorResponse(err_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ErrorResponse", int]:
        err_: int
        try:
            err_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("ErrorResponse", error) from None
        return ErrorResponse(err_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_I(self.err)
        except LAYOUT_ERROR as error:
            raise out_of_range("ErrorResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ErrorResponse)
            and self.err == other.err
        )

    def __hash__(self) -> int:
        return hash((self.err,))

    def __repr__(self) -> str:
        return (
            f"ErrorResponse("
            f"err={self.err!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetSASLRequest:
    """sasl (102): a token from the client."""

    __slots__ = ("token",)

    def __init__(self, token: bytes | None) -> None:
        self.token: Final = token

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetSASLRequest":
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetSASLRequest.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("GetSASLRequest.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetSASLRequest", error) from None
        return GetSASLRequest(token_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetSASLRequest", int]:
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetSASLRequest.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("GetSASLRequest.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetSASLRequest", error) from None
        return GetSASLRequest(token_), offset

    def encode(self) -> bytes:
        try:
            token_raw = self.token
            if token_raw is None:
                token_length = -1
                token_raw = b""
            else:
                token_length = len(token_raw)
            return _PACK_I(token_length) + token_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetSASLRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetSASLRequest)
            and self.token == other.token
        )

    def __hash__(self) -> int:
        return hash((self.token,))

    def __repr__(self) -> str:
        return (
            f"GetSASLRequest("
            f"token={self.token!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetSASLRequest:
    """sasl token as the schema's other name has it; same bytes as GetSASLRequest."""

    __slots__ = ("token",)

    def __init__(self, token: bytes | None) -> None:
        self.token: Final = token

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetSASLRequest":
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetSASLRequest.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("SetSASLRequest.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetSASLRequest", error) from None
        return SetSASLRequest(token_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetSASLRequest", int]:
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetSASLRequest.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("SetSASLRequest.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetSASLRequest", error) from None
        return SetSASLRequest(token_), offset

    def encode(self) -> bytes:
        try:
            token_raw = self.token
            if token_raw is None:
                token_length = -1
                token_raw = b""
            else:
                token_length = len(token_raw)
            return _PACK_I(token_length) + token_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("SetSASLRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetSASLRequest)
            and self.token == other.token
        )

    def __hash__(self) -> int:
        return hash((self.token,))

    def __repr__(self) -> str:
        return (
            f"SetSASLRequest("
            f"token={self.token!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetSASLResponse:
    """Answer to sasl: the server's token, null when there is none."""

    __slots__ = ("token",)

    def __init__(self, token: bytes | None) -> None:
        self.token: Final = token

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetSASLResponse":
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetSASLResponse.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("SetSASLResponse.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetSASLResponse", error) from None
        return SetSASLResponse(token_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetSASLResponse", int]:
        token_: bytes | None
        length: int
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetSASLResponse.token", length, len(data) - offset)
                token_ = data[offset:end]
                offset = end
            elif length == -1:
                token_ = None
            else:
                raise unreasonable_length("SetSASLResponse.token", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetSASLResponse", error) from None
        return SetSASLResponse(token_), offset

    def encode(self) -> bytes:
        try:
            token_raw = self.token
            if token_raw is None:
                token_length = -1
                token_raw = b""
            else:
                token_length = len(token_raw)
            return _PACK_I(token_length) + token_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("SetSASLResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetSASLResponse)
            and self.token == other.token
        )

    def __hash__(self) -> int:
        return hash((self.token,))

    def __repr__(self) -> str:
        return (
            f"SetSASLResponse("
            f"token={self.token!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CreateRequest:
    """create (1), create2 (15), createContainer (19)."""

    __slots__ = ("path", "data", "acl", "flags")

    def __init__(self, path: str | None, data: bytes | None, acl: list[ACL] | None, flags: int) -> None:
        self.path: Final = path
        self.data: Final = data
        self.acl: Final = acl
        self.flags: Final = flags

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "CreateRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        acl_: list[ACL] | None
        count: int
        element: ACL
        flags_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("CreateRequest.data", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("CreateRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            flags_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("CreateRequest", error) from None
        return CreateRequest(path_, data_, acl_, flags_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["CreateRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        acl_: list[ACL] | None
        count: int
        element: ACL
        flags_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("CreateRequest.data", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("CreateRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            flags_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("CreateRequest", error) from None
        return CreateRequest(path_, data_, acl_, flags_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            data_raw = self.data
            if data_raw is None:
                data_length = -1
                data_raw = b""
            else:
                data_length = len(data_raw)
            acl_ = self.acl
            acl_raw = b""
            if acl_ is None:
                acl_length = -1
            else:
                acl_length = len(acl_)
                acl_parts: list[bytes] = []
                for element in acl_:
                    acl_parts.append(element.encode())
                acl_raw = b"".join(acl_parts)
            return b"".join((_PACK_I(path_length), path_raw, _PACK_I(data_length), data_raw, _PACK_I(acl_length), acl_raw, _PACK_I(self.flags)))
        except LAYOUT_ERROR as error:
            raise out_of_range("CreateRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CreateRequest)
            and self.path == other.path
            and self.data == other.data
            and self.acl == other.acl
            and self.flags == other.flags
        )

    def __repr__(self) -> str:
        return (
            f"CreateRequest("
            f"path={self.path!r}, "
            f"data={self.data!r}, "
            f"acl={self.acl!r}, "
            f"flags={self.flags!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CreateTTLRequest:
    """createTTL (21). `ttl` is in milliseconds."""

    __slots__ = ("path", "data", "acl", "flags", "ttl")

    def __init__(self, path: str | None, data: bytes | None, acl: list[ACL] | None, flags: int, ttl: int) -> None:
        self.path: Final = path
        self.data: Final = data
        self.acl: Final = acl
        self.flags: Final = flags
        self.ttl: Final = ttl

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "CreateTTLRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        acl_: list[ACL] | None
        count: int
        element: ACL
        flags_: int
        ttl_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateTTLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateTTLRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateTTLRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("CreateTTLRequest.data", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("CreateTTLRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            flags_, ttl_ = _UNPACK_IQ(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("CreateTTLRequest", error) from None
        return CreateTTLRequest(path_, data_, acl_, flags_, ttl_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["CreateTTLRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        acl_: list[ACL] | None
        count: int
        element: ACL
        flags_: int
        ttl_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateTTLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateTTLRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateTTLRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("CreateTTLRequest.data", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("CreateTTLRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            flags_, ttl_ = _UNPACK_IQ(data, offset)
            offset += 12
        except LAYOUT_ERROR as error:
            raise short_of("CreateTTLRequest", error) from None
        return CreateTTLRequest(path_, data_, acl_, flags_, ttl_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            data_raw = self.data
            if data_raw is None:
                data_length = -1
                data_raw = b""
            else:
                data_length = len(data_raw)
            acl_ = self.acl
            acl_raw = b""
            if acl_ is None:
                acl_length = -1
            else:
                acl_length = len(acl_)
                acl_parts: list[bytes] = []
                for element in acl_:
                    acl_parts.append(element.encode())
                acl_raw = b"".join(acl_parts)
            return b"".join((_PACK_I(path_length), path_raw, _PACK_I(data_length), data_raw, _PACK_I(acl_length), acl_raw, _PACK_IQ(self.flags, self.ttl)))
        except LAYOUT_ERROR as error:
            raise out_of_range("CreateTTLRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CreateTTLRequest)
            and self.path == other.path
            and self.data == other.data
            and self.acl == other.acl
            and self.flags == other.flags
            and self.ttl == other.ttl
        )

    def __repr__(self) -> str:
        return (
            f"CreateTTLRequest("
            f"path={self.path!r}, "
            f"data={self.data!r}, "
            f"acl={self.acl!r}, "
            f"flags={self.flags!r}, "
            f"ttl={self.ttl!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CreateResponse:
    """Answer to create: the path with its sequence number, if any."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "CreateResponse":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateResponse.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateResponse.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("CreateResponse", error) from None
        return CreateResponse(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["CreateResponse", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CreateResponse.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CreateResponse.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("CreateResponse", error) from None
        return CreateResponse(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("CreateResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CreateResponse)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"CreateResponse("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Create2Response:
    """Answer to create2, createContainer and createTTL."""

    __slots__ = ("path", "stat")

    def __init__(self, path: str | None, stat: Stat) -> None:
        self.path: Final = path
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "Create2Response":
        path_: str | None
        length: int
        raw: bytes
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Create2Response.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("Create2Response.path", length, len(data) - offset)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("Create2Response", error) from None
        return Create2Response(path_, stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["Create2Response", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("Create2Response.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("Create2Response.path", length, len(data) - offset)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("Create2Response", error) from None
        return Create2Response(path_, stat_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            stat_ = self.stat
            return _PACK_I(path_length) + path_raw + _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("Create2Response", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Create2Response)
            and self.path == other.path
            and self.stat == other.stat
        )

    def __hash__(self) -> int:
        return hash((self.path, self.stat))

    def __repr__(self) -> str:
        return (
            f"Create2Response("
            f"path={self.path!r}, "
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class DeleteRequest:
    """delete (2). Version -1 is any."""

    __slots__ = ("path", "version")

    def __init__(self, path: str | None, version: int) -> None:
        self.path: Final = path
        self.version: Final = version

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "DeleteRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("DeleteRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("DeleteRequest.path", length, len(data) - offset)
            version_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("DeleteRequest", error) from None
        return DeleteRequest(path_, version_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["DeleteRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("DeleteRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("DeleteRequest.path", length, len(data) - offset)
            version_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("DeleteRequest", error) from None
        return DeleteRequest(path_, version_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_I(self.version)
        except LAYOUT_ERROR as error:
            raise out_of_range("DeleteRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DeleteRequest)
            and self.path == other.path
            and self.version == other.version
        )

    def __hash__(self) -> int:
        return hash((self.path, self.version))

    def __repr__(self) -> str:
        return (
            f"DeleteRequest("
            f"path={self.path!r}, "
            f"version={self.version!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class DeleteContainerRequest:
    """deleteContainer (20), which the server sends to itself."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "DeleteContainerRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("DeleteContainerRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("DeleteContainerRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("DeleteContainerRequest", error) from None
        return DeleteContainerRequest(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["DeleteContainerRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("DeleteContainerRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("DeleteContainerRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("DeleteContainerRequest", error) from None
        return DeleteContainerRequest(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("DeleteContainerRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DeleteContainerRequest)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"DeleteContainerRequest("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetDataRequest:
    """setData (5). Version -1 is any."""

    __slots__ = ("path", "data", "version")

    def __init__(self, path: str | None, data: bytes | None, version: int) -> None:
        self.path: Final = path
        self.data: Final = data
        self.version: Final = version

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetDataRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetDataRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SetDataRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetDataRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("SetDataRequest.data", length, len(data) - offset)
            version_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetDataRequest", error) from None
        return SetDataRequest(path_, data_, version_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetDataRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        data_: bytes | None
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetDataRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SetDataRequest.path", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetDataRequest.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("SetDataRequest.data", length, len(data) - offset)
            version_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("SetDataRequest", error) from None
        return SetDataRequest(path_, data_, version_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            data_raw = self.data
            if data_raw is None:
                data_length = -1
                data_raw = b""
            else:
                data_length = len(data_raw)
            return b"".join((_PACK_I(path_length), path_raw, _PACK_I(data_length), data_raw, _PACK_I(self.version)))
        except LAYOUT_ERROR as error:
            raise out_of_range("SetDataRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetDataRequest)
            and self.path == other.path
            and self.data == other.data
            and self.version == other.version
        )

    def __hash__(self) -> int:
        return hash((self.path, self.data, self.version))

    def __repr__(self) -> str:
        return (
            f"SetDataRequest("
            f"path={self.path!r}, "
            f"data={self.data!r}, "
            f"version={self.version!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetDataResponse:
    """Answer to setData."""

    __slots__ = ("stat",)

    def __init__(self, stat: Stat) -> None:
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetDataResponse":
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("SetDataResponse", error) from None
        return SetDataResponse(stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetDataResponse", int]:
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("SetDataResponse", error) from None
        return SetDataResponse(stat_), offset

    def encode(self) -> bytes:
        try:
            stat_ = self.stat
            return _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("SetDataResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetDataResponse)
            and self.stat == other.stat
        )

    def __hash__(self) -> int:
        return hash((self.stat,))

    def __repr__(self) -> str:
        return (
            f"SetDataResponse("
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetACLRequest:
    """setACL (7). `version` is compared with the node's aversion; -1 is any."""

    __slots__ = ("path", "acl", "version")

    def __init__(self, path: str | None, acl: list[ACL] | None, version: int) -> None:
        self.path: Final = path
        self.acl: Final = acl
        self.version: Final = version

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetACLRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        acl_: list[ACL] | None
        count: int
        element: ACL
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetACLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SetACLRequest.path", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("SetACLRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            version_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("SetACLRequest", error) from None
        return SetACLRequest(path_, acl_, version_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetACLRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        acl_: list[ACL] | None
        count: int
        element: ACL
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SetACLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SetACLRequest.path", length, len(data) - offset)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("SetACLRequest.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            version_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("SetACLRequest", error) from None
        return SetACLRequest(path_, acl_, version_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            acl_ = self.acl
            acl_raw = b""
            if acl_ is None:
                acl_length = -1
            else:
                acl_length = len(acl_)
                acl_parts: list[bytes] = []
                for element in acl_:
                    acl_parts.append(element.encode())
                acl_raw = b"".join(acl_parts)
            return b"".join((_PACK_I(path_length), path_raw, _PACK_I(acl_length), acl_raw, _PACK_I(self.version)))
        except LAYOUT_ERROR as error:
            raise out_of_range("SetACLRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetACLRequest)
            and self.path == other.path
            and self.acl == other.acl
            and self.version == other.version
        )

    def __repr__(self) -> str:
        return (
            f"SetACLRequest("
            f"path={self.path!r}, "
            f"acl={self.acl!r}, "
            f"version={self.version!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetACLResponse:
    """Answer to setACL."""

    __slots__ = ("stat",)

    def __init__(self, stat: Stat) -> None:
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetACLResponse":
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("SetACLResponse", error) from None
        return SetACLResponse(stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetACLResponse", int]:
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("SetACLResponse", error) from None
        return SetACLResponse(stat_), offset

    def encode(self) -> bytes:
        try:
            stat_ = self.stat
            return _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("SetACLResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetACLResponse)
            and self.stat == other.stat
        )

    def __hash__(self) -> int:
        return hash((self.stat,))

    def __repr__(self) -> str:
        return (
            f"SetACLResponse("
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CheckVersionRequest:
    """check (13), only inside a multi."""

    __slots__ = ("path", "version")

    def __init__(self, path: str | None, version: int) -> None:
        self.path: Final = path
        self.version: Final = version

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "CheckVersionRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CheckVersionRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CheckVersionRequest.path", length, len(data) - offset)
            version_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("CheckVersionRequest", error) from None
        return CheckVersionRequest(path_, version_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["CheckVersionRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        version_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CheckVersionRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CheckVersionRequest.path", length, len(data) - offset)
            version_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("CheckVersionRequest", error) from None
        return CheckVersionRequest(path_, version_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_I(self.version)
        except LAYOUT_ERROR as error:
            raise out_of_range("CheckVersionRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CheckVersionRequest)
            and self.path == other.path
            and self.version == other.version
        )

    def __hash__(self) -> int:
        return hash((self.path, self.version))

    def __repr__(self) -> str:
        return (
            f"CheckVersionRequest("
            f"path={self.path!r}, "
            f"version={self.version!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ReconfigRequest:
    """reconfig (16). Its answer is a GetDataResponse."""

    __slots__ = ("joining_servers", "leaving_servers", "new_members", "cur_config_id")

    def __init__(
        self,
        joining_servers: str | None,
        leaving_servers: str | None,
        new_members: str | None,
        cur_config_id: int,
    ) -> None:
        self.joining_servers: Final = joining_servers
        self.leaving_servers: Final = leaving_servers
        self.new_members: Final = new_members
        self.cur_config_id: Final = cur_config_id

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ReconfigRequest":
        joining_servers_: str | None
        length: int
        raw: bytes
        end: int
        leaving_servers_: str | None
        new_members_: str | None
        cur_config_id_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.joining_servers", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    joining_servers_ = raw.decode()
                except UnicodeDecodeError:
                    joining_servers_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                joining_servers_ = None
            else:
                raise unreasonable_length("ReconfigRequest.joining_servers", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.leaving_servers", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    leaving_servers_ = raw.decode()
                except UnicodeDecodeError:
                    leaving_servers_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                leaving_servers_ = None
            else:
                raise unreasonable_length("ReconfigRequest.leaving_servers", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.new_members", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    new_members_ = raw.decode()
                except UnicodeDecodeError:
                    new_members_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                new_members_ = None
            else:
                raise unreasonable_length("ReconfigRequest.new_members", length, len(data) - offset)
            (cur_config_id_,) = _UNPACK_Q(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ReconfigRequest", error) from None
        return ReconfigRequest(joining_servers_, leaving_servers_, new_members_, cur_config_id_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ReconfigRequest", int]:
        joining_servers_: str | None
        length: int
        raw: bytes
        end: int
        leaving_servers_: str | None
        new_members_: str | None
        cur_config_id_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.joining_servers", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    joining_servers_ = raw.decode()
                except UnicodeDecodeError:
                    joining_servers_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                joining_servers_ = None
            else:
                raise unreasonable_length("ReconfigRequest.joining_servers", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.leaving_servers", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    leaving_servers_ = raw.decode()
                except UnicodeDecodeError:
                    leaving_servers_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                leaving_servers_ = None
            else:
                raise unreasonable_length("ReconfigRequest.leaving_servers", length, len(data) - offset)
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ReconfigRequest.new_members", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    new_members_ = raw.decode()
                except UnicodeDecodeError:
                    new_members_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                new_members_ = None
            else:
                raise unreasonable_length("ReconfigRequest.new_members", length, len(data) - offset)
            (cur_config_id_,) = _UNPACK_Q(data, offset)
            offset += 8
        except LAYOUT_ERROR as error:
            raise short_of("ReconfigRequest", error) from None
        return ReconfigRequest(joining_servers_, leaving_servers_, new_members_, cur_config_id_), offset

    def encode(self) -> bytes:
        try:
            joining_servers_ = self.joining_servers
            if joining_servers_ is None:
                joining_servers_length = -1
                joining_servers_raw = b""
            else:
                joining_servers_raw = joining_servers_.encode() if joining_servers_.isascii() else encode_text(joining_servers_)
                joining_servers_length = len(joining_servers_raw)
            leaving_servers_ = self.leaving_servers
            if leaving_servers_ is None:
                leaving_servers_length = -1
                leaving_servers_raw = b""
            else:
                leaving_servers_raw = leaving_servers_.encode() if leaving_servers_.isascii() else encode_text(leaving_servers_)
                leaving_servers_length = len(leaving_servers_raw)
            new_members_ = self.new_members
            if new_members_ is None:
                new_members_length = -1
                new_members_raw = b""
            else:
                new_members_raw = new_members_.encode() if new_members_.isascii() else encode_text(new_members_)
                new_members_length = len(new_members_raw)
            return b"".join((_PACK_I(joining_servers_length), joining_servers_raw, _PACK_I(leaving_servers_length), leaving_servers_raw, _PACK_I(new_members_length), new_members_raw, _PACK_Q(self.cur_config_id)))
        except LAYOUT_ERROR as error:
            raise out_of_range("ReconfigRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ReconfigRequest)
            and self.joining_servers == other.joining_servers
            and self.leaving_servers == other.leaving_servers
            and self.new_members == other.new_members
            and self.cur_config_id == other.cur_config_id
        )

    def __hash__(self) -> int:
        return hash((self.joining_servers, self.leaving_servers, self.new_members, self.cur_config_id))

    def __repr__(self) -> str:
        return (
            f"ReconfigRequest("
            f"joining_servers={self.joining_servers!r}, "
            f"leaving_servers={self.leaving_servers!r}, "
            f"new_members={self.new_members!r}, "
            f"cur_config_id={self.cur_config_id!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ExistsRequest:
    """exists (3)."""

    __slots__ = ("path", "watch")

    def __init__(self, path: str | None, watch: bool) -> None:
        self.path: Final = path
        self.watch: Final = watch

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ExistsRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ExistsRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("ExistsRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("ExistsRequest", error) from None
        return ExistsRequest(path_, watch_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ExistsRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("ExistsRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("ExistsRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
            offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("ExistsRequest", error) from None
        return ExistsRequest(path_, watch_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_B(self.watch)
        except LAYOUT_ERROR as error:
            raise out_of_range("ExistsRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ExistsRequest)
            and self.path == other.path
            and self.watch == other.watch
        )

    def __hash__(self) -> int:
        return hash((self.path, self.watch))

    def __repr__(self) -> str:
        return (
            f"ExistsRequest("
            f"path={self.path!r}, "
            f"watch={self.watch!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class ExistsResponse:
    """Answer to exists."""

    __slots__ = ("stat",)

    def __init__(self, stat: Stat) -> None:
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "ExistsResponse":
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("ExistsResponse", error) from None
        return ExistsResponse(stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["ExistsResponse", int]:
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("ExistsResponse", error) from None
        return ExistsResponse(stat_), offset

    def encode(self) -> bytes:
        try:
            stat_ = self.stat
            return _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("ExistsResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ExistsResponse)
            and self.stat == other.stat
        )

    def __hash__(self) -> int:
        return hash((self.stat,))

    def __repr__(self) -> str:
        return (
            f"ExistsResponse("
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetDataRequest:
    """getData (4)."""

    __slots__ = ("path", "watch")

    def __init__(self, path: str | None, watch: bool) -> None:
        self.path: Final = path
        self.watch: Final = watch

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetDataRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetDataRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetDataRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetDataRequest", error) from None
        return GetDataRequest(path_, watch_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetDataRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetDataRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetDataRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
            offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("GetDataRequest", error) from None
        return GetDataRequest(path_, watch_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_B(self.watch)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetDataRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetDataRequest)
            and self.path == other.path
            and self.watch == other.watch
        )

    def __hash__(self) -> int:
        return hash((self.path, self.watch))

    def __repr__(self) -> str:
        return (
            f"GetDataRequest("
            f"path={self.path!r}, "
            f"watch={self.watch!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetDataResponse:
    """Answer to getData and to reconfig."""

    __slots__ = ("data", "stat")

    def __init__(self, data: bytes | None, stat: Stat) -> None:
        self.data: Final = data
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetDataResponse":
        data_: bytes | None
        length: int
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetDataResponse.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("GetDataResponse.data", length, len(data) - offset)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetDataResponse", error) from None
        return GetDataResponse(data_, stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetDataResponse", int]:
        data_: bytes | None
        length: int
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetDataResponse.data", length, len(data) - offset)
                data_ = data[offset:end]
                offset = end
            elif length == -1:
                data_ = None
            else:
                raise unreasonable_length("GetDataResponse.data", length, len(data) - offset)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetDataResponse", error) from None
        return GetDataResponse(data_, stat_), offset

    def encode(self) -> bytes:
        try:
            data_raw = self.data
            if data_raw is None:
                data_length = -1
                data_raw = b""
            else:
                data_length = len(data_raw)
            stat_ = self.stat
            return _PACK_I(data_length) + data_raw + _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetDataResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetDataResponse)
            and self.data == other.data
            and self.stat == other.stat
        )

    def __hash__(self) -> int:
        return hash((self.data, self.stat))

    def __repr__(self) -> str:
        return (
            f"GetDataResponse("
            f"data={self.data!r}, "
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetACLRequest:
    """getACL (6)."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetACLRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetACLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetACLRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetACLRequest", error) from None
        return GetACLRequest(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetACLRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetACLRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetACLRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetACLRequest", error) from None
        return GetACLRequest(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetACLRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetACLRequest)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"GetACLRequest("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetACLResponse:
    """Answer to getACL."""

    __slots__ = ("acl", "stat")

    def __init__(self, acl: list[ACL] | None, stat: Stat) -> None:
        self.acl: Final = acl
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetACLResponse":
        acl_: list[ACL] | None
        count: int
        element: ACL
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("GetACLResponse.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetACLResponse", error) from None
        return GetACLResponse(acl_, stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetACLResponse", int]:
        acl_: list[ACL] | None
        count: int
        element: ACL
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                acl_ = None
            else:
                if count * 12 > len(data) - offset:
                    raise unreasonable_length("GetACLResponse.acl", count, len(data) - offset)
                acl_ = []
                for _ in range(count):
                    if data.startswith(_FREQUENT_ACL_BYTES, offset):
                        acl_.append(_FREQUENT_ACL)
                        offset += 23
                    else:
                        element, offset = ACL.decode_from(data, offset)
                        acl_.append(element)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetACLResponse", error) from None
        return GetACLResponse(acl_, stat_), offset

    def encode(self) -> bytes:
        try:
            acl_ = self.acl
            acl_raw = b""
            if acl_ is None:
                acl_length = -1
            else:
                acl_length = len(acl_)
                acl_parts: list[bytes] = []
                for element in acl_:
                    acl_parts.append(element.encode())
                acl_raw = b"".join(acl_parts)
            stat_ = self.stat
            return _PACK_I(acl_length) + acl_raw + _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetACLResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetACLResponse)
            and self.acl == other.acl
            and self.stat == other.stat
        )

    def __repr__(self) -> str:
        return (
            f"GetACLResponse("
            f"acl={self.acl!r}, "
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetChildrenRequest:
    """getChildren (8)."""

    __slots__ = ("path", "watch")

    def __init__(self, path: str | None, watch: bool) -> None:
        self.path: Final = path
        self.watch: Final = watch

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetChildrenRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetChildrenRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetChildrenRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildrenRequest", error) from None
        return GetChildrenRequest(path_, watch_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetChildrenRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetChildrenRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetChildrenRequest.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
            offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("GetChildrenRequest", error) from None
        return GetChildrenRequest(path_, watch_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_B(self.watch)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetChildrenRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetChildrenRequest)
            and self.path == other.path
            and self.watch == other.watch
        )

    def __hash__(self) -> int:
        return hash((self.path, self.watch))

    def __repr__(self) -> str:
        return (
            f"GetChildrenRequest("
            f"path={self.path!r}, "
            f"watch={self.watch!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetChildrenResponse:
    """Answer to getChildren: bare names, in no order."""

    __slots__ = ("children",)

    def __init__(self, children: Sequence[str | None] | None) -> None:
        self.children: Final = children

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetChildrenResponse":
        children_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                children_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetChildrenResponse.children", count, len(data) - offset)
                children_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetChildrenResponse.children", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetChildrenResponse.children", length, len(data) - offset)
                    children_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildrenResponse", error) from None
        return GetChildrenResponse(children_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetChildrenResponse", int]:
        children_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                children_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetChildrenResponse.children", count, len(data) - offset)
                children_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetChildrenResponse.children", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetChildrenResponse.children", length, len(data) - offset)
                    children_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildrenResponse", error) from None
        return GetChildrenResponse(children_), offset

    def encode(self) -> bytes:
        try:
            children_ = self.children
            children_raw = b""
            if children_ is None:
                children_length = -1
            else:
                children_length = len(children_)
                children_parts: list[bytes] = []
                for element in children_:
                    if element is None:
                        children_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    children_parts.append(_PACK_I(len(raw)))
                    children_parts.append(raw)
                children_raw = b"".join(children_parts)
            return _PACK_I(children_length) + children_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetChildrenResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetChildrenResponse)
            and self.children == other.children
        )

    def __repr__(self) -> str:
        return (
            f"GetChildrenResponse("
            f"children={self.children!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetChildren2Request:
    """getChildren2 (12)."""

    __slots__ = ("path", "watch")

    def __init__(self, path: str | None, watch: bool) -> None:
        self.path: Final = path
        self.watch: Final = watch

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetChildren2Request":
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetChildren2Request.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetChildren2Request.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildren2Request", error) from None
        return GetChildren2Request(path_, watch_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetChildren2Request", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        watch_: bool
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetChildren2Request.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetChildren2Request.path", length, len(data) - offset)
            watch_ = read_bool(data, offset)
            offset += 1
        except LAYOUT_ERROR as error:
            raise short_of("GetChildren2Request", error) from None
        return GetChildren2Request(path_, watch_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_B(self.watch)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetChildren2Request", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetChildren2Request)
            and self.path == other.path
            and self.watch == other.watch
        )

    def __hash__(self) -> int:
        return hash((self.path, self.watch))

    def __repr__(self) -> str:
        return (
            f"GetChildren2Request("
            f"path={self.path!r}, "
            f"watch={self.watch!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetChildren2Response:
    """Answer to getChildren2."""

    __slots__ = ("children", "stat")

    def __init__(self, children: Sequence[str | None] | None, stat: Stat) -> None:
        self.children: Final = children
        self.stat: Final = stat

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetChildren2Response":
        children_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                children_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetChildren2Response.children", count, len(data) - offset)
                children_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetChildren2Response.children", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetChildren2Response.children", length, len(data) - offset)
                    children_.append(element)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildren2Response", error) from None
        return GetChildren2Response(children_, stat_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetChildren2Response", int]:
        children_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        stat_: Stat
        stat_czxid: int
        stat_mzxid: int
        stat_ctime: int
        stat_mtime: int
        stat_version: int
        stat_cversion: int
        stat_aversion: int
        stat_ephemeral_owner: int
        stat_data_length: int
        stat_num_children: int
        stat_pzxid: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                children_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetChildren2Response.children", count, len(data) - offset)
                children_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetChildren2Response.children", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetChildren2Response.children", length, len(data) - offset)
                    children_.append(element)
            stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid = _UNPACK_QQQQIIIQIIQ(data, offset)
            offset += 68
            stat_ = Stat(stat_czxid, stat_mzxid, stat_ctime, stat_mtime, stat_version, stat_cversion, stat_aversion, stat_ephemeral_owner, stat_data_length, stat_num_children, stat_pzxid)
        except LAYOUT_ERROR as error:
            raise short_of("GetChildren2Response", error) from None
        return GetChildren2Response(children_, stat_), offset

    def encode(self) -> bytes:
        try:
            children_ = self.children
            children_raw = b""
            if children_ is None:
                children_length = -1
            else:
                children_length = len(children_)
                children_parts: list[bytes] = []
                for element in children_:
                    if element is None:
                        children_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    children_parts.append(_PACK_I(len(raw)))
                    children_parts.append(raw)
                children_raw = b"".join(children_parts)
            stat_ = self.stat
            return _PACK_I(children_length) + children_raw + _PACK_QQQQIIIQIIQ(stat_.czxid, stat_.mzxid, stat_.ctime, stat_.mtime, stat_.version, stat_.cversion, stat_.aversion, stat_.ephemeral_owner, stat_.data_length, stat_.num_children, stat_.pzxid)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetChildren2Response", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetChildren2Response)
            and self.children == other.children
            and self.stat == other.stat
        )

    def __repr__(self) -> str:
        return (
            f"GetChildren2Response("
            f"children={self.children!r}, "
            f"stat={self.stat!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SyncRequest:
    """sync (9)."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SyncRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SyncRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SyncRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SyncRequest", error) from None
        return SyncRequest(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SyncRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SyncRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SyncRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SyncRequest", error) from None
        return SyncRequest(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("SyncRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SyncRequest)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"SyncRequest("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SyncResponse:
    """Answer to sync: the path as it came."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SyncResponse":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SyncResponse.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SyncResponse.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SyncResponse", error) from None
        return SyncResponse(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SyncResponse", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("SyncResponse.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("SyncResponse.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("SyncResponse", error) from None
        return SyncResponse(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("SyncResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SyncResponse)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"SyncResponse("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetEphemeralsRequest:
    """getEphemerals (103)."""

    __slots__ = ("prefix_path",)

    def __init__(self, prefix_path: str | None) -> None:
        self.prefix_path: Final = prefix_path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetEphemeralsRequest":
        prefix_path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetEphemeralsRequest.prefix_path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    prefix_path_ = raw.decode()
                except UnicodeDecodeError:
                    prefix_path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                prefix_path_ = None
            else:
                raise unreasonable_length("GetEphemeralsRequest.prefix_path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetEphemeralsRequest", error) from None
        return GetEphemeralsRequest(prefix_path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetEphemeralsRequest", int]:
        prefix_path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetEphemeralsRequest.prefix_path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    prefix_path_ = raw.decode()
                except UnicodeDecodeError:
                    prefix_path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                prefix_path_ = None
            else:
                raise unreasonable_length("GetEphemeralsRequest.prefix_path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetEphemeralsRequest", error) from None
        return GetEphemeralsRequest(prefix_path_), offset

    def encode(self) -> bytes:
        try:
            prefix_path_ = self.prefix_path
            if prefix_path_ is None:
                prefix_path_length = -1
                prefix_path_raw = b""
            else:
                prefix_path_raw = prefix_path_.encode() if prefix_path_.isascii() else encode_text(prefix_path_)
                prefix_path_length = len(prefix_path_raw)
            return _PACK_I(prefix_path_length) + prefix_path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetEphemeralsRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetEphemeralsRequest)
            and self.prefix_path == other.prefix_path
        )

    def __hash__(self) -> int:
        return hash((self.prefix_path,))

    def __repr__(self) -> str:
        return (
            f"GetEphemeralsRequest("
            f"prefix_path={self.prefix_path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetEphemeralsResponse:
    """Answer to getEphemerals."""

    __slots__ = ("ephemerals",)

    def __init__(self, ephemerals: Sequence[str | None] | None) -> None:
        self.ephemerals: Final = ephemerals

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetEphemeralsResponse":
        ephemerals_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                ephemerals_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetEphemeralsResponse.ephemerals", count, len(data) - offset)
                ephemerals_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetEphemeralsResponse.ephemerals", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetEphemeralsResponse.ephemerals", length, len(data) - offset)
                    ephemerals_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("GetEphemeralsResponse", error) from None
        return GetEphemeralsResponse(ephemerals_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetEphemeralsResponse", int]:
        ephemerals_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                ephemerals_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("GetEphemeralsResponse.ephemerals", count, len(data) - offset)
                ephemerals_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("GetEphemeralsResponse.ephemerals", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("GetEphemeralsResponse.ephemerals", length, len(data) - offset)
                    ephemerals_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("GetEphemeralsResponse", error) from None
        return GetEphemeralsResponse(ephemerals_), offset

    def encode(self) -> bytes:
        try:
            ephemerals_ = self.ephemerals
            ephemerals_raw = b""
            if ephemerals_ is None:
                ephemerals_length = -1
            else:
                ephemerals_length = len(ephemerals_)
                ephemerals_parts: list[bytes] = []
                for element in ephemerals_:
                    if element is None:
                        ephemerals_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    ephemerals_parts.append(_PACK_I(len(raw)))
                    ephemerals_parts.append(raw)
                ephemerals_raw = b"".join(ephemerals_parts)
            return _PACK_I(ephemerals_length) + ephemerals_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetEphemeralsResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetEphemeralsResponse)
            and self.ephemerals == other.ephemerals
        )

    def __repr__(self) -> str:
        return (
            f"GetEphemeralsResponse("
            f"ephemerals={self.ephemerals!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetAllChildrenNumberRequest:
    """getAllChildrenNumber (104)."""

    __slots__ = ("path",)

    def __init__(self, path: str | None) -> None:
        self.path: Final = path

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetAllChildrenNumberRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetAllChildrenNumberRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetAllChildrenNumberRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetAllChildrenNumberRequest", error) from None
        return GetAllChildrenNumberRequest(path_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetAllChildrenNumberRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("GetAllChildrenNumberRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("GetAllChildrenNumberRequest.path", length, len(data) - offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetAllChildrenNumberRequest", error) from None
        return GetAllChildrenNumberRequest(path_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("GetAllChildrenNumberRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetAllChildrenNumberRequest)
            and self.path == other.path
        )

    def __hash__(self) -> int:
        return hash((self.path,))

    def __repr__(self) -> str:
        return (
            f"GetAllChildrenNumberRequest("
            f"path={self.path!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class GetAllChildrenNumberResponse:
    """Answer to getAllChildrenNumber: how many nodes are below the path."""

    __slots__ = ("total_number",)

    def __init__(self, total_number: int) -> None:
        self.total_number: Final = total_number

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "GetAllChildrenNumberResponse":
        total_number_: int
        try:
            total_number_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("GetAllChildrenNumberResponse", error) from None
        return GetAllChildrenNumberResponse(total_number_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["GetAllChildrenNumberResponse", int]:
        total_number_: int
        try:
            total_number_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("GetAllChildrenNumberResponse", error) from None
        return GetAllChildrenNumberResponse(total_number_), offset

    def encode(self) -> bytes:
        try:
            return _PACK_I(self.total_number)
        except LAYOUT_ERROR as error:
            raise out_of_range("GetAllChildrenNumberResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GetAllChildrenNumberResponse)
            and self.total_number == other.total_number
        )

    def __hash__(self) -> int:
        return hash((self.total_number,))

    def __repr__(self) -> str:
        return (
            f"GetAllChildrenNumberResponse("
            f"total_number={self.total_number!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class WhoAmIResponse:
    """Answer to whoAmI (107), whose request is empty."""

    __slots__ = ("client_info",)

    def __init__(self, client_info: list[ClientInfo] | None) -> None:
        self.client_info: Final = client_info

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "WhoAmIResponse":
        client_info_: list[ClientInfo] | None
        count: int
        element: ClientInfo
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                client_info_ = None
            else:
                if count * 8 > len(data) - offset:
                    raise unreasonable_length("WhoAmIResponse.client_info", count, len(data) - offset)
                client_info_ = []
                for _ in range(count):
                    element, offset = ClientInfo.decode_from(data, offset)
                    client_info_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("WhoAmIResponse", error) from None
        return WhoAmIResponse(client_info_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["WhoAmIResponse", int]:
        client_info_: list[ClientInfo] | None
        count: int
        element: ClientInfo
        try:
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                client_info_ = None
            else:
                if count * 8 > len(data) - offset:
                    raise unreasonable_length("WhoAmIResponse.client_info", count, len(data) - offset)
                client_info_ = []
                for _ in range(count):
                    element, offset = ClientInfo.decode_from(data, offset)
                    client_info_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("WhoAmIResponse", error) from None
        return WhoAmIResponse(client_info_), offset

    def encode(self) -> bytes:
        try:
            client_info_ = self.client_info
            client_info_raw = b""
            if client_info_ is None:
                client_info_length = -1
            else:
                client_info_length = len(client_info_)
                client_info_parts: list[bytes] = []
                for element in client_info_:
                    client_info_parts.append(element.encode())
                client_info_raw = b"".join(client_info_parts)
            return _PACK_I(client_info_length) + client_info_raw
        except LAYOUT_ERROR as error:
            raise out_of_range("WhoAmIResponse", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, WhoAmIResponse)
            and self.client_info == other.client_info
        )

    def __repr__(self) -> str:
        return (
            f"WhoAmIResponse("
            f"client_info={self.client_info!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetWatches:
    """setWatches (101): what a reconnecting client still wants to hear of."""

    __slots__ = ("relative_zxid", "data_watches", "exist_watches", "child_watches")

    def __init__(
        self,
        relative_zxid: int,
        data_watches: Sequence[str | None] | None,
        exist_watches: Sequence[str | None] | None,
        child_watches: Sequence[str | None] | None,
    ) -> None:
        self.relative_zxid: Final = relative_zxid
        self.data_watches: Final = data_watches
        self.exist_watches: Final = exist_watches
        self.child_watches: Final = child_watches

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetWatches":
        relative_zxid_: int
        data_watches_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        exist_watches_: Sequence[str | None] | None
        child_watches_: Sequence[str | None] | None
        try:
            relative_zxid_, count = _UNPACK_QI(data, offset)
            offset += 12
            if count == -1:
                data_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.data_watches", count, len(data) - offset)
                data_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.data_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.data_watches", length, len(data) - offset)
                    data_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                exist_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.exist_watches", count, len(data) - offset)
                exist_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.exist_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.exist_watches", length, len(data) - offset)
                    exist_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                child_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.child_watches", count, len(data) - offset)
                child_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.child_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.child_watches", length, len(data) - offset)
                    child_watches_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("SetWatches", error) from None
        return SetWatches(relative_zxid_, data_watches_, exist_watches_, child_watches_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetWatches", int]:
        relative_zxid_: int
        data_watches_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        exist_watches_: Sequence[str | None] | None
        child_watches_: Sequence[str | None] | None
        try:
            relative_zxid_, count = _UNPACK_QI(data, offset)
            offset += 12
            if count == -1:
                data_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.data_watches", count, len(data) - offset)
                data_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.data_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.data_watches", length, len(data) - offset)
                    data_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                exist_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.exist_watches", count, len(data) - offset)
                exist_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.exist_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.exist_watches", length, len(data) - offset)
                    exist_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                child_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches.child_watches", count, len(data) - offset)
                child_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches.child_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches.child_watches", length, len(data) - offset)
                    child_watches_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("SetWatches", error) from None
        return SetWatches(relative_zxid_, data_watches_, exist_watches_, child_watches_), offset

    def encode(self) -> bytes:
        try:
            data_watches_ = self.data_watches
            data_watches_raw = b""
            if data_watches_ is None:
                data_watches_length = -1
            else:
                data_watches_length = len(data_watches_)
                data_watches_parts: list[bytes] = []
                for element in data_watches_:
                    if element is None:
                        data_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    data_watches_parts.append(_PACK_I(len(raw)))
                    data_watches_parts.append(raw)
                data_watches_raw = b"".join(data_watches_parts)
            exist_watches_ = self.exist_watches
            exist_watches_raw = b""
            if exist_watches_ is None:
                exist_watches_length = -1
            else:
                exist_watches_length = len(exist_watches_)
                exist_watches_parts: list[bytes] = []
                for element in exist_watches_:
                    if element is None:
                        exist_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    exist_watches_parts.append(_PACK_I(len(raw)))
                    exist_watches_parts.append(raw)
                exist_watches_raw = b"".join(exist_watches_parts)
            child_watches_ = self.child_watches
            child_watches_raw = b""
            if child_watches_ is None:
                child_watches_length = -1
            else:
                child_watches_length = len(child_watches_)
                child_watches_parts: list[bytes] = []
                for element in child_watches_:
                    if element is None:
                        child_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    child_watches_parts.append(_PACK_I(len(raw)))
                    child_watches_parts.append(raw)
                child_watches_raw = b"".join(child_watches_parts)
            return b"".join((_PACK_QI(self.relative_zxid, data_watches_length), data_watches_raw, _PACK_I(exist_watches_length), exist_watches_raw, _PACK_I(child_watches_length), child_watches_raw))
        except LAYOUT_ERROR as error:
            raise out_of_range("SetWatches", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetWatches)
            and self.relative_zxid == other.relative_zxid
            and self.data_watches == other.data_watches
            and self.exist_watches == other.exist_watches
            and self.child_watches == other.child_watches
        )

    def __repr__(self) -> str:
        return (
            f"SetWatches("
            f"relative_zxid={self.relative_zxid!r}, "
            f"data_watches={self.data_watches!r}, "
            f"exist_watches={self.exist_watches!r}, "
            f"child_watches={self.child_watches!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class SetWatches2:
    """setWatches2 (105): setWatches with the persistent kinds."""

    __slots__ = ("relative_zxid", "data_watches", "exist_watches", "child_watches", "persistent_watches", "persistent_recursive_watches")

    def __init__(
        self,
        relative_zxid: int,
        data_watches: Sequence[str | None] | None,
        exist_watches: Sequence[str | None] | None,
        child_watches: Sequence[str | None] | None,
        persistent_watches: Sequence[str | None] | None,
        persistent_recursive_watches: Sequence[str | None] | None,
    ) -> None:
        self.relative_zxid: Final = relative_zxid
        self.data_watches: Final = data_watches
        self.exist_watches: Final = exist_watches
        self.child_watches: Final = child_watches
        self.persistent_watches: Final = persistent_watches
        self.persistent_recursive_watches: Final = persistent_recursive_watches

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "SetWatches2":
        relative_zxid_: int
        data_watches_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        exist_watches_: Sequence[str | None] | None
        child_watches_: Sequence[str | None] | None
        persistent_watches_: Sequence[str | None] | None
        persistent_recursive_watches_: Sequence[str | None] | None
        try:
            relative_zxid_, count = _UNPACK_QI(data, offset)
            offset += 12
            if count == -1:
                data_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.data_watches", count, len(data) - offset)
                data_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.data_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.data_watches", length, len(data) - offset)
                    data_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                exist_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.exist_watches", count, len(data) - offset)
                exist_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.exist_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.exist_watches", length, len(data) - offset)
                    exist_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                child_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.child_watches", count, len(data) - offset)
                child_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.child_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.child_watches", length, len(data) - offset)
                    child_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                persistent_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.persistent_watches", count, len(data) - offset)
                persistent_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.persistent_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.persistent_watches", length, len(data) - offset)
                    persistent_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                persistent_recursive_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.persistent_recursive_watches", count, len(data) - offset)
                persistent_recursive_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.persistent_recursive_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.persistent_recursive_watches", length, len(data) - offset)
                    persistent_recursive_watches_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("SetWatches2", error) from None
        return SetWatches2(relative_zxid_, data_watches_, exist_watches_, child_watches_, persistent_watches_, persistent_recursive_watches_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["SetWatches2", int]:
        relative_zxid_: int
        data_watches_: Sequence[str | None] | None
        count: int
        element: str | None
        length: int
        raw: bytes
        end: int
        exist_watches_: Sequence[str | None] | None
        child_watches_: Sequence[str | None] | None
        persistent_watches_: Sequence[str | None] | None
        persistent_recursive_watches_: Sequence[str | None] | None
        try:
            relative_zxid_, count = _UNPACK_QI(data, offset)
            offset += 12
            if count == -1:
                data_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.data_watches", count, len(data) - offset)
                data_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.data_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.data_watches", length, len(data) - offset)
                    data_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                exist_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.exist_watches", count, len(data) - offset)
                exist_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.exist_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.exist_watches", length, len(data) - offset)
                    exist_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                child_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.child_watches", count, len(data) - offset)
                child_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.child_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.child_watches", length, len(data) - offset)
                    child_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                persistent_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.persistent_watches", count, len(data) - offset)
                persistent_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.persistent_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.persistent_watches", length, len(data) - offset)
                    persistent_watches_.append(element)
            count = read_int(data, offset)
            offset += 4
            if count == -1:
                persistent_recursive_watches_ = None
            else:
                if count * 4 > len(data) - offset:
                    raise unreasonable_length("SetWatches2.persistent_recursive_watches", count, len(data) - offset)
                persistent_recursive_watches_ = []
                for _ in range(count):
                    length = read_int(data, offset)
                    offset += 4
                    if length >= 0:
                        end = offset + length
                        if end > len(data):
                            raise unreasonable_length("SetWatches2.persistent_recursive_watches", length, len(data) - offset)
                        raw = data[offset:end]
                        try:
                            element = raw.decode()
                        except UnicodeDecodeError:
                            element = decode_malformed(raw)
                        offset = end
                    elif length == -1:
                        element = None
                    else:
                        raise unreasonable_length("SetWatches2.persistent_recursive_watches", length, len(data) - offset)
                    persistent_recursive_watches_.append(element)
        except LAYOUT_ERROR as error:
            raise short_of("SetWatches2", error) from None
        return SetWatches2(relative_zxid_, data_watches_, exist_watches_, child_watches_, persistent_watches_, persistent_recursive_watches_), offset

    def encode(self) -> bytes:
        try:
            data_watches_ = self.data_watches
            data_watches_raw = b""
            if data_watches_ is None:
                data_watches_length = -1
            else:
                data_watches_length = len(data_watches_)
                data_watches_parts: list[bytes] = []
                for element in data_watches_:
                    if element is None:
                        data_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    data_watches_parts.append(_PACK_I(len(raw)))
                    data_watches_parts.append(raw)
                data_watches_raw = b"".join(data_watches_parts)
            exist_watches_ = self.exist_watches
            exist_watches_raw = b""
            if exist_watches_ is None:
                exist_watches_length = -1
            else:
                exist_watches_length = len(exist_watches_)
                exist_watches_parts: list[bytes] = []
                for element in exist_watches_:
                    if element is None:
                        exist_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    exist_watches_parts.append(_PACK_I(len(raw)))
                    exist_watches_parts.append(raw)
                exist_watches_raw = b"".join(exist_watches_parts)
            child_watches_ = self.child_watches
            child_watches_raw = b""
            if child_watches_ is None:
                child_watches_length = -1
            else:
                child_watches_length = len(child_watches_)
                child_watches_parts: list[bytes] = []
                for element in child_watches_:
                    if element is None:
                        child_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    child_watches_parts.append(_PACK_I(len(raw)))
                    child_watches_parts.append(raw)
                child_watches_raw = b"".join(child_watches_parts)
            persistent_watches_ = self.persistent_watches
            persistent_watches_raw = b""
            if persistent_watches_ is None:
                persistent_watches_length = -1
            else:
                persistent_watches_length = len(persistent_watches_)
                persistent_watches_parts: list[bytes] = []
                for element in persistent_watches_:
                    if element is None:
                        persistent_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    persistent_watches_parts.append(_PACK_I(len(raw)))
                    persistent_watches_parts.append(raw)
                persistent_watches_raw = b"".join(persistent_watches_parts)
            persistent_recursive_watches_ = self.persistent_recursive_watches
            persistent_recursive_watches_raw = b""
            if persistent_recursive_watches_ is None:
                persistent_recursive_watches_length = -1
            else:
                persistent_recursive_watches_length = len(persistent_recursive_watches_)
                persistent_recursive_watches_parts: list[bytes] = []
                for element in persistent_recursive_watches_:
                    if element is None:
                        persistent_recursive_watches_parts.append(_PACK_I(-1))
                        continue
                    raw = element.encode() if element.isascii() else encode_text(element)
                    persistent_recursive_watches_parts.append(_PACK_I(len(raw)))
                    persistent_recursive_watches_parts.append(raw)
                persistent_recursive_watches_raw = b"".join(persistent_recursive_watches_parts)
            return b"".join((_PACK_QI(self.relative_zxid, data_watches_length), data_watches_raw, _PACK_I(exist_watches_length), exist_watches_raw, _PACK_I(child_watches_length), child_watches_raw, _PACK_I(persistent_watches_length), persistent_watches_raw, _PACK_I(persistent_recursive_watches_length), persistent_recursive_watches_raw))
        except LAYOUT_ERROR as error:
            raise out_of_range("SetWatches2", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SetWatches2)
            and self.relative_zxid == other.relative_zxid
            and self.data_watches == other.data_watches
            and self.exist_watches == other.exist_watches
            and self.child_watches == other.child_watches
            and self.persistent_watches == other.persistent_watches
            and self.persistent_recursive_watches == other.persistent_recursive_watches
        )

    def __repr__(self) -> str:
        return (
            f"SetWatches2("
            f"relative_zxid={self.relative_zxid!r}, "
            f"data_watches={self.data_watches!r}, "
            f"exist_watches={self.exist_watches!r}, "
            f"child_watches={self.child_watches!r}, "
            f"persistent_watches={self.persistent_watches!r}, "
            f"persistent_recursive_watches={self.persistent_recursive_watches!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class AddWatchRequest:
    """addWatch (106). Mode 0 is persistent, 1 persistent recursive."""

    __slots__ = ("path", "mode")

    def __init__(self, path: str | None, mode: int) -> None:
        self.path: Final = path
        self.mode: Final = mode

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "AddWatchRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        mode_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AddWatchRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("AddWatchRequest.path", length, len(data) - offset)
            mode_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("AddWatchRequest", error) from None
        return AddWatchRequest(path_, mode_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["AddWatchRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        mode_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("AddWatchRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("AddWatchRequest.path", length, len(data) - offset)
            mode_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("AddWatchRequest", error) from None
        return AddWatchRequest(path_, mode_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_I(self.mode)
        except LAYOUT_ERROR as error:
            raise out_of_range("AddWatchRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AddWatchRequest)
            and self.path == other.path
            and self.mode == other.mode
        )

    def __hash__(self) -> int:
        return hash((self.path, self.mode))

    def __repr__(self) -> str:
        return (
            f"AddWatchRequest("
            f"path={self.path!r}, "
            f"mode={self.mode!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CheckWatchesRequest:
    """checkWatches (17). `type` is a watcher type: 1 children, 2 data, 3 any, 4 persistent, 5 persistent recursive."""

    __slots__ = ("path", "type")

    def __init__(self, path: str | None, type: int) -> None:
        self.path: Final = path
        self.type: Final = type

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "CheckWatchesRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        type_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CheckWatchesRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CheckWatchesRequest.path", length, len(data) - offset)
            type_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("CheckWatchesRequest", error) from None
        return CheckWatchesRequest(path_, type_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["CheckWatchesRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        type_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("CheckWatchesRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("CheckWatchesRequest.path", length, len(data) - offset)
            type_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("CheckWatchesRequest", error) from None
        return CheckWatchesRequest(path_, type_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_I(self.type)
        except LAYOUT_ERROR as error:
            raise out_of_range("CheckWatchesRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CheckWatchesRequest)
            and self.path == other.path
            and self.type == other.type
        )

    def __hash__(self) -> int:
        return hash((self.path, self.type))

    def __repr__(self) -> str:
        return (
            f"CheckWatchesRequest("
            f"path={self.path!r}, "
            f"type={self.type!r})"
        )


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class RemoveWatchesRequest:
    """removeWatches (18). `type` is a watcher type: 1 children, 2 data, 3 any, 4 persistent, 5 persistent recursive."""

    __slots__ = ("path", "type")

    def __init__(self, path: str | None, type: int) -> None:
        self.path: Final = path
        self.type: Final = type

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "RemoveWatchesRequest":
        path_: str | None
        length: int
        raw: bytes
        end: int
        type_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("RemoveWatchesRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("RemoveWatchesRequest.path", length, len(data) - offset)
            type_ = read_int(data, offset)
        except LAYOUT_ERROR as error:
            raise short_of("RemoveWatchesRequest", error) from None
        return RemoveWatchesRequest(path_, type_)

    @staticmethod
    def decode_from(data: bytes, offset: int) -> tuple["RemoveWatchesRequest", int]:
        path_: str | None
        length: int
        raw: bytes
        end: int
        type_: int
        try:
            length = read_int(data, offset)
            offset += 4
            if length >= 0:
                end = offset + length
                if end > len(data):
                    raise unreasonable_length("RemoveWatchesRequest.path", length, len(data) - offset)
                raw = data[offset:end]
                try:
                    path_ = raw.decode()
                except UnicodeDecodeError:
                    path_ = decode_malformed(raw)
                offset = end
            elif length == -1:
                path_ = None
            else:
                raise unreasonable_length("RemoveWatchesRequest.path", length, len(data) - offset)
            type_ = read_int(data, offset)
            offset += 4
        except LAYOUT_ERROR as error:
            raise short_of("RemoveWatchesRequest", error) from None
        return RemoveWatchesRequest(path_, type_), offset

    def encode(self) -> bytes:
        try:
            path_ = self.path
            if path_ is None:
                path_length = -1
                path_raw = b""
            else:
                path_raw = path_.encode() if path_.isascii() else encode_text(path_)
                path_length = len(path_raw)
            return _PACK_I(path_length) + path_raw + _PACK_I(self.type)
        except LAYOUT_ERROR as error:
            raise out_of_range("RemoveWatchesRequest", error) from None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RemoveWatchesRequest)
            and self.path == other.path
            and self.type == other.type
        )

    def __hash__(self) -> int:
        return hash((self.path, self.type))

    def __repr__(self) -> str:
        return (
            f"RemoveWatchesRequest("
            f"path={self.path!r}, "
            f"type={self.type!r})"
        )
