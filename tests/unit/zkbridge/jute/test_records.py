"""zkbridge.jute.records: exact bytes, as seen from a real ZooKeeper 3.9 server, and the edges of each type.

Frames are written without their length prefix.
"""

import pytest

from zkbridge.jute.records import (
    ACL,
    AuthPacket,
    ClientInfo,
    ConnectRequest,
    ConnectResponse,
    Create2Response,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    ExistsRequest,
    GetACLResponse,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    Id,
    ReplyHeader,
    RequestHeader,
    SetDataRequest,
    SetWatches,
    Stat,
    WatcherEvent,
    WhoAmIResponse,
)
from zkbridge.jute.wire import JuteError

NULL = "ffffffff"
STAT = Stat(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
STAT_HEX = (
    "0000000000000001 0000000000000002 0000000000000003 0000000000000004"
    "00000005 00000006 00000007 0000000000000008 00000009 0000000a 000000000000000b"
)


def frame(text: str) -> bytes:
    return bytes.fromhex(text)


# ---- Exact bytes ----


def test_a_connect_request_is_45_bytes_with_its_length() -> None:
    body = frame("00000000 0000000000000000 00001770 0000000000000000 00000010" + "00" * 16 + "00")
    request = ConnectRequest(0, 0, 6000, 0, bytes(16), False)
    assert len(body) == 0x2D
    assert ConnectRequest.decode(body) == request
    assert request.encode() == body


def test_a_connect_request_without_read_only_says_that_it_is_absent() -> None:
    body = frame("00000000 0000000000000000 00001770 0000000000000000 00000010" + "00" * 16)
    request = ConnectRequest.decode(body)
    assert request.read_only is None
    assert request.encode() == body
    assert len(ConnectResponse(0, 0, 0, bytes(16)).encode()) == 36


def test_an_expired_connect_response_is_41_bytes_with_its_length() -> None:
    body = frame("00000000 00000000 0000000000000000 00000010" + "00" * 16 + "00")
    assert ConnectResponse(0, 0, 0, bytes(16), False).encode() == body
    assert len(body) == 0x25


def test_a_create_request_reads_behind_its_header() -> None:
    body = frame(
        "00000001 00000001 00000002 2f61 ffffffff 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000"
    )
    request = CreateRequest("/a", None, [ACL(31, Id("world", "anyone"))], 0)
    assert RequestHeader.decode(body) == RequestHeader(1, 1)
    assert CreateRequest.decode(body, 8) == request
    assert RequestHeader(1, 1).encode() + request.encode() == body


def test_replies_have_the_bytes_of_a_real_server() -> None:
    created = ReplyHeader(1, 12, 0).encode() + CreateResponse("/a").encode()
    assert created == frame("00000001 000000000000000c 00000000 00000002 2f61")
    assert ReplyHeader(14, 4, -101).encode() == frame("0000000e 0000000000000004 ffffff9b")
    assert ReplyHeader(-2, 71, 0).encode() == frame("fffffffe 0000000000000047 00000000")


def test_a_notification_has_the_bytes_of_a_real_server() -> None:
    encoded = ReplyHeader(-1, 98, 0).encode() + WatcherEvent(3, 3, "/m/k").encode()
    assert encoded == frame("ffffffff 0000000000000062 00000000 00000003 00000003 00000004 2f6d2f6b")


def test_an_auth_packet_has_the_bytes_of_a_real_client() -> None:
    body = frame("fffffffc 00000064 00000000 00000006 646967657374 00000003 753a70")
    assert RequestHeader.decode(body) == RequestHeader(-4, 100)
    assert AuthPacket.decode(body, 8) == AuthPacket(0, "digest", b"u:p")


def test_a_stat_is_68_bytes_in_schema_order_wherever_it_stands() -> None:
    assert STAT.encode() == frame(STAT_HEX)
    assert len(STAT.encode()) == 68
    assert GetDataResponse(b"d", STAT).encode() == frame("00000001 64" + STAT_HEX)
    assert Create2Response("/a", STAT).encode() == frame("00000002 2f61" + STAT_HEX)
    assert GetACLResponse(None, STAT).encode() == frame(NULL + STAT_HEX)
    assert GetDataResponse.decode(frame("00000001 64" + STAT_HEX)).stat == STAT


# ---- Edges of the types ----


def test_null_and_empty_are_different_in_strings_buffers_and_vectors() -> None:
    empty = frame("00000000 00000000 00000000 00000000")
    null = frame(NULL * 3 + "00000000")
    assert CreateRequest.decode(empty) == CreateRequest("", b"", [], 0)
    assert CreateRequest.decode(null) == CreateRequest(None, None, None, 0)
    assert CreateRequest("", b"", [], 0).encode() == empty
    assert CreateRequest(None, None, None, 0).encode() == null


def test_any_byte_but_zero_is_true() -> None:
    assert GetDataRequest.decode(frame("00000001 2f 7f")).watch is True
    assert GetDataRequest.decode(frame("00000001 2f ff")).watch is True
    assert GetDataRequest.decode(frame("00000001 2f 00")).watch is False


def test_a_negative_count_other_than_minus_one_is_an_empty_vector() -> None:
    assert GetChildrenResponse.decode(frame("fffffffe")).children == []
    assert GetACLResponse.decode(frame("80000000" + STAT_HEX)).acl == []


def test_bytes_behind_a_record_are_ignored_and_decode_from_tells_where_they_begin() -> None:
    body = frame("00000001 2f 00000007 aabbcc")
    assert DeleteRequest.decode(body) == DeleteRequest("/", 7)
    assert DeleteRequest.decode_from(b"x" + body, 1) == (DeleteRequest("/", 7), 10)


@pytest.mark.parametrize("length", ["fffffffe", "80000000", "00000003", "7fffffff"])
def test_a_length_that_is_negative_or_beyond_the_frame_is_refused(length: str) -> None:
    with pytest.raises(JuteError, match=r"DeleteRequest\.path: length"):
        DeleteRequest.decode(frame(length + "2f61"))
    with pytest.raises(JuteError, match=r"SetDataRequest\.data: length"):
        SetDataRequest.decode(frame("00000001 2f" + length + "2f61"))


@pytest.mark.parametrize("count", ["00000002", "7fffffff"])
def test_a_count_that_the_rest_of_the_frame_cannot_hold_is_refused_at_once(count: str) -> None:
    with pytest.raises(JuteError, match=r"CreateRequest\.acl: length or count"):
        CreateRequest.decode(frame("00000001 2f 00000000" + count + "00" * 23))
    with pytest.raises(JuteError, match=r"GetChildrenResponse\.children: length or count"):
        GetChildrenResponse.decode(frame(count + "00" * 7))


def test_every_truncation_of_a_create_is_refused() -> None:
    body = CreateRequest("/a", b"data", [ACL(1, Id("digest", "u:h")), ACL(31, Id("world", "anyone"))], 3).encode()
    for size in range(len(body)):
        with pytest.raises(JuteError):
            CreateRequest.decode(body[:size])


def test_a_null_string_as_an_element_is_read_as_java_does() -> None:
    raw = frame("0000000000000001 00000001 ffffffff 00000000 00000000")
    decoded = SetWatches.decode(raw)
    assert decoded.data_watches == [None]
    assert decoded.encode() == raw


def test_an_acl_with_null_ids_is_read() -> None:
    decoded = GetACLResponse.decode(frame("00000001 0000001f" + NULL * 2 + STAT_HEX))
    assert decoded.acl == [ACL(31, Id(None, None))]


def test_text_that_is_not_utf_8_is_replaced_and_never_refused() -> None:
    assert ExistsRequest.decode(frame("00000003 2fff61 00")).path == "/\ufffda"
    assert GetChildrenResponse.decode(frame("00000001 00000001 80")).children == ["\ufffd"]


def test_lone_surrogates_are_encoded_without_an_error() -> None:
    assert CreateResponse("\ud800").encode() == frame("00000003 eda080")
    assert GetChildrenResponse(["\ud800"]).encode() == frame("00000001 00000003 eda080")
    assert CreateResponse("\U0001f600").encode() == frame("00000006 eda0bdedb880")


@pytest.mark.parametrize(
    "record",
    [
        DeleteRequest("/a", 2**31),
        DeleteRequest("/a", -(2**31) - 1),
        ReplyHeader(0, 2**63, 0),
        ReplyHeader(0, 2**200, 0),
        CreateRequest("/a", b"", [ACL(2**32, Id("world", "anyone"))], 0),
    ],
)
def test_integers_out_of_range_are_refused_on_encode(record: DeleteRequest | ReplyHeader | CreateRequest) -> None:
    with pytest.raises(JuteError):
        record.encode()


def test_records_are_equal_by_value_and_hashable_unless_they_hold_a_list() -> None:
    assert Id("ip", "10.0.0.1") == Id("ip", "10.0.0.1")
    assert Id("ip", "10.0.0.1") != Id("ip", "10.0.0.2")
    assert Id("ip", "x") != ClientInfo("ip", "x")
    assert len({ACL(1, Id("a", "b")), ACL(1, Id("a", "b")), ACL(2, Id("a", "b"))}) == 2
    with pytest.raises(TypeError):
        hash(WhoAmIResponse([]))


def test_a_repr_can_be_evaluated() -> None:
    request = CreateRequest("/a", b"x", [ACL(31, Id("world", "anyone"))], 0)
    assert repr(request) == (
        "CreateRequest(path='/a', data=b'x', acl=[ACL(perms=31, id=Id(scheme='world', id='anyone'))], flags=0)"
    )
