from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AclEntry(_message.Message):
    __slots__ = ("perms", "scheme", "id")
    PERMS_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    perms: int
    scheme: str
    id: str
    def __init__(self, perms: _Optional[int] = ..., scheme: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class Znode(_message.Message):
    __slots__ = ("ctime", "mtime", "version", "data", "aversion", "owner", "acl", "mzxid", "czxid", "reborn")
    CTIME_FIELD_NUMBER: _ClassVar[int]
    MTIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    AVERSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ACL_FIELD_NUMBER: _ClassVar[int]
    MZXID_FIELD_NUMBER: _ClassVar[int]
    CZXID_FIELD_NUMBER: _ClassVar[int]
    REBORN_FIELD_NUMBER: _ClassVar[int]
    ctime: int
    mtime: int
    version: int
    data: bytes
    aversion: int
    owner: int
    acl: _containers.RepeatedCompositeFieldContainer[AclEntry]
    mzxid: int
    czxid: int
    reborn: bool
    def __init__(self, ctime: _Optional[int] = ..., mtime: _Optional[int] = ..., version: _Optional[int] = ..., data: _Optional[bytes] = ..., aversion: _Optional[int] = ..., owner: _Optional[int] = ..., acl: _Optional[_Iterable[_Union[AclEntry, _Mapping]]] = ..., mzxid: _Optional[int] = ..., czxid: _Optional[int] = ..., reborn: _Optional[bool] = ...) -> None: ...

class Children(_message.Message):
    __slots__ = ("created_count", "pzxid")
    CREATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PZXID_FIELD_NUMBER: _ClassVar[int]
    created_count: int
    pzxid: int
    def __init__(self, created_count: _Optional[int] = ..., pzxid: _Optional[int] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("password", "timeout_ms", "bridge")
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    password: bytes
    timeout_ms: int
    bridge: str
    def __init__(self, password: _Optional[bytes] = ..., timeout_ms: _Optional[int] = ..., bridge: _Optional[str] = ...) -> None: ...

class Format(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class Bridge(_message.Message):
    __slots__ = ("client_address", "peer_address", "version")
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    client_address: str
    peer_address: str
    version: str
    def __init__(self, client_address: _Optional[str] = ..., peer_address: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...
