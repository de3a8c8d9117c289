"""The list-shaped records: multi and multiRead requests, and the answer of both.

    request:  { MultiHeader(type, false, -1) | record of that type }*  MultiHeader(-1, true, -1)
    answer:   { MultiHeader(type, false, err) | result of that type }*  MultiHeader(-1, true, -1)

Written by hand, because the type in each header says which record follows. Sources: ZooKeeper MultiOperationRecord,
MultiResponse, Op, CreateOptions.

Invariants:
1. A list that ZooKeeper would answer as a whole with MARSHALLINGERROR (-5) raises JuteError, and only such a list.
2. An operation is not looked into beyond that: versions, TTLs, null paths and a createTTL's flags are the planner's.
"""

from typing import Final, final

from zkbridge.jute.records import (
    CheckVersionRequest,
    Create2Response,
    CreateRequest,
    CreateResponse,
    CreateTTLRequest,
    DeleteRequest,
    ErrorResponse,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    MultiHeader,
    SetDataRequest,
    SetDataResponse,
)
from zkbridge.jute.wire import LAYOUT_ERROR, JuteError, layout, out_of_range, read_bool, read_int, short_of

OP_ERROR: Final = -1
OP_CREATE: Final = 1
OP_DELETE: Final = 2
OP_GET_DATA: Final = 4
OP_SET_DATA: Final = 5
OP_GET_CHILDREN: Final = 8
OP_CHECK: Final = 13
OP_CREATE2: Final = 15
OP_CREATE_CONTAINER: Final = 19
OP_CREATE_TTL: Final = 21

_TTL_FLAGS_MIN: Final = 5

MultiOperation = CreateRequest | CreateTTLRequest | DeleteRequest | SetDataRequest | CheckVersionRequest
MultiReadOperation = GetDataRequest | GetChildrenRequest
MultiResult = (
    CreateResponse | Create2Response | SetDataResponse | GetDataResponse | GetChildrenResponse | ErrorResponse | None
)

_HEADER_SIZE: Final = 9
_PACK_HEADER: Final = layout("i?i").pack
_END: Final = MultiHeader(-1, True, -1).encode()


@final
class MultiRequest:
    """multi (14): (opcode, request) pairs in order; all are done or none."""

    __slots__ = ("operations",)

    def __init__(self, operations: list[tuple[int, MultiOperation]]) -> None:
        self.operations: Final = operations

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "MultiRequest":
        operations: list[tuple[int, MultiOperation]] = []
        type: int
        done: bool
        while True:
            try:
                type, done = _decode_header(data, offset)
            except LAYOUT_ERROR as error:
                raise short_of("MultiRequest", error) from None
            if done:
                return MultiRequest(operations)
            offset += _HEADER_SIZE
            operation: MultiOperation
            if type == OP_SET_DATA:
                operation, offset = SetDataRequest.decode_from(data, offset)
            elif type == OP_CHECK:
                operation, offset = CheckVersionRequest.decode_from(data, offset)
            elif type in (OP_CREATE, OP_CREATE2, OP_CREATE_CONTAINER):
                create, offset = CreateRequest.decode_from(data, offset)
                if create.flags < 0 or create.flags >= _TTL_FLAGS_MIN:
                    raise JuteError(f"MultiRequest: create flags {create.flags} in an operation of type {type}")
                operation = create
            elif type == OP_DELETE:
                operation, offset = DeleteRequest.decode_from(data, offset)
            elif type == OP_CREATE_TTL:
                operation, offset = CreateTTLRequest.decode_from(data, offset)
            else:
                raise JuteError(f"MultiRequest: operation of type {type}")
            operations.append((type, operation))

    def encode(self) -> bytes:
        parts: list[bytes] = []
        for type, operation in self.operations:
            parts.append(_encode_header(type, -1))
            parts.append(operation.encode())
        parts.append(_END)
        return b"".join(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiRequest) and self.operations == other.operations

    def __repr__(self) -> str:
        return f"MultiRequest(operations={self.operations!r})"


