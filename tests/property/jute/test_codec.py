"""The jute codec for all inputs: what was written is read back, and bytes of any kind give a record or a JuteError."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkbridge.jute import generate, multi, records, schema
from zkbridge.jute.frames import FrameSplitter, encode_frame
from zkbridge.jute.wire import JuteError

SCHEMA: Final = schema.parse_schema(generate.SCHEMA_PATH.read_text(encoding="utf-8"))
NAMES: Final = [record.name for record in SCHEMA.records]
MULTIS: Final = {
    "MultiRequest": multi.MultiRequest,
    "MultiReadRequest": multi.MultiReadRequest,
    "MultiResponse": multi.MultiResponse,
}

INTS = st.integers(-(2**31), 2**31 - 1)
# Characters beyond the first plane are written as Java writes them, which its own decoder does not read back.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=12)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "int": INTS,
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "buffer": st.none() | st.binary(max_size=20),
    "ustring": st.none() | TEXTS,
}


def values_of(field: schema.Field) -> st.SearchStrategy[object]:
    if field.is_vector:
        element = TEXTS if field.type == "ustring" else records_of(field.type)
        return st.none() | st.lists(element, max_size=4)
    value = records_of(field.type) if SCHEMA.is_record(field.type) else VALUES[field.type]
    return st.none() | value if field.is_optional else value


def records_of(name: str) -> st.SearchStrategy[object]:
    make: Callable[..., object] = getattr(records, name)
    return st.tuples(*(values_of(field) for field in SCHEMA.record(name).fields)).map(lambda values: make(*values))


def decoder_of(name: str) -> Callable[[bytes], object]:
    """The decode of a record or multi; reached by name, hence the one untyped step."""
    decode: Callable[[bytes], object] = getattr(multi if name in MULTIS else records, name).decode
    return decode


def encoded(record: object) -> bytes:
    raw = record.encode()  # type: ignore[attr-defined]  # every record has it; the classes share no base on purpose
    assert isinstance(raw, bytes)
    return raw


CREATES = st.builds(
    records.CreateRequest,
    st.none() | TEXTS,
    st.none() | st.binary(max_size=20),
    st.none() | st.lists(st.builds(records.ACL, INTS, st.builds(records.Id, TEXTS, TEXTS)), max_size=3),
    st.integers(0, 4),
)
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from([1, 15, 19]), CREATES),
    st.tuples(st.just(2), records_of("DeleteRequest")),
    st.tuples(st.just(5), records_of("SetDataRequest")),
    st.tuples(st.just(13), records_of("CheckVersionRequest")),
)
READ_OPERATIONS = st.one_of(
    st.tuples(st.just(4), records_of("GetDataRequest")), st.tuples(st.just(8), records_of("GetChildrenRequest"))
)
RESULTS = st.one_of(
    st.tuples(st.just(1), records_of("CreateResponse")),
    st.tuples(st.just(15), records_of("Create2Response")),
    st.tuples(st.just(5), records_of("SetDataResponse")),
    st.tuples(st.sampled_from([2, 13]), st.none()),
    st.tuples(st.just(4), records_of("GetDataResponse")),
    st.tuples(st.just(8), records_of("GetChildrenResponse")),
    st.tuples(st.just(-1), records_of("ErrorResponse")),
)


def multis_of(name: str) -> st.SearchStrategy[object]:
    entries = {"MultiRequest": OPERATIONS, "MultiReadRequest": READ_OPERATIONS, "MultiResponse": RESULTS}[name]
    make: Callable[..., object] = MULTIS[name]
    return st.lists(entries, max_size=5).map(lambda pairs: make(pairs))


def anything_of(name: str) -> st.SearchStrategy[object]:
    return multis_of(name) if name in MULTIS else records_of(name)


@pytest.mark.parametrize("name", [*NAMES, *MULTIS])
def test_what_was_encoded_is_decoded_back(name: str) -> None:
    decode = decoder_of(name)

    @settings(max_examples=60, deadline=None, database=None)
    @given(anything_of(name), st.binary(max_size=5))
    def check(record: object, behind: bytes) -> None:
        raw = encoded(record)
        again = decode(raw)
        assert again == record
        assert encoded(again) == raw
        if not SCHEMA_HAS_OPTIONAL.get(name, False):
            assert decode(raw + behind) == record

    check()


SCHEMA_HAS_OPTIONAL: Final = {record.name: record.fields[-1].is_optional for record in SCHEMA.records}


@pytest.mark.parametrize("name", [*NAMES])
def test_decode_from_agrees_with_decode_and_ends_where_the_record_ends(name: str) -> None:
    decode = decoder_of(name)
    decode_from: Callable[[bytes, int], tuple[object, int]] = getattr(records, name).decode_from

    @settings(max_examples=40, deadline=None, database=None)
    @given(anything_of(name), st.binary(max_size=5))
    def check(record: object, before: bytes) -> None:
        raw = before + encoded(record)
        assert decode_from(raw, len(before)) == (record, len(raw))
        assert decode(raw[len(before) :]) == record

    check()


@pytest.mark.parametrize("name", [*NAMES, *MULTIS])
def test_a_record_cut_short_is_refused(name: str) -> None:
    decode = decoder_of(name)

    @settings(max_examples=30, deadline=None, database=None)
    @given(anything_of(name), st.data())
    def check(record: object, data: st.DataObject) -> None:
        raw = encoded(record)
        cut = data.draw(st.integers(0, max(0, len(raw) - 1)))
        if SCHEMA_HAS_OPTIONAL.get(name, False) and cut == len(raw) - 1:
            return  # without its optional last byte the record is complete
        with pytest.raises(JuteError):
            decode(raw[:cut])

    check()


@pytest.mark.parametrize("name", [*NAMES, *MULTIS])
def test_garbage_gives_a_record_or_a_jute_error(name: str) -> None:
    decode = decoder_of(name)
    # Small lengths and counts lead deeper into a record than random bytes do.
    pieces = st.one_of(
        st.binary(max_size=12),
        st.integers(-3, 40).map(lambda value: value.to_bytes(4, "big", signed=True)),
    )

    @settings(max_examples=80, deadline=None, database=None)
    @given(st.lists(pieces, max_size=12).map(b"".join))
    def check(raw: bytes) -> None:
        try:
            record = decode(raw)
        except JuteError:
            return
        again = decode(encoded(record))
        assert decode(encoded(again)) == again
        # As Java writes characters beyond the first plane they do not read back; all else does at once.
        assert again == record or "\\U" in ascii(record)

    check()


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 30), max_size=60))
def test_a_stream_gives_the_same_frames_however_it_is_cut(bodies: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(encode_frame(body) for body in bodies)
    splitter = FrameSplitter()
    found: list[bytes] = []
    start = 0
    for size in [*sizes, len(stream)]:
        splitter.receive_bytes(stream[start : start + size])
        start += size
        if size % 3:
            found += splitter.take_frames()
    found += splitter.take_frames()
    assert found == bodies
    assert splitter.buffered_size() == 0


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.binary(max_size=12), max_size=12))
def test_a_stream_of_garbage_gives_frames_or_a_jute_error(pieces: list[bytes]) -> None:
    splitter = FrameSplitter(frame_bytes_max=64)
    for piece in pieces:
        splitter.receive_bytes(piece)
        try:
            frames = splitter.take_frames()
        except JuteError:
            return
        assert all(len(body) <= 64 for body in frames)
    assert splitter.buffered_size() <= sum(map(len, pieces))
