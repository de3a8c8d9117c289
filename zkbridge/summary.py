"""How often, how much in all, between which bounds: what `mntr` prints of a quantity (ZooKeeper AvgMinMaxCounter)."""

from typing import Final, final

FIELDS: Final = ("avg", "min", "max", "cnt", "sum")


@final
class Summary:
    """Of integers, milliseconds or counts. Never reset, as in ZooKeeper."""

    __slots__ = ("count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.lowest = 0
        self.highest = 0

    def note(self, value: int) -> None:
        if value > self.highest:
            self.highest = value
        if value < self.lowest or not self.count:
            self.lowest = value
        self.count += 1
        self.total += value

    def shown(self, name: str) -> dict[str, int | float]:
        """As `mntr` names it, without `zk_`."""
        average = self.total / self.count if self.count else 0.0
        values = (average, self.lowest, self.highest, self.count, self.total)
        return {f"{field}_{name}": value for field, value in zip(FIELDS, values, strict=True)}
