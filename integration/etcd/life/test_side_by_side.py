"""A process that imports another etcd client beside ours works: our generated classes live in a pool of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "side_by_side.py"


@pytest.mark.parametrize(
    "order", ["aetcd.rpc,etcdcore.embed,etcdcore.client", "etcdcore.embed,etcdcore.client,aetcd.rpc"]
)
def test_another_client_librarys_stubs_live_in_the_same_process(order: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", f"import {order}, runpy; runpy.run_path({str(SCRIPT)!r})"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "side by side" in ended.stdout
