"""`make run`: a server at once, on the plain build if need be, while the compiled one is made beside it.

python3 -m integration.packaging.serve DIRECTORY [--pure | --compiled] -- ARGUMENTS OF zkbridge

The compiler has the lowest priority and all cores. It ends with the server: Ctrl-C reaches the server from the
terminal; whatever else ends this process closes the compiler's standard input, upon which it stops what it started.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from integration.packaging import wheels
from integration.packaging.run_environment import Progress, choose_form, failure_path, has_failed, prepare, say
from integration.packaging.wheels import BuildFailed, Form, build_wheel, find_wheel, has_compiler

PROGRESS_S = 15.0
LOOK_S = 0.2
END_S = 10.0


def main(arguments: Sequence[str]) -> int:
    """The server's exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m integration.packaging.serve")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pure", action="store_true", help="plain Python, nothing compiled")
    parser.add_argument("--compiled", action="store_true", help="wait for the compiled build")
    parser.add_argument("--compile", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args(arguments)
    directory = options.directory.resolve()
    if options.compile:
        return compile_beside(directory)
    try:
        if options.pure or options.compiled:
            prepare(directory, choose_form(options.pure))
            return serve(directory, options.words, is_compiling=False)
        is_compiling = find_wheel(Form.COMPILED) is None and not has_failed(directory)
        prepare(directory, Form.PURE if find_wheel(Form.COMPILED) is None else Form.COMPILED)
        return serve(directory, options.words, is_compiling)
    except BuildFailed as error:
        raise SystemExit(f"zkbridge: {error}") from error
    except KeyboardInterrupt:
        return 130


def serve(directory: Path, words: Sequence[str], is_compiling: bool) -> int:
    """Runs the server in front, and the compiler beside it if there is something to compile."""
    server = subprocess.Popen([str(directory / "bin" / "zkbridge"), *words])
    # The terminal sends the interrupt to the server, too; whoever sends SIGTERM knows this process alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    if not is_compiling:
        return _status(server.wait())
    say("this is the plain Python build; the compiled one is made beside it, and the next start will have it")
    command = [sys.executable, "-m", "integration.packaging.serve", str(directory), "--compile"]
    compiler = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        _watch(server, compiler)
        return _status(server.wait())
    finally:
        _end(compiler)


def _watch(server: subprocess.Popen[bytes], compiler: subprocess.Popen[bytes]) -> None:
    """Tells how far the compiler is until one of the two ends."""
    progress, next_s = Progress(Form.COMPILED), time.monotonic() + PROGRESS_S
    while server.poll() is None and compiler.poll() is None:
        time.sleep(LOOK_S)
        if time.monotonic() > next_s:
            say(progress.line())
            next_s += PROGRESS_S


def _end(compiler: subprocess.Popen[bytes]) -> None:
    assert compiler.stdin is not None
    compiler.stdin.close()
    try:
        compiler.wait(END_S)
    except subprocess.TimeoutExpired:
        os.killpg(compiler.pid, signal.SIGKILL)
        compiler.wait()


def _status(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


def compile_beside(directory: Path) -> int:
    """The compiler's process, the first of a process group of its own."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()  # called by hand: the group that is ended later is never somebody else's
    os.nice(19)
    if ionice := shutil.which("ionice"):
        subprocess.run([ionice, "-c", "3", "-p", str(os.getpid())], check=False, stderr=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_wait_for_the_end_of_the_server, daemon=True).start()
    # Installing a compiler may take its time as well, so it is done here.
    if not has_compiler() and choose_form(is_pure_wanted=False) is Form.PURE:
        return 1
    try:
        build_wheel(Form.COMPILED, str(directory / "bin" / "python"))
    except BuildFailed as error:
        if error.reason.is_of_the_sources:
            failure_path(directory).write_text(wheels.digest())
        say(f"compiling failed, so the next start is on the plain Python build, too: {error}")
        return 1
    say("compiled: the next start is the fast one")
    return 0


def _wait_for_the_end_of_the_server() -> None:
    """Whoever started us holds the other end, and lets go of it in whatever way it ends."""
    while sys.stdin.buffer.read(1):
        pass
    os.killpg(0, signal.SIGTERM)


def _stop(_number: int, _frame: object) -> None:
    """So that the temporary directory goes as well."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
