"""h2spec, every case of RFC 7540 and RFC 7541 that it has, against our server. etcd 3.6 passes 46 of 73, grpcio 32."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from integration.etcd.http2.echo_process import EchoProcess
from integration.peers import golang

CASE_TIMEOUT_S = 5
RUN_TIMEOUT_S = 280
SUMMARY = re.compile(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed")


def run_h2spec(port: int, *options: str) -> tuple[str, tuple[int, int, int, int]]:
    """Its output, and how many tests there were, passed, were skipped and failed."""
    program = golang.install(golang.H2SPEC)
    command = [str(program), "-h", "127.0.0.1", "-p", str(port), "-o", str(CASE_TIMEOUT_S), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    found = SUMMARY.search(done.stdout)
    assert found is not None, f"no summary:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    total, passed, skipped, failed = map(int, found.groups())
    return done.stdout, (total, passed, skipped, failed)


@pytest.mark.parametrize(("options", "count"), [((), 73), (("-S",), 77)], ids=["generic", "strict"])
def test_every_case_passes(tmp_path: Path, options: tuple[str, ...], count: int) -> None:
    with EchoProcess("ours", tmp_path, "--streams-max", "100") as server:
        output, counts = run_h2spec(server.port, *options)
        assert counts == (count, count, 0, 0), output[-6000:]
