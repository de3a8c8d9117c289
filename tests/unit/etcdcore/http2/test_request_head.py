"""Source: RFC 9113 §8.1 to §8.3."""

import pytest

from etcdcore.http2.codes import StreamViolation
from etcdcore.http2.header_field import HeaderField
from etcdcore.http2.request_head import build_request_head, check_trailers

START = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/p?q")]


def _fields(pairs: list[tuple[bytes, bytes]]) -> list[HeaderField]:
    return [HeaderField(name, value) for name, value in pairs]


def test_a_head_is_sorted_into_its_parts() -> None:
    pairs = [*START, (b":authority", b"here"), (b"a", b"1"), (b"a", b"2"), (b"te", b"trailers"), (b"b", b"\xff")]
    head = build_request_head(_fields(pairs))
    assert (head.method, head.scheme, head.path, head.authority) == ("GET", "http", "/p?q", "here")
    assert head.headers == {"a": "1", "te": "trailers", "b": "ÿ"}
    assert head.content_length == -1


def test_the_host_stands_in_for_the_authority() -> None:
    assert build_request_head(_fields([*START, (b"host", b"there")])).authority == "there"


@pytest.mark.parametrize(
    "pairs",
    [
        START[1:],
        [*START, START[0]],
        [*START, (b"a", b"1"), (b":authority", b"late")],
        [*START, (b":protocol", b"websocket")],
        [START[0], START[1], (b":path", b"")],
        [START[0], START[1], (b":path", b"no/slash")],
        [START[0], START[1], (b":path", b"*")],
        [*START, (b"Upper", b"")],
        [*START, (b"", b"")],
        [*START, (b"a b", b"")],
        [*START, (b"a", b"line\nend")],
        [*START, (b"a", b"trailing ")],
        [*START, (b"transfer-encoding", b"chunked")],
        [*START, (b"content-length", b"1e3")],
    ],
)
def test_a_malformed_head_is_a_violation(pairs: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(StreamViolation):
        build_request_head(_fields(pairs))


def test_trailers_have_no_pseudo_header_fields() -> None:
    check_trailers(_fields([(b"a", b"1")]))
    for pairs in ([(b":path", b"/")], [(b"A", b"")]):
        with pytest.raises(StreamViolation):
            check_trailers(_fields(pairs))
