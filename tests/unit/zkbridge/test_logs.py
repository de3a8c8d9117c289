"""Logs: JSON off the terminal, readable on it, quiet below the level."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from zkbridge.logs import set_up_logs


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_off_the_terminal_each_line_is_one_json_object() -> None:
    stream = io.StringIO()
    set_up_logs("info", stream)
    log = structlog.get_logger()
    log.info("session_opened", session_id="0x1", size_bytes=b"x")
    try:
        raise OSError("no room")
    except OSError:
        log.error("wal_write_failed", exc_info=True)
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"], first["session_id"]) == ("session_opened", "info", "0x1")
    assert first["timestamp"].endswith("Z")
    assert "OSError: no room" in second["exception"]


def test_on_a_terminal_lines_are_for_people() -> None:
    stream = Terminal()
    set_up_logs("info", stream)
    structlog.get_logger().info("session_opened")
    assert "session_opened" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    set_up_logs("warning", stream)
    log = structlog.get_logger()
    log.info("quiet_one")
    log.warning("loud_one")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud_one"]
