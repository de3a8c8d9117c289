"""The two clocks of the server: one for durations, one for what znodes show."""

from time import monotonic_ns, time_ns


def monotonic_ms() -> int:
    """Milliseconds of a clock that nobody sets; every timeout counts with it."""
    return monotonic_ns() // 1_000_000


def wall_ms() -> int:
    """Unix milliseconds: ctime and mtime, decided before the log and never used for a timeout."""
    return time_ns() // 1_000_000
