"""A network that loses, delays, repeats and reorders, and can be cut; all of it from one seed."""

import heapq
from random import Random

from etcdcore.raft.messages import Message, decode_message, encode_message
from etcdcore.types import MemberId


class Network:
    """Messages travel encoded, so that nothing is shared between members but bytes."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._queue: list[tuple[int, int, bytes]] = []
        self._sequence = 0
        self.loss = 0.0
        self.duplication = 0.0
        self.delay_max = 1
        self.cut: set[tuple[MemberId, MemberId]] = set()

    def send(self, now: int, message: Message) -> bool:
        """False: it is lost."""
        if (message.sender, message.target) in self.cut or self._rng.random() < self.loss:
            return False
        copies = 2 if self._rng.random() < self.duplication else 1
        for _ in range(copies):
            delay = self._rng.randint(1, self.delay_max)
            if self.delay_max > 1 and self._rng.random() < 0.02:
                delay *= 20
            self._sequence += 1
            heapq.heappush(self._queue, (now + delay, self._sequence, encode_message(message)))
        return True

    def take(self, now: int) -> list[Message]:
        """What arrives by now."""
        arrived = []
        while self._queue and self._queue[0][0] <= now:
            message = decode_message(heapq.heappop(self._queue)[2])
            if (message.sender, message.target) not in self.cut:
                arrived.append(message)
        return arrived

    def isolate(self, group: set[MemberId], others: set[MemberId]) -> None:
        """Cuts every connection between the two groups."""
        for one in group:
            for other in others - group:
                self.cut.add((one, other))
                self.cut.add((other, one))

    def heal(self) -> None:
        self.cut.clear()
        self.loss = 0.0
        self.duplication = 0.0
        self.delay_max = 1
