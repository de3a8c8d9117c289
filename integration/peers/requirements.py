"""What a test needs from the machine: present, or the test is skipped with a clear line (failed where CI=true)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def is_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def refuse(reason: str) -> NoReturn:
    """Skip the test that asked, or fail it where CI=true."""
    if is_ci():
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


def require_program(name: str, package: str) -> str:
    """The path of a program, which on Debian `package` installs."""
    found = shutil.which(name)
    if found is None and name == "go" and Path("/usr/local/go/bin/go").exists():
        found = "/usr/local/go/bin/go"
    if found is None:
        refuse(f"{name} is not installed (apt-get install {package}, or `make test` as root does it)")
    return found


def require_java() -> str:
    """The path of a Java runtime, version 17 or so."""
    return require_program("java", "openjdk-17-jdk-headless")


def cache_dir() -> Path:
    """Where downloads are kept between runs, never inside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "zkbridge"
    path.mkdir(parents=True, exist_ok=True)
    return path
