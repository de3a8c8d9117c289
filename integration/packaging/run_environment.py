"""The environment of `make run` and `make bench`: the compiled build where it can be had, the plain one elsewhere.

python3 -m integration.packaging.run_environment DIRECTORY [--pure]

Does nothing if the directory holds the present sources in the wanted form already. Compiling is waited for; serve.py
starts a server first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from integration.packaging.failures import NO_INDEX, NO_ROOM, find_reason, last_lines
from integration.packaging.wheels import (
    BuildFailed,
    Form,
    build_wheel,
    digest,
    find_wheel,
    has_compiler,
    log_path,
    progress_path,
)
from integration.peers import machine

PROGRESS_S = 15.0


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(f"zkbridge: {text}", flush=True)


def choose_form(is_pure_wanted: bool) -> Form:
    """Compiled if not told otherwise and the machine can do it."""
    if is_pure_wanted:
        return Form.PURE
    if not has_compiler():
        machine.provide(["compiler", "headers"])
    if has_compiler():
        return Form.COMPILED
    say("no C compiler or no Python headers here, so this is the plain Python build; the compiled one is faster")
    return Form.PURE


def failure_path(directory: Path) -> Path:
    """Holds the digest of sources that did not compile."""
    return directory / "zkbridge-compile-failed"


def has_failed(directory: Path) -> bool:
    """Whether the present sources did not compile before."""
    failed = failure_path(directory)
    return failed.exists() and failed.read_text() == digest()


class Progress:
    """What to say of a compiler at work, each time it has something to say."""

    def __init__(self, form: Form) -> None:
        self._path = progress_path(form)
        self._began = time.monotonic()

    def line(self) -> str:
        """How far it is."""
        seconds = int(time.monotonic() - self._began)
        try:
            return f"compiling: {self._path.read_text()} C files, {seconds} s so far"
        except OSError:
            return f"compiling: fetching the compiler's parts and checking types, {seconds} s so far"


@contextmanager
def tell_progress(form: Form) -> Iterator[None]:
    """A line now and then while the compiled wheel is built."""
    if form is Form.PURE:
        yield
        return
    is_done, progress = threading.Event(), Progress(form)

    def tell() -> None:
        while not is_done.wait(PROGRESS_S):
            say(progress.line())

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_done.set()
        teller.join()


def prepare(directory: Path, form: Form) -> Form:
    """Install the present sources into the virtual environment. Returns the form that it got."""
    sources = digest()
    stamp = directory / "zkbridge-installed"
    failed = failure_path(directory)
    if form is Form.COMPILED and has_failed(directory):
        say(f"these sources did not compile before, so this is the plain Python build; log: {log_path(form)}")
        form = Form.PURE
    if stamp.exists() and stamp.read_text() == f"{form.value} {sources}":
        return form
    python = directory / "bin" / "python"
    library = directory / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not python.exists() or not library.exists():
        say(f"creating {directory.name}")
        venv.create(directory, clear=True, with_pip=True)
    stamp.unlink(missing_ok=True)
    if form is Form.COMPILED and find_wheel(form) is None:
        say("compiling the hot rooms: about a minute, once until the sources change (make run PURE=1 goes without)")
    try:
        with tell_progress(form):
            wheel = build_wheel(form, str(python))
    except BuildFailed as error:
        if form is Form.PURE:
            raise
        say(f"compiling failed, so this is the plain Python build: {error}")
        form = Form.PURE
        wheel = build_wheel(form, str(python))
        # Only now: where not even this one can be built, the compiler was not to blame.
        if error.reason.is_of_the_sources:
            failed.write_text(sources)
    say(f"installing {wheel.name} and what it needs")
    _install(python, wheel)
    stamp.write_text(f"{form.value} {sources}")
    return form


def _install(python: Path, wheel: Path) -> None:
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    log = wheel.parents[1] / "install.log"
    with log.open("wb") as output:
        # The version is the same for every build, so pip would take an older one for the wanted one.
        for arguments in (["uninstall", "-y", "zkbridge"], ["install", str(wheel)]):
            done = subprocess.run([*pip, *arguments], stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        said = log.read_text(errors="replace")
        reason = find_reason(said)
        why = reason.text if reason in (NO_INDEX, NO_ROOM) else "see its last words"
        raise SystemExit(f"zkbridge: pip could not install {wheel.name}: {why}\n{last_lines(said)}\n  whole log: {log}")


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m integration.packaging.run_environment")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pure", action="store_true", help="plain Python, nothing compiled")
    options = parser.parse_args(arguments)
    try:
        prepare(options.directory.resolve(), choose_form(options.pure))
    except BuildFailed as error:
        raise SystemExit(f"zkbridge: {error}") from error
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
