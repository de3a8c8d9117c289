"""What the parent knows of a member that it kills: what was acknowledged, and whether the store still has it."""

from typing import Final, final

from integration.durability.driver import ACK, DROPPED, FRAME, HELD, KEYS, OPENED


class PromiseBroken(AssertionError):
    """The store has lost, reordered or invented a write."""


@final
class History:
    """Takes the frames of one life of the member after the other."""

    def __init__(self) -> None:
        self.acknowledged: dict[int, int] = {}
        """Number to revision, of everything that was ever acknowledged."""
        self.number_max = 0
        self.revision_max = 0
        self.lives: Final[list[int]] = []
        """Milliseconds that each life took until it was writable."""
        self.dropped: Final[list[tuple[int, int]]] = []

    def take_life(self, data: bytes) -> None:
        """Everything one process wrote into its pipe until it ended; the last frame may be cut off."""
        held: dict[int, int] = {}
        for offset in range(0, len(data) - FRAME.size + 1, FRAME.size):
            kind, a, b = FRAME.unpack_from(data, offset)
            if kind == HELD:
                held[a] = b
            elif kind == OPENED:
                self._check_opened(held, a)
                self.lives.append(b)
            elif kind == ACK:
                self._check_acknowledged(a, b)
            else:
                assert kind == DROPPED, f"unknown frame {kind} at {offset}"
                self.dropped.append((a, b))

    def _check_opened(self, held: dict[int, int], revision: int) -> None:
        """The store holds exactly what the first so many puts leave, and no fewer than were acknowledged."""
        reached = max(held.values(), default=0)
        if reached < self.number_max:
            raise PromiseBroken(f"number {self.number_max} was acknowledged, the store ends at {reached}")
        if revision < self.revision_max:
            raise PromiseBroken(f"revision {self.revision_max} was acknowledged, the store is at {revision}")
        for number in range(max(reached - KEYS, 0) + 1, reached + 1):
            if held.get(number % KEYS) != number:
                raise PromiseBroken(
                    f"key {number % KEYS} must hold number {number} of {reached}, has {held.get(number % KEYS)}"
                )

    def _check_acknowledged(self, number: int, revision: int) -> None:
        if revision <= self.revision_max:
            raise PromiseBroken(f"revision {revision} was acknowledged after {self.revision_max}")
        if number <= self.number_max:
            raise PromiseBroken(f"number {number} was acknowledged after {self.number_max}")
        self.acknowledged[number] = revision
        self.number_max = number
        self.revision_max = revision
