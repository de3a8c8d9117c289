"""The few steps of a failing script that it takes to fail: delta debugging, bounded by the number of tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(script: Sequence[T], fails: Callable[[Sequence[T]], bool], tries_max: int) -> list[T]:
    """A script that still fails, none of whose parts (of a size that shrinks with the tries left) can be left out.

    `script` itself must fail. What causes a difference is likely to be near its end, so the first tries keep only that.
    """
    left = tries_max
    current = list(script)
    for kept in (10, 40, 160, 640):
        if kept >= len(current) or left == 0:
            break
        left -= 1
        if fails(current[-kept:]):
            current = current[-kept:]
            break
    size = max(1, len(current) // 2)
    while left > 0:
        start, removed = 0, False
        while start < len(current) and left > 0:
            shorter = current[:start] + current[start + size :]
            left -= 1
            if shorter and fails(shorter):
                current, removed = shorter, True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return current
