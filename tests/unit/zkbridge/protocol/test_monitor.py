"""What is measured, as mntr and as Prometheus are told it. Source: ZooKeeper PrometheusMetricsProvider."""

from zkbridge.protocol.monitor import COUNTER, Number, Samples, SummaryMetric, SummarySet, gauge, prometheus_page
from zkbridge.summary import Summary


def summary_of(*values: int) -> Summary:
    summary = Summary()
    for value in values:
        summary.note(value)
    return summary


def test_a_counter_shows_prometheus_what_srst_does_not_touch() -> None:
    counter = Number("commit_count", COUNTER, 2, 7, "Writes.")
    assert counter.monitor_values() == [("commit_count", 2)]
    assert prometheus_page([counter], frozenset()) == (
        "# HELP commit_count Writes.\n# TYPE commit_count counter\ncommit_count 7\n"
    )


def test_a_summary_has_five_fields_and_percentiles_if_it_is_detailed() -> None:
    plain = SummaryMetric("t", summary_of(1, 2), False, "")
    assert [name for name, _ in plain.monitor_values()] == ["avg_t", "min_t", "max_t", "cnt_t", "sum_t"]
    detailed = SummaryMetric("t", summary_of(1, 2), True, "")
    assert dict(detailed.monitor_values()) == {
        "avg_t": 1.5,
        "min_t": 1,
        "max_t": 2,
        "cnt_t": 2,
        "sum_t": 3,
        "p50_t": 2,
        "p95_t": 2,
        "p99_t": 2,
        "p999_t": 2,
    }
    types = {name: type(value) for name, value in detailed.monitor_values()}
    assert types.pop("avg_t") is float and set(types.values()) == {int}


def test_a_summary_for_prometheus_has_quantiles_count_and_sum() -> None:
    assert SummaryMetric("t", summary_of(1, 2, 3), True, "").prometheus_lines() == [
        't{quantile="0.5"} 2',
        't{quantile="0.9"} 3',
        't{quantile="0.99"} 3',
        "t_count 3",
        "t_sum 6",
    ]


def test_a_quantile_of_nothing_is_not_a_number() -> None:
    lines = SummaryMetric("t", Summary(), False, "").prometheus_lines()
    assert lines == ['t{quantile="0.5"} NaN', "t_count 0", "t_sum 0"]


def test_a_set_has_the_key_in_mntrs_name_and_in_prometheus_label() -> None:
    metric = SummarySet("read_per_namespace", {'a"b': summary_of(5)}, "")
    assert next(name for name, _ in metric.monitor_values()) == 'avg_a"b_read_per_namespace'
    assert metric.prometheus_lines() == [
        'read_per_namespace{key="a\\"b",quantile="0.5"} 5',
        'read_per_namespace_count{key="a\\"b"} 1',
        'read_per_namespace_sum{key="a\\"b"} 5',
    ]


def test_a_page_can_be_asked_for_some_samples_only() -> None:
    metrics = [gauge("uptime", 5, "Up."), SummaryMetric("t", summary_of(1), False, "Times.")]
    assert prometheus_page(metrics, frozenset({"t_sum"})) == "# HELP t Times.\n# TYPE t summary\nt_sum 1\n"


def test_samples_of_our_own_are_for_prometheus_only() -> None:
    build = Samples("zkbridge_build_info", "gauge", [('{build="plain"}', "1")], "Which build.")
    assert build.monitor_values() == []
    assert build.prometheus_lines() == ['zkbridge_build_info{build="plain"} 1']
