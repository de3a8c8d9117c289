"""zkbridge.jute.wire: text that is not UTF-8."""

import pytest

from zkbridge.jute import wire


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("ed a0 bd ed b8 80", "\ufffd\ufffd"),  # a pair as Java's encoder writes it (CESU-8)
        ("ed a0 41", "\ufffdA"),
        ("41 ed a0", "A\ufffd"),
        ("e2 82", "\ufffd"),
        ("c0 80", "\ufffd\ufffd"),
        ("ff 2f 61", "\ufffd/a"),
        ("f0 9f 98 2f", "\ufffd/"),
    ],
)
def test_bad_utf_8_is_replaced_as_java_replaces_it(raw: str, text: str) -> None:
    assert wire.decode_malformed(bytes.fromhex(raw)) == text


def test_lone_surrogates_are_encoded_as_three_bytes() -> None:
    assert wire.encode_text("\ud83d/\u00e9") == bytes.fromhex("eda0bd2fc3a9")


def test_a_character_beyond_the_first_plane_is_encoded_as_java_does_in_six_bytes() -> None:
    assert wire.encode_text("a\U0001f600\u00e9") == bytes.fromhex("61eda0bdedb880c3a9")
    assert wire.encode_text("") == b""


def test_a_layout_is_big_endian_without_padding() -> None:
    assert wire.layout("?iq").pack(True, 1, -2) == bytes.fromhex("01 00000001 fffffffffffffffe")
