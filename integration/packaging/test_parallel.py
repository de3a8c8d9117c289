"""C files are compiled side by side, the first failure is told, and nothing is begun after it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from integration.packaging.parallel_compiler import PROGRESS_VARIABLE, run_all


def test_all_are_run_and_as_many_at_once_as_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two meet at a barrier, which one after the other never would; the progress is told."""
    progress = tmp_path / "progress"
    monkeypatch.setenv(PROGRESS_VARIABLE, str(progress))
    barrier, done = threading.Barrier(2, timeout=60), set[str]()

    def run(target: str) -> None:
        barrier.wait()
        done.add(target)

    run_all(run, ["a", "b", "c", "d"], 2)
    assert done == {"a", "b", "c", "d"}
    assert progress.read_text() == "4 of 4"


def test_after_a_failure_nothing_else_is_begun() -> None:
    """And what the compiler said comes through."""
    begun: list[str] = []

    def run(target: str) -> None:
        begun.append(target)
        raise RuntimeError(f"{target} does not compile")

    with pytest.raises(RuntimeError, match="a does not compile"):
        run_all(run, ["a", *(str(number) for number in range(100))], 1)
    assert len(begun) < 100
