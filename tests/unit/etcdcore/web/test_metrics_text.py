import pytest
from prometheus_client.parser import text_string_to_metric_families

from etcdcore.statistics import Histogram
from etcdcore.web.metrics_text import MetricsText


def test_a_histogram_is_cumulative_and_ends_at_infinity() -> None:
    histogram = Histogram((0.5, 1.0))
    for value in (0.25, 0.75, 5.0):
        histogram.observe(value)
    metrics = MetricsText()
    metrics.histogram("h", "About.", [({"op": "x"}, histogram)])
    assert metrics.text == (
        "# HELP h About.\n# TYPE h histogram\n"
        'h_bucket{op="x",le="0.5"} 1\nh_bucket{op="x",le="1"} 2\nh_bucket{op="x",le="+Inf"} 3\n'
        'h_sum{op="x"} 6\nh_count{op="x"} 3\n'
    )


def test_a_family_without_samples_tells_its_type() -> None:
    metrics = MetricsText()
    metrics.family("c_total", "counter", "About.", ())
    assert metrics.text == "# HELP c_total About.\n# TYPE c_total counter\n"


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "é"])
def test_any_label_reads_back(value: str) -> None:
    metrics = MetricsText()
    metrics.family("g", "gauge", "About.", [({"label": value}, 1.5)])
    (family,) = text_string_to_metric_families(metrics.text)
    (sample,) = family.samples
    assert (sample.labels, sample.value) == ({"label": value}, 1.5)
