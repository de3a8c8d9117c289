"""What a server measures, ready to be shown: as lines of `mntr` or as a page for Prometheus.

Names and kinds are ZooKeeper's (ServerMetrics). A counter has two values: mntr and the AdminServer show what came
since the last `srst`, Prometheus what came since the start, since a counter that goes back is one that began anew.

    kind          mntr, for a name x                              Prometheus
    gauge         x                                               x
    counter       x (since srst)                                  x (since the start)
    summary       avg_x min_x max_x cnt_x sum_x                   x{quantile="0.5"} x_count x_sum
    ... detailed  and p50_x p95_x p99_x p999_x                    and quantiles 0.9 and 0.99
    ... set       the same for each key: <key>_x, avg_<key>_x     the same with a label `key`
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.summary import Summary

Value = int | float

GAUGE: Final = "gauge"
COUNTER: Final = "counter"

_MNTR_SHARES: Final[list[float]] = [0.5, 0.95, 0.99, 0.999]
_MNTR_NAMES: Final[list[str]] = ["p50", "p95", "p99", "p999"]
_DETAILED_SHARES: Final[list[float]] = [0.5, 0.9, 0.99]
_MEDIAN: Final[list[float]] = [0.5]


@mypyc_attr(allow_interpreted_subclasses=True)
class Metric(ABC):
    """One name that is measured. `about` is the line that explains it to Prometheus."""

    def __init__(self, name: str, about: str) -> None:
        self.name: Final = name
        self.about: Final = about

    @abstractmethod
    def monitor_values(self) -> list[tuple[str, Value]]:
        """What mntr prints, without `zk_`."""

    @abstractmethod
    def prometheus_lines(self) -> list[str]:
        """The samples, without line ends, behind the lines for HELP and TYPE."""

    @abstractmethod
    def kind(self) -> str:
        """Prometheus' word."""


@final
class Number(Metric):
    """A gauge or a counter; `shown` is the value since `srst`, `lifetime` the one since the start."""

    def __init__(self, name: str, kind: str, shown: Value, lifetime: Value, about: str) -> None:
        super().__init__(name, about)
        self._kind: Final = kind
        self._shown: Final = shown
        self._lifetime: Final = lifetime

    def monitor_values(self) -> list[tuple[str, Value]]:
        return [(self.name, self._shown)]

    def prometheus_lines(self) -> list[str]:
        return [f"{self.name} {self._lifetime}"]

    def kind(self) -> str:
        return self._kind


def gauge(name: str, value: Value, about: str) -> Number:
    return Number(name, GAUGE, value, value, about)


@final
class NumberSet(Metric):
    """A gauge or counter for each key, which is a label for Prometheus and part of the name in mntr."""

    def __init__(self, name: str, kind: str, shown: dict[str, int], lifetime: dict[str, int], about: str) -> None:
        super().__init__(name, about)
        self._kind: Final = kind
        self._shown: Final = shown
        self._lifetime: Final = lifetime

    def monitor_values(self) -> list[tuple[str, Value]]:
        return [(f"{key}_{self.name}", value) for key, value in self._shown.items()]

    def prometheus_lines(self) -> list[str]:
        return [f'{self.name}{{key="{escape_label(key)}"}} {value}' for key, value in self._lifetime.items()]

    def kind(self) -> str:
        return self._kind


@final
class SummaryMetric(Metric):
    """A quantity; mntr shows percentiles of one that `is_detailed`."""

    def __init__(self, name: str, summary: Summary, is_detailed: bool, about: str) -> None:
        super().__init__(name, about)
        self._summary: Final = summary
        self._is_detailed: Final = is_detailed

    def monitor_values(self) -> list[tuple[str, Value]]:
        values = _monitor_values(self.name, self._summary)
        if self._is_detailed:
            found = self._summary.quantiles(_MNTR_SHARES)
            for place in range(len(found)):
                values.append((f"{_MNTR_NAMES[place]}_{self.name}", found[place]))
        return values

    def prometheus_lines(self) -> list[str]:
        return _prometheus_lines(self.name, self._summary, _DETAILED_SHARES if self._is_detailed else _MEDIAN, "")

    def kind(self) -> str:
        return "summary"


@final
class SummarySet(Metric):
    """One quantity for each key, which is a label for Prometheus and part of the name in mntr."""

    def __init__(self, name: str, summaries: dict[str, Summary], about: str) -> None:
        super().__init__(name, about)
        self._summaries: Final = summaries

    def monitor_values(self) -> list[tuple[str, Value]]:
        values: list[tuple[str, Value]] = []
        for key, summary in self._summaries.items():
            values += _monitor_values(f"{key}_{self.name}", summary)
        return values

    def prometheus_lines(self) -> list[str]:
        lines: list[str] = []
        for key, summary in self._summaries.items():
            lines += _prometheus_lines(self.name, summary, _MEDIAN, f'key="{escape_label(key)}"')
        return lines

    def kind(self) -> str:
        return "summary"


@final
class Samples(Metric):
    """Of our own, for Prometheus only. Each sample: (labels or more of the name, value as text)."""

    def __init__(self, name: str, kind: str, samples: Sequence[tuple[str, str]], about: str) -> None:
        super().__init__(name, about)
        self._kind: Final = kind
        self._samples: Final = samples

    def monitor_values(self) -> list[tuple[str, Value]]:
        return []

    def prometheus_lines(self) -> list[str]:
        return [f"{self.name}{suffix} {value}" for suffix, value in self._samples]

    def kind(self) -> str:
        return self._kind


def _monitor_values(name: str, summary: Summary) -> list[tuple[str, Value]]:
    # Value by value: compiled code makes a tuple of integers and one float a tuple of floats, which clients tell apart.
    values: list[tuple[str, Value]] = [(f"avg_{name}", summary.average)]
    values.append((f"min_{name}", summary.lowest))
    values.append((f"max_{name}", summary.highest))
    values.append((f"cnt_{name}", summary.count_since_reset))
    values.append((f"sum_{name}", summary.total_since_reset))
    return values


def _prometheus_lines(name: str, summary: Summary, shares: list[float], label: str) -> list[str]:
    before = f"{label}," if label else ""
    around = f"{{{label}}}" if label else ""
    lines: list[str] = []
    is_empty = not summary.recent
    found = summary.quantiles(shares)
    for place in range(len(shares)):
        # Nothing was measured: 0 would be a lie, and alerts on a fast answer would like it.
        shown = "NaN" if is_empty else str(found[place])
        lines.append(f'{name}{{{before}quantile="{shares[place]}"}} {shown}')
    lines.append(f"{name}_count{around} {summary.count}")
    lines.append(f"{name}_sum{around} {summary.total}")
    return lines


def escape_label(text: str) -> str:
    """Source: Prometheus' text format 0.0.4."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def prometheus_page(metrics: Sequence[Metric], names: frozenset[str]) -> str:
    """The whole page; with `names`, only the samples that are called so (`/metrics?name[]=...`)."""
    parts: list[str] = []
    for metric in metrics:
        lines = metric.prometheus_lines()
        if names:
            lines = [line for line in lines if _sample_name(line) in names]
            if not lines:
                continue
        parts.append(f"# HELP {metric.name} {metric.about}\n# TYPE {metric.name} {metric.kind()}\n")
        for line in lines:
            parts.append(line + "\n")
    return "".join(parts)


def _sample_name(line: str) -> str:
    return line.partition(" ")[0].partition("{")[0]
