"""Fixtures of the suite: the engine, one for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.compose.engine import Engine, running_engine

# The first test of a file waits for its images, which may have to be built.
TIMEOUT_S = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder their time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine that answers."""
    with running_engine() as engine:
        yield engine
