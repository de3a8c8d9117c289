"""What make run starts beside the server ends with it, in whatever way it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from integration.packaging.wheels import ROOT
from integration.peers.process import wait_until

# A compiler that says who it is and works for ever.
COMPILER = """
import os, subprocess, sys
from pathlib import Path
from integration.packaging import serve
def build_wheel(form, python):
    child = subprocess.Popen(["sleep", "1000"])
    Path(sys.argv[1], "pids").write_text(f"{os.getpid()} {child.pid}")
    child.wait()
serve.build_wheel, serve.has_compiler = build_wheel, lambda: True
raise SystemExit(serve.compile_beside(Path(sys.argv[1])))
"""
# make run with that compiler, and a server that ends at once or on a signal.
RUN = """
import sys
from pathlib import Path
from integration.packaging import serve
real = serve.subprocess.Popen
def start(command, **options):
    if "--compile" in command:
        command = [sys.executable, "-c", sys.argv[2], sys.argv[1]]
    return real(command, **options)
serve.subprocess.Popen = start
raise SystemExit(serve.serve(Path(sys.argv[1]), ["serve"], is_compiling=True))
"""
SERVER = """#!/bin/sh
trap 'exit 7' TERM INT
while :; do sleep 0.1; done
"""


def start(folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """make run, and the processes of its compiler once these are there."""
    server = folder / "bin" / "zkbridge"
    server.parent.mkdir()
    server.write_text(SERVER)
    server.chmod(0o755)
    run = subprocess.Popen([sys.executable, "-c", RUN, str(folder), COMPILER], cwd=ROOT, start_new_session=True)
    pids = folder / "pids"
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, 60, "the compiler is at work")
    return run, [int(pid) for pid in pids.read_text().split()]


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_compiler_has_the_lowest_priority_and_ends_with_the_server(tmp_path: Path) -> None:
    run, compiler = start(tmp_path)
    assert [psutil.Process(pid).nice() for pid in compiler] == [19, 19]
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 7
    wait_until(lambda: all(has_ended(pid) for pid in compiler), 60, "no compiler is left")


def test_the_compiler_ends_even_if_nobody_could_tell_it(tmp_path: Path) -> None:
    run, compiler = start(tmp_path)
    servers = psutil.Process(run.pid).children()
    run.kill()
    run.wait(60)
    wait_until(lambda: all(has_ended(pid) for pid in compiler), 60, "no compiler is left")
    for server in servers:
        if server.is_running():
            server.kill()


def test_an_interrupt_from_the_terminal_ends_both_with_the_servers_status(tmp_path: Path) -> None:
    run, compiler = start(tmp_path)
    # The terminal sends it to the group, of which the compiler is no part.
    assert os.getpgid(run.pid) == run.pid != os.getpgrp()
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(60) == 7
    wait_until(lambda: all(has_ended(pid) for pid in compiler), 60, "no compiler is left")
