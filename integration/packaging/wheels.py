"""The plain wheel and the compiled one, built in a copy of the sources and kept until these change.

`python3 -m integration.packaging.wheels compiled|pure [DIRECTORY]` builds one, copies it into the directory if there is
one, and prints its path. pyproject.toml says what is compiled and how; here is only where, since the compiling hook
writes beside the sources and moves pyproject.toml aside while it works.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from integration.packaging.failures import find_reason, last_lines
from integration.packaging.parallel_compiler import PROGRESS_VARIABLE
from integration.peers import machine

ROOT = Path(__file__).parents[2]
PACKAGES = ("etcdcore", "zkbridge")
COMPILE_FILES = tuple(
    f"integration/packaging/{name}" for name in ("compile_hook.py", "parallel_compiler.py", "trashcan.h")
)
PROJECT_FILES = ("pyproject.toml", "README.md", "LICENSE", *COMPILE_FILES)
WHEELS = ROOT / "build" / "wheels"


class Form(Enum):
    """Which of the two wheels."""

    PURE = "pure"
    COMPILED = "compiled"


class BuildFailed(Exception):
    """pip could not build the wheel; `log` has all it said, the text the reason and its end."""

    def __init__(self, form: Form, log: Path) -> None:
        said = log.read_text(errors="replace")
        self.log = log
        self.reason = find_reason(said)
        super().__init__(
            f"the {form.value} wheel could not be built: {self.reason.text}\n{last_lines(said)}\n  whole log: {log}"
        )


def has_compiler() -> bool:
    """Whether extensions can be built: a C compiler and this interpreter's headers."""
    return machine.is_present("compiler") and machine.is_present("headers")


def _sources() -> list[Path]:
    packed = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    return sorted(path for path in packed if path.suffix not in {".pyc", ".so"})


def digest() -> str:
    """A name for the present sources, as this interpreter would build them."""
    state = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    for path in [*_sources(), ROOT / "pyproject.toml", *(ROOT / name for name in COMPILE_FILES), Path(__file__)]:
        state.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def log_path(form: Form) -> Path:
    """Where the last build of this form left its output."""
    return WHEELS / f"{form.value}.log"


def progress_path(form: Form) -> Path:
    """Where the compiler says how many C files of how many are done."""
    return WHEELS / f"{form.value}.progress"


def find_wheel(form: Form) -> Path | None:
    """The wheel of the present sources, if it was built before."""
    return next((WHEELS / f"{form.value}-{digest()}").glob("*.whl"), None)


def build_wheel(form: Form, python: str = sys.executable) -> Path:
    """The wheel of the present sources, built by `python`'s pip unless it is there. Raises BuildFailed."""
    found = find_wheel(form)
    if found is not None:
        return found
    WHEELS.mkdir(parents=True, exist_ok=True)
    # `make run` may compile beside a server while `make bench` asks for the same: one of them does it.
    with (WHEELS / f"{form.value}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return find_wheel(form) or _build(form, python)


def _build(form: Form, python: str) -> Path:
    # The name is taken before the copy: sources that change meanwhile get another name, so they are built again.
    kept = WHEELS / f"{form.value}-{digest()}"
    with tempfile.TemporaryDirectory(prefix="zkbridge-wheel-") as name:
        copy, built = Path(name) / "sources", Path(name) / "wheel"
        _copy_sources(copy)
        _run_pip(form, python, copy, built)
        for old in WHEELS.glob(f"{form.value}-*"):
            shutil.rmtree(old)
        # Complete, then under its name: a builder may be stopped at any time.
        part = WHEELS / f"part-{form.value}"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(built, part)
        part.rename(kept)
    return next(kept.glob("*.whl"))


def _copy_sources(target: Path) -> None:
    for path in [*_sources(), *(ROOT / name for name in PROJECT_FILES)]:
        copied = target / path.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)


def _run_pip(form: Form, python: str, sources: Path, target: Path) -> None:
    switch = "true" if form is Form.COMPILED else "false"
    progress = str(progress_path(form))
    environment = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_MYPYC": switch, PROGRESS_VARIABLE: progress}
    progress_path(form).unlink(missing_ok=True)
    command = [python, "-m", "pip", "wheel", "--no-deps", "--disable-pip-version-check", "-v", "-w", str(target)]
    log = log_path(form)
    with log.open("wb") as output:
        done = subprocess.run(
            [*command, str(sources)], env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise BuildFailed(form, log)


def _python_with_pip() -> str:
    """This interpreter; of Debian's, which comes without pip, an environment that has it."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    environment = WHEELS / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (environment / "bin" / "pip").exists():
        venv.create(environment, clear=True, with_pip=True)
    return str(environment / "bin" / "python")


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    try:
        wheel = build_wheel(Form(arguments[0]), _python_with_pip())
    except BuildFailed as error:
        print(f"zkbridge: {error}", file=sys.stderr)
        return 1
    if len(arguments) > 1:
        Path(arguments[1]).mkdir(parents=True, exist_ok=True)
        wheel = Path(shutil.copy(wheel, arguments[1]))
    print(wheel)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
