"""An echo server of either carrier in a process of its own, and a channel to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from integration.etcd.http2.echo_process import EchoProcess


@pytest.fixture(scope="module", params=["ours", "grpcio"])
def echo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoProcess]:
    """One server for a module's tests, on each carrier in turn."""
    with EchoProcess(request.param, tmp_path_factory.mktemp("echo")) as started:
        yield started


@pytest.fixture
def channel(echo: EchoProcess) -> Iterator[grpc.Channel]:
    """A connection of this test's own."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}", options=options) as opened:
        yield opened


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """Where a test's own servers write."""
    return tmp_path
