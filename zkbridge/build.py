"""Which of the two builds runs: with the hot rooms compiled by mypyc, or plain Python throughout."""

from importlib.util import find_spec
from typing import Final

HOW_TO_COMPILE: Final = (
    "the compiled build serves several times as many requests: run `make wheels` in the sources and install the wheel "
    "in dist/ that has this Python and platform in its name, or start with `make run`"
)


def is_compiled() -> bool:
    """Whether what every request passes through is machine code here. Found without loading it."""
    spec = find_spec("zkbridge.tree.replica")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def build_name() -> str:
    """For whoever reads a version or a log."""
    return "compiled" if is_compiled() else "plain Python"
