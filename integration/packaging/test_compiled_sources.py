"""What would break in the compiled build alone is found in the sources, without compiling."""

import pytest

from integration.packaging.compiled_modules import (
    compiled_by_configuration,
    find_unsafe_constants,
    find_unsafe_questions,
)
from integration.packaging.wheels import ROOT


def test_no_compiled_module_has_a_constant_that_reads_as_unset() -> None:
    found = {
        name: unsafe
        for name in sorted(compiled_by_configuration())
        if (unsafe := find_unsafe_constants((ROOT / name.replace(".", "/")).with_suffix(".py").read_text()))
    }
    assert found == {}, "annotate them: Final[tuple[float, ...]]"


@pytest.mark.parametrize(
    "source",
    [
        "A: Final = (0.1, 0.2)",
        "A: Final = (-0.1,)",
        "A: Final = ((0.1, 0.2), (0.3, 0.4))",
        "A: Final = (B, C)",
        "A: Final[tuple[float, float]] = (0.1, 0.2)",
        "class A:\n    B: Final = (0.1, 0.2)",
        "class A:\n    B: ClassVar[Final] = (0.1, 0.2)",
        "def pair() -> tuple[float, float]: ...\nA: Final = pair()",
    ],
)
def test_fixed_tuples_of_floats_are_found(source: str) -> None:
    """Each was compiled and read as unset (mypyc 2.4.1), but for the names, whose types are not in the source."""
    assert len(find_unsafe_constants(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "A: Final[tuple[float, ...]] = (0.1, 0.2)",
        "A: Final = (1, 0.1)",
        "A: Final = (0.1, 'a')",
        "A: Final = 0.1",
        "A: Final = [0.1]",
        "A: Final = (1 << 63) - 1",
        "def bounds() -> tuple[float, ...]: ...\nA: Final = bounds()",
        "A: Final = ()",
    ],
)
def test_what_compiles_well_is_let_through(source: str) -> None:
    assert find_unsafe_constants(source) == []


ASKED_ALONE = "zkbridge.server.four_letter_facts:"
"""All watchers of znodes are clients, and nobody else asks of what class they are: nothing wrong can be remembered."""


def test_plain_modules_do_not_ask_for_compiled_abstract_classes() -> None:
    """A gateway that asked whether a method was a stream was then told that it was not unary either."""
    assert [found for found in find_unsafe_questions() if not found.startswith(ASKED_ALONE)] == []
