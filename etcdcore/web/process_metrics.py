"""What the kernel knows of this process, under the names of Prometheus' own process collector and of etcd."""

import os
import resource
import time
from pathlib import Path
from typing import Final

from etcdcore.web.metrics_text import MetricsText

_NO_LIMIT: Final = (1 << 64) - 1
"""As Prometheus' collector shows it."""
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
    memory = resource.getrlimit(resource.RLIMIT_AS)[0]
    metrics.gauge(
        "process_virtual_memory_max_bytes",
        "Maximum amount of virtual memory available in bytes.",
        float(_NO_LIMIT if memory == resource.RLIM_INFINITY else memory),
    )
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
    _add_network(metrics, proc)
    metrics.gauge(
        "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", _started_s(proc)
    )


def _add_network(metrics: MetricsText, proc: Path) -> None:
    """Of the process's network namespace, as Prometheus' own collector takes them, that is with all who share it."""
    lines = (proc / "net" / "netstat").read_text().splitlines()
    heads = next((number for number, line in enumerate(lines) if line.startswith("IpExt:")), None)
    if heads is None:
        return
    values = dict(zip(lines[heads].split(), lines[heads + 1].split(), strict=False))
    for field, name, way in (("InOctets", "receive", "received"), ("OutOctets", "transmit", "sent")):
        metrics.counter(
            f"process_network_{name}_bytes_total",
            f"Number of bytes {way} by the process over the network.",
            float(values.get(field, 0)),
        )


def wall_s(loop_s: float, loop_now_s: float) -> float:
    """Seconds since 1970 of a moment of the loop's clock, for people; 0 stays 0."""
    return time.time() - loop_now_s + loop_s if loop_s else 0.0


def _started_s(proc: Path) -> float:
    """The kernel counts ticks since the machine began; the name before them may hold spaces and brackets."""
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    since_boot_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s
