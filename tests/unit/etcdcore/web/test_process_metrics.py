import os
import time

import psutil
from prometheus_client.parser import text_string_to_metric_families

from etcdcore.web.metrics_text import MetricsText
from etcdcore.web.process_metrics import add_process_metrics


def test_they_are_what_the_kernel_says_of_this_process() -> None:
    metrics = MetricsText()
    add_process_metrics(metrics)
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(metrics.text)
        for sample in family.samples
    }
    process = psutil.Process(os.getpid())
    assert abs(values["process_start_time_seconds"] - process.create_time()) < 2
    assert abs(values["process_resident_memory_bytes"] - process.memory_info().rss) < 64 << 20
    assert values["os_fd_used"] == values["process_open_fds"] > 0
    assert values["os_fd_limit"] == values["process_max_fds"] >= values["os_fd_used"]
    assert 0 < values["process_cpu_seconds_total"] <= time.process_time() + 1
