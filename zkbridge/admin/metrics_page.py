"""`/metrics`: Prometheus' text format under the names of ZooKeeper's PrometheusMetricsProvider, and our own.

Differs: whole numbers are written without a point; HELP explains the name instead of repeating it.
"""

from collections.abc import Iterator
from typing import Final, final

from zkbridge.admin.facts import AdminFacts
from zkbridge.admin.pages import PageAnswer, PageRequest, Pages, not_found, unserved_method
from zkbridge.protocol.four_letter import gauges_of
from zkbridge.protocol.monitor import Metric, prometheus_page

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PATH: Final = "/metrics"
METRICS_A_PIECE: Final = 20


@final
class MetricsPages(Pages):
    """Of one server; `with_process`: metricsProvider.exportJvmInfo."""

    def __init__(self, facts: AdminFacts, with_process: bool) -> None:
        self._facts: Final = facts
        self._with_process: Final = with_process

    def answer(self, request: PageRequest) -> PageAnswer:
        if request.path != PATH:
            return not_found()
        refusal = unserved_method(request.method)
        if refusal is not None:
            return refusal
        names = frozenset(request.query.get("name[]", ()))
        return PageAnswer(200, {"Content-Type": CONTENT_TYPE}, self._pieces(names))

    def _pieces(self, names: frozenset[str]) -> Iterator[bytes]:
        summary = self._facts.summary()
        metrics: list[Metric] = [*gauges_of(summary), *summary.metrics]
        yield from _pages(metrics, names)
        yield from _pages(self._facts.own_metrics(self._with_process), names)


def _pages(metrics: list[Metric], names: frozenset[str]) -> Iterator[bytes]:
    for first in range(0, len(metrics), METRICS_A_PIECE):
        yield prometheus_page(metrics[first : first + METRICS_A_PIECE], names).encode()
