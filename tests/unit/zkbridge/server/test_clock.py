"""A wall clock that jumps can end no session: only monotonic time reaches a timeout."""

import ast
from pathlib import Path
from typing import Final

import pytest

import etcdcore
import zkbridge
from zkbridge.server.clock import monotonic_ms

BRIDGE: Final = Path(zkbridge.__file__).parent
CORE: Final = Path(etcdcore.__file__).parent
WALL_CLOCKS: Final = {"time", "time_ns", "localtime", "gmtime", "ctime", "now", "utcnow", "today"}
WALL_CLOCKS_OF_THE_CORE: Final = {
    "authentication.py",  # how long a JWT is good is a date in it
    "cluster.py",  # part of a new member's id, as in etcd
    "log_file.py",  # the name of a file that is set aside
    "process_metrics.py",  # when the process started, and the last compaction ended
    "snapshot_commands.py",  # the stamp of a line of etcdutl's, for people
    "tls.py",  # from when to when a self-signed certificate is good
}
WALL_TAKERS: Final = {"PlanContext", "SessionIds", "ServerStatistics"}
"""What a wall time may be given to: the times that znodes show, a part of session ids, and `stat`'s start time."""


def _sources(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*.py")) if "pb" not in path.parts]


def _wall_clock_uses(path: Path) -> list[str]:
    uses: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in WALL_CLOCKS and isinstance(node.value, ast.Name):
            if node.value.id in ("time", "datetime", "date"):
                uses.append(f"{path.name}:{node.lineno} {node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime"):
            uses += [f"{path.name}:{node.lineno} {name.name}" for name in node.names if name.name in WALL_CLOCKS]
    return uses


def test_the_core_looks_at_the_wall_clock_only_where_a_date_is_told_to_others() -> None:
    places = {use.partition(":")[0] for path in _sources(CORE) for use in _wall_clock_uses(path)}
    assert places <= WALL_CLOCKS_OF_THE_CORE


def test_the_bridge_looks_at_the_wall_clock_in_one_place() -> None:
    uses = [use for path in _sources(BRIDGE) for use in _wall_clock_uses(path)]
    assert len(uses) == 1 and uses[0].startswith("clock.py"), uses


@pytest.mark.parametrize("name", ["session_keeper.py", "listener.py"])
def test_whoever_ends_sessions_and_connections_gives_wall_time_to_nothing_that_times_out(name: str) -> None:
    path = BRIDGE / "server" / name
    tree = ast.parse(path.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    wall = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "wall_ms"]
    given = [
        argument
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in WALL_TAKERS
        for argument in call.args
        if argument in wall
    ]
    kept = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Attribute)
        and node.targets[0].attr == "connected_ms"  # shown by `cons`
    ]
    assert all(call in given or call in kept for call in wall), [call.lineno for call in wall]


def test_the_sessions_room_reads_no_clock_at_all() -> None:
    for path in _sources(BRIDGE / "sessions"):
        text = path.read_text()
        assert "import time" not in text and "wall_ms" not in text and "monotonic_ms" not in text, path


def test_the_monotonic_clock_never_goes_back() -> None:
    times = [monotonic_ms() for _ in range(1000)]
    assert times == sorted(times)