@final
class MultiReadRequest:
    """multiRead (22): (opcode, request) pairs; each is answered on its own, no watch is set."""

    __slots__ = ("operations",)

    def __init__(self, operations: list[tuple[int, MultiReadOperation]]) -> None:
        self.operations: Final = operations

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "MultiReadRequest":
        operations: list[tuple[int, MultiReadOperation]] = []
        type: int
        done: bool
        while True:
            try:
                type, done = _decode_header(data, offset)
            except LAYOUT_ERROR as error:
                raise short_of("MultiReadRequest", error) from None
            if done:
                return MultiReadRequest(operations)
            offset += _HEADER_SIZE
            operation: MultiReadOperation
            if type == OP_GET_DATA:
                operation, offset = GetDataRequest.decode_from(data, offset)
            elif type == OP_GET_CHILDREN:
                operation, offset = GetChildrenRequest.decode_from(data, offset)
            else:
                raise JuteError(f"MultiReadRequest: operation of type {type}")
            operations.append((type, operation))

    def encode(self) -> bytes:
        parts: list[bytes] = []
        for type, operation in self.operations:
            parts.append(_encode_header(type, -1))
            parts.append(operation.encode())
        parts.append(_END)
        return b"".join(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiReadRequest) and self.operations == other.operations

    def __repr__(self) -> str:
        return f"MultiReadRequest(operations={self.operations!r})"


@final
class MultiResponse:
    """Answer to both: (type, result) pairs. A delete (2) or check (13) has None, an error (-1) an ErrorResponse."""

    __slots__ = ("results",)

    def __init__(self, results: list[tuple[int, MultiResult]]) -> None:
        self.results: Final = results

    @staticmethod
    def decode(data: bytes, offset: int = 0) -> "MultiResponse":
        results: list[tuple[int, MultiResult]] = []
        type: int
        done: bool
        while True:
            try:
                type, done = _decode_header(data, offset)
            except LAYOUT_ERROR as error:
                raise short_of("MultiResponse", error) from None
            if done:
                return MultiResponse(results)
            offset += _HEADER_SIZE
            result: MultiResult
            if type == OP_SET_DATA:
                result, offset = SetDataResponse.decode_from(data, offset)
            elif type in (OP_CHECK, OP_DELETE):
                result = None
            elif type == OP_CREATE:
                result, offset = CreateResponse.decode_from(data, offset)
            elif type == OP_CREATE2:
                result, offset = Create2Response.decode_from(data, offset)
            elif type == OP_GET_DATA:
                result, offset = GetDataResponse.decode_from(data, offset)
            elif type == OP_GET_CHILDREN:
                result, offset = GetChildrenResponse.decode_from(data, offset)
            elif type == OP_ERROR:
                result, offset = ErrorResponse.decode_from(data, offset)
            else:
                raise JuteError(f"MultiResponse: result of type {type}")
            results.append((type, result))

    def encode(self) -> bytes:
        parts: list[bytes] = []
        for type, result in self.results:
            if result is None:
                parts.append(_encode_header(type, 0))
            elif isinstance(result, ErrorResponse):
                parts.append(_encode_header(type, result.err))
                parts.append(result.encode())
            else:
                parts.append(_encode_header(type, 0))
                parts.append(result.encode())
        parts.append(_END)
        return b"".join(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiResponse) and self.results == other.results

    def __repr__(self) -> str:
        return f"MultiResponse(results={self.results!r})"


def _decode_header(data: bytes, offset: int) -> tuple[int, bool]:
    """Type and done; the error that stands behind them counts for nothing, but must be there."""
    read_int(data, offset + 5)
    return read_int(data, offset), read_bool(data, offset + 4)


def _encode_header(type: int, err: int) -> bytes:
    try:
        return _PACK_HEADER(type, False, err)
    except LAYOUT_ERROR as error:
        raise out_of_range("MultiHeader", error) from None
