"""Which paths name a znode. Source: reference section 4.1."""

import pytest

from zkbridge.tree.paths import is_valid_path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "/a/b",
        "/...",
        "/..b",
        "/b..",
        "/.b",
        "/a b",
        "/é/中",
        "/a-_:@=+,.~!$%&*()[]",
    ],
)
def test_paths_that_zookeeper_takes(path: str) -> None:
    assert is_valid_path(path)


@pytest.mark.parametrize(
    "path",
    [
        None, "", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/../b",
        "/a/..", "/a\0", "/a\x01", "/\x1f",
        "/a\n",
        "/\x7f", "/\x9f", "/\ud800", "/\ue000", "/\uf8ff", "/\ufff0", "/\uffff", "/\U0001f600",
    ],
)  # fmt: skip
def test_paths_that_zookeeper_refuses(path: str | None) -> None:
    assert not is_valid_path(path)
