"""Which of the two builds runs: with the hot rooms compiled by mypyc, or plain Python throughout."""

from importlib.util import find_spec


def is_compiled() -> bool:
    """Whether what every request passes through is machine code here. Found without loading it."""
    spec = find_spec("zkbridge.tree.replica")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")
