"""Flags before a subcommand's word, as etcd's own commands take them."""

import pytest

from etcdcore.word_first import word_first


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["start", "--a", "b"], ["start", "--a", "b"]),
        (["--a=b", "start", "--c"], ["start", "--a=b", "--c"]),
        (["--a", "b", "start"], ["start", "--a", "b"]),
        (["--a", "start"], ["--a", "start"]),
        (["--help"], ["--help"]),
        (["--a", "b", "--help", "start"], ["--a", "b", "--help", "start"]),
        (["--", "start"], ["--", "start"]),
        ([], []),
    ],
)
def test_the_word_comes_first(given: list[str], expected: list[str]) -> None:
    assert word_first(given) == expected
