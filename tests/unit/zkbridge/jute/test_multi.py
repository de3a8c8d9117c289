"""zkbridge.jute.multi: which lists are read, which are refused as a whole, and the bytes of the answers."""

import pytest

from zkbridge.jute.multi import MultiReadRequest, MultiRequest, MultiResponse
from zkbridge.jute.records import (
    ACL,
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
    Id,
    MultiHeader,
    SetACLRequest,
    SetDataRequest,
    SetDataResponse,
    Stat,
)
from zkbridge.jute.wire import JuteError

OPEN = [ACL(31, Id("world", "anyone"))]
END = "ffffffff 01 ffffffff"
STAT = Stat(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)


def listed(*operations: tuple[int, bytes]) -> bytes:
    body = b"".join(MultiHeader(type, False, -1).encode() + raw for type, raw in operations)
    return body + bytes.fromhex(END)


def test_a_multi_of_every_operation_goes_there_and_back() -> None:
    request = MultiRequest(
        [
            (1, CreateRequest("/a", None, OPEN, 3)),
            (15, CreateRequest("/b", b"", OPEN, 4)),
            (19, CreateRequest("/c", b"c", None, 4)),
            (21, CreateTTLRequest("/d", b"d", OPEN, 6, 1000)),
            (5, SetDataRequest("/a", b"x", -1)),
            (13, CheckVersionRequest("/a", 1)),
            (2, DeleteRequest("/b", 0)),
        ]
    )
    assert MultiRequest.decode(request.encode()) == request
    assert MultiRequest.decode(b"headhead" + request.encode() + b"behind", 8) == request


def test_a_multi_has_the_bytes_of_a_real_client() -> None:
    raw = bytes.fromhex("0000000d 00 ffffffff 00000002 2f61 00000003" + END)
    assert MultiRequest([(13, CheckVersionRequest("/a", 3))]).encode() == raw
    assert MultiRequest.decode(raw).operations == [(13, CheckVersionRequest("/a", 3))]


def test_an_empty_multi_is_its_end_header() -> None:
    assert MultiRequest.decode(bytes.fromhex(END)).operations == []
    assert MultiResponse([]).encode() == bytes.fromhex(END)
    assert MultiReadRequest.decode(bytes.fromhex(END)).operations == []


def test_the_error_in_a_request_header_is_ignored() -> None:
    raw = bytes.fromhex("0000000d 00 00000063 00000002 2f61 00000003" + END)
    assert MultiRequest.decode(raw).operations == [(13, CheckVersionRequest("/a", 3))]


@pytest.mark.parametrize("type", [-11, -1, 0, 3, 4, 6, 7, 8, 9, 11, 12, 14, 16, 20, 22, 100, 2**31 - 1])
def test_an_operation_that_is_not_allowed_in_a_multi_makes_it_undecodable(type: int) -> None:
    body = SetACLRequest("/a", OPEN, -1).encode()
    with pytest.raises(JuteError, match=f"operation of type {type}"):
        MultiRequest.decode(listed((type, body)))


@pytest.mark.parametrize("type", [1, 15, 19])
@pytest.mark.parametrize("flags", [-1, 5, 6, 7, 1000])
def test_ttl_and_unknown_flags_in_a_create_make_the_multi_undecodable(type: int, flags: int) -> None:
    with pytest.raises(JuteError, match=f"create flags {flags}"):
        MultiRequest.decode(listed((type, CreateRequest("/a", None, OPEN, flags).encode())))


@pytest.mark.parametrize("flags", [-1, 7])
def test_unknown_flags_in_a_create_ttl_are_the_planners(flags: int) -> None:
    operation = CreateTTLRequest("/a", None, OPEN, flags, 1)
    assert MultiRequest.decode(listed((21, operation.encode()))).operations == [(21, operation)]


def test_other_flags_and_ttl_values_in_a_create_ttl_are_left_to_the_planner() -> None:
    operation = CreateTTLRequest("/a", None, OPEN, 0, -5)
    assert MultiRequest.decode(listed((21, operation.encode()))).operations == [(21, operation)]


def test_a_multi_cut_anywhere_is_undecodable() -> None:
    whole = listed((1, CreateRequest("/a", b"d", OPEN, 0).encode()), (2, DeleteRequest("/a", 0).encode()))
    MultiRequest.decode(whole)
    for size in range(len(whole)):
        with pytest.raises(JuteError):
            MultiRequest.decode(whole[:size])


def test_a_multi_read_takes_reads_only() -> None:
    request = MultiReadRequest([(4, GetDataRequest("/a", True)), (8, GetChildrenRequest("/", False))])
    assert MultiReadRequest.decode(request.encode()) == request
    with pytest.raises(JuteError, match="operation of type 5"):
        MultiReadRequest.decode(
            listed((4, GetDataRequest("/a", False).encode()), (5, SetDataRequest("/a", b"", 0).encode()))
        )
    with pytest.raises(JuteError):
        MultiReadRequest.decode(request.encode()[:-9])


def test_a_failed_multi_has_the_bytes_of_a_real_server() -> None:
    response = MultiResponse([(-1, ErrorResponse(-101)), (-1, ErrorResponse(-2))])
    assert response.encode() == bytes.fromhex("ffffffff 00 ffffff9b ffffff9b ffffffff 00 fffffffe fffffffe" + END)


def test_a_successful_multi_has_type_and_result_of_each_operation() -> None:
    response = MultiResponse(
        [
            (1, CreateResponse("/a")),
            (15, Create2Response("/b", STAT)),
            (5, SetDataResponse(STAT)),
            (2, None),
            (13, None),
        ]
    )
    stat = STAT.encode().hex()
    expected = (
        "00000001 00 00000000 00000002 2f61"
        f"0000000f 00 00000000 00000002 2f62 {stat}"
        f"00000005 00 00000000 {stat}"
        "00000002 00 00000000"
        "0000000d 00 00000000" + END
    )
    assert response.encode() == bytes.fromhex(expected)
    assert MultiResponse.decode(response.encode()) == response


def test_a_multi_read_is_answered_one_by_one() -> None:
    response = MultiResponse(
        [(4, GetDataResponse(b"d", STAT)), (-1, ErrorResponse(-101)), (8, GetChildrenResponse(["x"]))]
    )
    assert MultiResponse.decode(response.encode()) == response
    with pytest.raises(JuteError, match="result of type 6"):
        MultiResponse.decode(listed((6, b"")))


def test_a_type_out_of_range_is_refused_on_encode() -> None:
    with pytest.raises(JuteError):
        MultiResponse([(2**31, None)]).encode()
