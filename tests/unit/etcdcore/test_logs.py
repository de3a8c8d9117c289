"""Log lines have zap's keys, go where they are told, and leave out what is below the level."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from etcdcore.config import ConfigError, ServerConfig
from etcdcore.logs import set_up_logs


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_is_an_object_with_zaps_keys_first(tmp_path: Path) -> None:
    path = tmp_path / "etcd.log"
    set_up_logs(ServerConfig(log_outputs=(str(path),)))
    structlog.get_logger().warning("something happened", revision=7)
    structlog.get_logger().debug("too small")
    (line,) = path.read_text().splitlines()
    found = json.loads(line)
    assert list(found) == ["level", "ts", "caller", "msg", "revision"]
    assert (found["level"], found["msg"], found["revision"]) == ("warn", "something happened", 7)
    assert found["caller"].startswith("etcdcore/test_logs.py:")
    assert line.startswith('{"level":"warn","ts":"20')


def test_lines_for_the_console_are_separated_by_tabs(tmp_path: Path) -> None:
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    set_up_logs(ServerConfig(log_format="console", log_outputs=(str(first), str(second))))
    structlog.get_logger().info("hello", key="v")
    assert first.read_text() == second.read_text()
    assert first.read_text().split("\t")[1:] == ["INFO", first.read_text().split("\t")[2], "hello", '{"key":"v"}\n']


def test_outputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be opened"):
        set_up_logs(ServerConfig(log_outputs=(str(tmp_path / "none" / "x.log"),)))
    with pytest.raises(ConfigError, match="needs a file"):
        set_up_logs(ServerConfig(enable_log_rotation=True))
    set_up_logs(ServerConfig(enable_log_rotation=True, log_outputs=(str(tmp_path / "x.log"),)))
