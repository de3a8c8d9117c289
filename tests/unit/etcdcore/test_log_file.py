"""A full log file is set aside, and the oldest of those go."""

import gzip
from pathlib import Path

import pytest

from etcdcore.config import ConfigError
from etcdcore.log_file import RotatingFile, RotationRules, read_rotation_rules

LINE = "x" * 1023 + "\n"


def _fill(path: Path, rules: RotationRules, megabytes: int) -> list[Path]:
    file = RotatingFile(path, rules)
    for _ in range(megabytes * 1024):
        file.write(LINE)
    file.flush()
    return sorted(other for other in path.parent.iterdir() if other != path)


def test_a_full_file_is_set_aside_whole_and_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "etcd.log"
    aside = _fill(path, RotationRules(maxsize=1), 2)
    assert len(aside) == 1
    assert aside[0].name.startswith("etcd-") and aside[0].suffix == ".log"
    assert aside[0].stat().st_size == path.stat().st_size == 1 << 20


def test_only_so_many_are_kept_and_they_may_be_compressed(tmp_path: Path) -> None:
    aside = _fill(tmp_path / "etcd.log", RotationRules(maxsize=1, maxbackups=2, compress=True), 5)
    assert 1 <= len(aside) <= 2
    assert all(path.name.endswith(".log.gz") for path in aside)
    with gzip.open(aside[-1], "rt") as text:
        assert text.readline() == LINE


def test_what_a_former_process_left_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "etcd.log"
    path.write_text(LINE * 1024)
    assert len(_fill(path, RotationRules(maxsize=1), 1)) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"maxsize": "big"}', '{"maxsiez": 1}', '{"maxage": -1}'])
def test_rules_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--log-rotation-config-json"):
        read_rotation_rules(text)


def test_the_flags_default_are_the_defaults() -> None:
    from etcdcore.flags.table import FLAGS

    assert read_rotation_rules(FLAGS["log-rotation-config-json"].default) == RotationRules() == read_rotation_rules("")
