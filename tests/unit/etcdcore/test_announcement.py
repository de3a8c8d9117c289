"""Durations as Go writes them; the line itself is compared with etcd's in integration/etcd/life/test_log_lines.py."""

import pytest

from etcdcore.announcement import duration, starting_line
from etcdcore.flags.settings import build_settings


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1e-9, "1ns"),
        (0.0000015, "1.5µs"),
        (0.1, "100ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m0s"),
        (3600, "1h0m0s"),
        (5025.25, "1h23m45.25s"),
        (-2, "-2s"),
    ],
)
def test_a_duration_is_written_as_in_go(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_was_set_is_shown_and_so_is_what_was_not() -> None:
    settings = build_settings({"name": "x", "max-wals": 7, "feature-gates": ("InitialCorruptCheck=true",)}, [])
    line = starting_line(settings, "3.11.7", "x86_64", 2, False)
    assert (line["max-wals"], line["max-snapshots"], line["snapshot-catchup-entries"]) == (7, 5, 5000)
    assert line["feature-gates"] == "InitialCorruptCheck=true"
    assert line["initial-cluster"] == "x=http://localhost:2380"
