"""Time and chance. Everything that happens is an event, in order of its time; of equal times the earlier made first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Final

TOLD_LINES: Final = 60


class SimulationStuck(AssertionError):
    """Nothing is left to happen, but something was waited for."""


class World:
    """`trace` takes note of what happened; its digest tells whether two runs were the same."""

    def __init__(self, seed: int) -> None:
        self.seed: Final = seed
        self.rng: Final = Random(seed)
        self.now_s = 1000.0
        self.event_count = 0
        self.faults: Final[list[str]] = []
        """What was done to the system and had an effect, with its time."""
        self._events: Final[list[tuple[float, int, Callable[[], None]]]] = []
        self._number = 0
        self._lines: Final[list[str]] = []
        self._digest: Final = hashlib.sha256()

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Makes an event; a delay of 0 comes after all that is due now."""
        self._number += 1
        heappush(self._events, (self.now_s + delay_s, self._number, act))

    def step(self) -> None:
        """The next event."""
        if not self._events:
            raise SimulationStuck(f"seed {self.seed}: nothing is left to happen at {self.now_s:.6f}")
        self.now_s, _, act = heappop(self._events)
        self.event_count += 1
        act()

    def run_until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        """Runs on until the condition holds. Raises SimulationStuck after so much virtual time."""
        end_s = self.now_s + limit_s
        while not condition():
            if self.now_s > end_s:
                raise SimulationStuck(f"seed {self.seed}: not within {limit_s} virtual seconds: {what}")
            self.step()

    def run_for(self, duration_s: float) -> None:
        """Runs on for so much virtual time."""
        reached: list[bool] = []
        self.after(duration_s, lambda: reached.append(True))
        self.run_until(lambda: bool(reached), duration_s + 1, "time passes")

    def note(self, line: str) -> None:
        """One line of the trace."""
        text = f"{self.now_s:.6f} {line}"
        self._digest.update(text.encode())
        self._lines.append(text)

    def fault(self, line: str) -> None:
        """A fault that took effect."""
        self.faults.append(f"{self.now_s:.3f} {line}")
        self.note(f"FAULT {line}")

    def digest(self) -> str:
        """Of all that was noted so far."""
        return self._digest.hexdigest()[:16]

    def story(self) -> str:
        """For a failure's message: how to run it again, all faults, and the last lines of the trace."""
        again = f"again: make simulate SEEDS=1 FIRST={self.seed}"
        lines = [f"seed {self.seed} at {self.now_s:.3f} ({again})", *self.faults, "...", *self._lines[-TOLD_LINES:]]
        return "\n".join(lines)
