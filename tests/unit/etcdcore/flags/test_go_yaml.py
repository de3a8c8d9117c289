"""YAML as Go's library reads it."""

import pytest

from etcdcore.flags.go_yaml import YamlError, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\tb\t# c", {"a": "b"}),
        ("a: [\t1,\t2 ]", {"a": [1, 2]}),
        ("a: 1e1", {"a": 10.0}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 010", {"a": 8}),
        ("a: 0o10", {"a": 8}),
        ("a: 0x10", {"a": 16}),
        ("a: 1_000", {"a": 1000}),
        ("a: on", {"a": True}),
        ("a: !foo {b: [c]}", {"a": {"b": ["c"]}}),
        ("a: 1\n---\nb: [", {"a": 1}),
        ("\ufeffa: 1", {"a": 1}),
        ("", None),
    ],
)
def test_forms_that_people_write(text: str, value: object) -> None:
    assert read_yaml(text) == value


@pytest.mark.parametrize("text", ["\ta: 1", "a: 1\n\tb: 2", "a: [", 'a: "\x01"', "a: *b", "[" * 5000])
def test_what_is_no_yaml_is_one_error(text: str) -> None:
    with pytest.raises(YamlError):
        read_yaml(text)
