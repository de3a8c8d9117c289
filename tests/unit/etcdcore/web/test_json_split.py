import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.web.json_split import JsonSplitter


def test_objects_are_cut_with_or_without_space_between_them() -> None:
    splitter = JsonSplitter(1000)
    assert splitter.receive_bytes(b'{"a":1}{"b":[{}]}\n {"c') == [b'{"a":1}', b'{"b":[{}]}']
    assert splitter.receive_bytes(b'":"}"}') == [b'{"c":"}"}']


def test_brackets_and_escaped_quotes_inside_strings_do_not_count() -> None:
    splitter = JsonSplitter(1000)
    assert splitter.receive_bytes(b'{"a":"\\"}\\\\"}') == [b'{"a":"\\"}\\\\"}']


@pytest.mark.parametrize("data", [b"5", b"[]", b'"x"', b"{} x"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    splitter = JsonSplitter(1000)
    assert splitter.receive_bytes(b"{}" + data) == ([b"{}"] if data[:1] != b"{" else [b"{}", b"{}"])
    assert "expected an object" in str(splitter.failure)
    assert splitter.receive_bytes(b"{}") == []


def test_an_object_that_does_not_end_is_bounded() -> None:
    splitter = JsonSplitter(100)
    splitter.receive_bytes(b'{"' + b"a" * 98)
    assert splitter.failure is None
    splitter.receive_bytes(b"a")
    assert "longer than 100 bytes" in str(splitter.failure)


_texts = st.text(st.sampled_from('"\\{}[]a\n é'), max_size=6)
_values = st.recursive(_texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3))


@given(st.lists(st.dictionaries(_texts, _values, max_size=3), max_size=4), st.integers(1, 7))
def test_any_objects_in_pieces_of_any_size_come_out_as_they_were(objects: list[object], size: int) -> None:
    data = b" ".join(json.dumps(value, ensure_ascii=False).encode() for value in objects)
    splitter = JsonSplitter(1 << 20)
    found: list[bytes] = []
    for start in range(0, len(data), size):
        found += splitter.receive_bytes(data[start : start + size])
    assert [json.loads(piece) for piece in found] == objects
