"""The Prometheus text format, version 0.0.4, written from plain numbers.

By hand and not by a library: etcd has counters without `_total` and gauges with it, which client libraries refuse to
name so, and nothing here may cost anything until somebody asks.
"""

from collections.abc import Iterable, Mapping
from typing import Final, final

from etcdcore.statistics import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
NO_LABELS: Final[Labels] = {}
_EXPONENT_FROM: Final = 1_000_000.0


@final
class MetricsText:
    """Add families, each once, then take the `text`. A family may have no samples: then only its type is told."""

    def __init__(self) -> None:
        self._lines: Final[list[str]] = []

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def gauge(self, name: str, about: str, value: float) -> None:
        self.family(name, "gauge", about, ((NO_LABELS, value),))

    def counter(self, name: str, about: str, value: float) -> None:
        self.family(name, "counter", about, ((NO_LABELS, value),))

    def family(self, name: str, kind: str, about: str, samples: Iterable[tuple[Labels, float]]) -> None:
        self._head(name, kind, about)
        for labels, value in samples:
            self._sample(name, labels, value)

    def histogram(self, name: str, about: str, samples: Iterable[tuple[Labels, Histogram]]) -> None:
        self._head(name, "histogram", about)
        for labels, histogram in samples:
            total = 0
            for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
                total += count
                self._sample(f"{name}_bucket", {**labels, "le": _bound(bound)}, total)
            self._sample(f"{name}_sum", labels, histogram.sum)
            self._sample(f"{name}_count", labels, total)

    def _head(self, name: str, kind: str, about: str) -> None:
        self._lines.append(f"# HELP {name} {about}\n# TYPE {name} {kind}\n")

    def _sample(self, name: str, labels: Labels, value: float) -> None:
        shown = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        self._lines.append(f"{name}{{{shown}}} {_number(value)}\n" if shown else f"{name} {_number(value)}\n")


def _bound(value: float) -> str:
    """As Go prints it, since it is part of what a sample is called: from a million on with an exponent."""
    if value < _EXPONENT_FROM or value == float("inf"):
        return _number(value)
    digits, _, exponent = f"{value:.16e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e+{int(exponent):02d}"


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
