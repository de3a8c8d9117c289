"""Packs commands that arrived together into log entries.

A batch is both the payload of its entry, so that nothing is decoded again where it was proposed, and the record of
who waits for it until it is applied.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, final

from etcdcore.apply.commands import Command, Txn, encode_batch_head
from etcdcore.errors import CoreError
from etcdcore.member.proposals import Proposal


@final
class Batch:
    """The commands of one entry with their proposals, one for one. `proposals` is emptied once they were answered."""

    __slots__ = ("commands", "data", "proposals", "proposed_s")

    def __init__(self, commands: list[Command], proposals: list[Proposal | None], data: bytes) -> None:
        self.commands: Final = commands
        self.proposals = proposals
        self.data: Final = data
        self.proposed_s = 0.0
        """When it went on its way, by the loop's clock."""


def pack_batches(
    commands: list[Command], proposals: list[Proposal | None], bytes_max: int, commands_max: int
) -> list[Batch]:
    """In order, as few as possible, each within both bounds; one command past the bytes has its own."""
    batches: list[Batch] = []
    parts: list[bytes] = [b""]
    start = 0
    count = 0
    size = 0
    for command in commands:
        position = len(parts)
        if isinstance(command, Txn):
            added = command.encode_into(parts)
        else:
            encoded = command.encode()
            parts.append(encoded)
            added = len(encoded)
        if count and (size + added > bytes_max or count >= commands_max):
            latest = parts[position:]
            del parts[position:]
            parts[0] = encode_batch_head(count)
            end = start + count
            batches.append(Batch(commands[start:end], proposals[start:end], b"".join(parts)))
            parts = [b""]
            parts.extend(latest)
            start = end
            count = 0
            size = 0
        count += 1
        size += added
    parts[0] = encode_batch_head(count)
    if start:
        batches.append(Batch(commands[start:], proposals[start:], b"".join(parts)))
    else:
        batches.append(Batch(commands, proposals, b"".join(parts)))
    return batches


def drop_proposals(proposals: Sequence[Proposal | None], error: CoreError, is_decided: bool) -> None:
    for proposal in proposals:
        if proposal is not None:
            proposal.dropped(error, is_decided)


@final
class InFlight:
    """Batches that were proposed here and are not applied yet, in order, and how many commands they hold."""

    __slots__ = ("_batches", "count")

    def __init__(self) -> None:
        self._batches: Final[deque[Batch]] = deque()
        self.count = 0

    def add(self, batch: Batch, now_s: float) -> None:
        batch.proposed_s = now_s
        self._batches.append(batch)
        self.count += len(batch.commands)

    def remove(self, batch: Batch) -> None:
        """It was applied. One that was dropped before is here no more."""
        if self._batches and self._batches[0] is batch:
            self._batches.popleft()
            self.count -= len(batch.commands)

    def proposed_before(self, time_s: float) -> list[Proposal | None]:
        """Those who have waited since before then."""
        waiting: list[Proposal | None] = []
        for batch in self._batches:
            if batch.proposed_s >= time_s:
                break
            waiting.extend(batch.proposals)
        return waiting

    def drop(self, error: CoreError) -> None:
        """Nobody will be told of their fate here, though they may yet be applied."""
        batches = list(self._batches)
        self._batches.clear()
        self.count = 0
        for batch in batches:
            proposals, batch.proposals = batch.proposals, []
            drop_proposals(proposals, error, False)
