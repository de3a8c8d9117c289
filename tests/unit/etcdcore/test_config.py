"""A member's configuration is valid once it is built."""

from pathlib import Path

import pytest

from etcdcore import ConfigError, MemberConfig


def test_the_defaults_are_valid_and_keep_history_for_an_hour_and_a_million_revisions() -> None:
    config = MemberConfig(Path("data"))
    assert (config.compaction_retention_s, config.compaction_revisions_max) == (3600, 1_000_000)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("name", ""), ("tick_ms", 0), ("election_ticks", 1), ("segment_bytes", 10), ("compaction_retention_s", -1)],
)
def test_a_setting_out_of_its_bounds_is_refused_by_name(setting: str, value: str | int) -> None:
    with pytest.raises(ConfigError, match=f"{setting} must be"):
        MemberConfig(Path("data"), **{setting: value})  # type: ignore[arg-type]  # a wrong value is the point
