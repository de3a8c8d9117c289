"""As Jackson's pretty printer wrote it on a running ZooKeeper."""

import json

from zkbridge.admin.json_text import PIECE_CHARACTERS, Entries, Items, json_pieces


def text_of(fields: dict[str, object]) -> str:
    return b"".join(json_pieces(fields)).decode()  # type: ignore[arg-type]  # any value that a test likes


def test_objects_are_indented_and_arrays_are_not() -> None:
    connection = {"session_id": 7, "avg": 0.5, "is": True}
    assert text_of({"connections": [connection, {"a": []}], "none": {}, "error": None}) == (
        "{\n"
        '  "connections" : [ {\n'
        '    "session_id" : 7,\n'
        '    "avg" : 0.5,\n'
        '    "is" : true\n'
        "  }, {\n"
        '    "a" : [ ]\n'
        "  } ],\n"
        '  "none" : { },\n'
        '  "error" : null\n'
        "}"
    )


def test_texts_are_escaped() -> None:
    fields = {"a": 'q"\\\n/é', "b\t": "x"}
    assert json.loads(text_of(dict(fields))) == fields
    assert "/é" in text_of(dict(fields))


def test_a_long_text_comes_in_pieces_and_values_are_asked_for_one_by_one() -> None:
    taken: list[int] = []

    def paths() -> object:
        for number in range(10_000):
            taken.append(number)
            yield f"/some/path/{number}"

    pieces = json_pieces({"a": Entries([("1", Items(paths()))])})  # type: ignore[arg-type]  # a generator's values
    first = next(pieces)
    assert PIECE_CHARACTERS <= len(first) < 2 * PIECE_CHARACTERS
    assert len(taken) < 2000
    whole = first + b"".join(pieces)
    assert len(json.loads(whole)["a"]["1"]) == 10_000


def test_what_utf8_has_no_bytes_for_does_not_end_the_answer() -> None:
    assert json.loads(text_of({"a": "\ud800"}))["a"] == "?"
