"""Our header blocks beside those of the hpack package, over whole connections."""

from hpack import Decoder, Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from etcdcore.http2.codes import ConnectionViolation, StreamViolation
from etcdcore.http2.header_decoder import HeaderDecoder
from etcdcore.http2.header_encoder import HeaderEncoder, ResponseFields

names = st.sampled_from([b"a", b"token", b"grpc-timeout", b"content-type", b"cookie"])
values = st.sampled_from([b"", b"1", b"x" * 900, b"application/grpc"]) | st.binary(max_size=12)
pairs = st.lists(st.tuples(names, values), max_size=8)


@settings(max_examples=200, deadline=None)
@given(blocks=st.lists(st.tuples(pairs, st.booleans(), st.none() | st.integers(0, 4096)), max_size=12))
def test_what_hpack_encodes_is_read(blocks: list[tuple[list[tuple[bytes, bytes]], bool, int | None]]) -> None:
    encoder, decoder = Encoder(), HeaderDecoder()
    start = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
    for fields, is_huffman, table_bytes in blocks:
        if table_bytes is not None:
            encoder.header_table_size = table_bytes
        block = encoder.encode(start + fields, huffman=is_huffman)
        read = [(field.name.encode("latin-1"), field.value.encode("latin-1")) for field in decoder.decode(block)]
        assert read == start + fields


@settings(max_examples=200, deadline=None)
@given(blocks=st.lists(pairs, max_size=12), repeats=st.integers(1, 3))
def test_a_cached_head_is_what_reading_it_anew_gives(blocks: list[list[tuple[bytes, bytes]]], repeats: int) -> None:
    """Go's encoder indexes all it sends: the same block comes again, and the table changes in between."""
    encoder, decoder = Encoder(), HeaderDecoder()
    start = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
    for fields in blocks * 2:
        safe = [(name, value.hex().encode()) for name, value in fields]
        for _ in range(repeats):
            headers: dict[str, str] = {}
            for name, value in safe:
                headers.setdefault(name.decode(), value.decode())
            assert decoder.decode_head(encoder.encode(start + safe)).headers == headers


@settings(max_examples=500, deadline=None)
@given(block=st.binary(max_size=60))
def test_no_block_raises_anything_but_a_violation(block: bytes) -> None:
    try:
        HeaderDecoder().decode_head(block)
    except (ConnectionViolation, StreamViolation) as violation:
        assert violation.code


@settings(max_examples=200, deadline=None)
@given(responses=st.lists(st.tuples(pairs, st.booleans()), max_size=20), shrinks_at=st.integers(0, 30))
def test_what_we_encode_is_read_by_hpack(
    responses: list[tuple[list[tuple[bytes, bytes]], bool]], shrinks_at: int
) -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    made = [ResponseFields(fields, is_common) for fields, is_common in responses]
    for turn, response in enumerate(made * 2):
        if turn == shrinks_at:
            encoder.set_table_bytes_max(0)
            decoder.max_allowed_table_size = 0
        block = encoder.encode(response)
        if turn == shrinks_at and not block:
            continue
        assert [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)] == response.fields
