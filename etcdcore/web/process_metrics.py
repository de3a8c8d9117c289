"""What the kernel knows of this process, under the names of Prometheus' own process collector and of etcd."""

import os
import resource
import time
from pathlib import Path
from typing import Final

from etcdcore.web.metrics_text import MetricsText

_STATUS_FIELDS: Final = {
    "VmRSS": ("process_resident_memory_bytes", "Resident memory size in bytes."),
    "VmSize": ("process_virtual_memory_bytes", "Virtual memory size in bytes."),
}


def add_process_metrics(metrics: MetricsText) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.counter(
        "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
        usage.ru_utime + usage.ru_stime,
    )
    limit = float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    metrics.gauge("process_max_fds", "Maximum number of open file descriptors.", limit)
    metrics.gauge("os_fd_limit", "The file descriptor limit.", limit)
    proc = Path("/proc/self")
    if not proc.is_dir():
        # Elsewhere than on Linux the peak is the nearest thing that there is.
        metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", usage.ru_maxrss * 1024)
        return
    open_count = len(os.listdir(proc / "fd"))
    metrics.gauge("process_open_fds", "Number of open file descriptors.", open_count)
    metrics.gauge("os_fd_used", "The number of used file descriptors.", open_count)
    for line in (proc / "status").read_text().splitlines():
        field, _, value = line.partition(":")
        if field in _STATUS_FIELDS:
            name, about = _STATUS_FIELDS[field]
            metrics.gauge(name, about, int(value.split()[0]) * 1024)
    metrics.gauge(
        "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", _started_s(proc)
    )


def wall_s(loop_s: float, loop_now_s: float) -> float:
    """Seconds since 1970 of a moment of the loop's clock, for people; 0 stays 0."""
    return time.time() - loop_now_s + loop_s if loop_s else 0.0


def _started_s(proc: Path) -> float:
    """The kernel counts ticks since the machine began; the name before them may hold spaces and brackets."""
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    since_boot_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s
