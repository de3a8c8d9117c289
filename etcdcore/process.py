"""A server as a process: loop, signals, exit status.

SIGTERM and SIGINT end it once; a second one is ignored meanwhile. Afterwards the signal is raised again with its
default action, so that whoever started the process sees what ended it (status 143 or 130); process 1 exits with 0.
Source: etcd pkg/osutil/interrupt_unix.go.
"""

import asyncio
import gc
import os
import platform
import signal
import socket
import sys
from typing import Final

import structlog
import uvloop

from etcdcore.announcement import starting_line
from etcdcore.errors import EngineError
from etcdcore.flags.settings import Settings
from etcdcore.ports import StartError
from etcdcore.server import LOG_PATH, ServerLife
from etcdcore.storage.errors import StorageError

_log = structlog.get_logger()

EXIT_FAILED: Final = 1
DEFRAG_FLAG: Final = "bootstrap-defrag-threshold-megabytes"
NOTIFY_VARIABLE: Final = "NOTIFY_SOCKET"
SWITCH_INTERVAL_S: Final = 0.0002
"""How long the loop may keep the interpreter from the log's thread when that comes back from its sync."""
GARBAGE_THRESHOLDS: Final = (50_000, 20, 1000)
"""Indexes are many objects without cycles: the default thresholds would have the collector walk them all day."""


def run(settings: Settings) -> int:
    """Serves until a signal. Returns the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    for note in settings.notes:
        _log.warning(note)
    received: list[signal.Signals] = []
    try:
        uvloop.run(_serve(settings, received))
    except (StartError, OSError, ExceptionGroup) as error:
        for cause in _causes(error):
            _log.critical("server failed", error=str(cause) or repr(cause))
        return EXIT_FAILED
    _log.info("server stopped")
    if received and os.getpid() != 1:
        signal.signal(received[0], signal.SIG_DFL)
        os.kill(os.getpid(), received[0])
    return 0


def _causes(error: Exception) -> list[Exception]:
    """What is inside of groups. Anything but the environment's failures is a bug, and goes on."""
    if not isinstance(error, ExceptionGroup):
        return [error]
    expected, bugs = error.split((StartError, StorageError, EngineError, OSError))
    if bugs is not None:
        raise bugs
    assert expected is not None, "a group holds something"
    return [cause for inner in expected.exceptions for cause in _causes(inner)]


async def _serve(settings: Settings, received: list[signal.Signals]) -> None:
    is_initialized = (settings.config.data_path / LOG_PATH).exists()
    processors = os.cpu_count() or 1
    line = starting_line(settings, platform.python_version(), platform.machine(), processors, is_initialized)
    threshold_mb = settings.values.get(DEFRAG_FLAG, 0)
    assert isinstance(threshold_mb, int), f"--{DEFRAG_FLAG} is a number"
    life = ServerLife(settings.config, line, threshold_mb << 20)

    def end(number: signal.Signals) -> None:
        if not received:
            received.append(number)
            _log.info("received signal; shutting down...", signal=number.name)
            life.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    async with asyncio.TaskGroup() as group:
        notice = group.create_task(_tell_ready(life), name="tell ready")
        await life.serve()
        notice.cancel()


async def _tell_ready(life: ServerLife) -> None:
    """Tells systemd, or who else started us with a socket to tell, as etcd does (sd_notify)."""
    await life.ready.wait()
    address = os.environ.get(NOTIFY_VARIABLE, "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        _log.error("failed to notify systemd for readiness", error=str(error))
