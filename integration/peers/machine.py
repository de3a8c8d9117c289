"""Programs that the tests need beside Python: present, installed through apt-get if we are root, or named.

Runs before anything is installed, so with the standard library only: `python3 integration/peers/machine.py java maven`.
A program that stays missing is an error where CI=true, elsewhere a line of text: the tests that need it are skipped.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

PACKAGES = {
    "java": ["openjdk-17-jdk-headless"],
    "maven": ["maven"],
    "golang": ["golang-go"],
    "curl": ["curl"],
    "openssl": ["openssl"],
    "venv": ["python3-venv"],
    "compiler": ["gcc", "libc6-dev"],
    "headers": [f"python{sys.version_info.major}.{sys.version_info.minor}-dev"],
    "docker": ["docker.io", "docker-compose", "iptables", "debootstrap"],
}


def is_present(name: str) -> bool:
    """Whether what the package brings is there already."""
    match name:
        case "java":
            return shutil.which("java") is not None
        case "maven":
            return shutil.which("mvn") is not None
        case "curl" | "openssl":
            return shutil.which(name) is not None
        case "golang":
            return shutil.which("go") is not None or Path("/usr/local/go/bin/go").exists()
        case "venv":
            return importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None
        case "compiler":
            return any(shutil.which(program) for program in ("cc", "gcc", "clang"))
        case "headers":
            return (Path(sysconfig.get_path("include")) / "Python.h").exists()
        case "docker":
            return has_docker()
        case _:
            raise SystemExit(f"unknown program {name!r}; known are {', '.join(PACKAGES)}")


def has_docker() -> bool:
    """Whether an engine answers, or all is here that one is started with: its client alone is not enough."""
    if shutil.which("docker") is None:
        return False
    if all(shutil.which(program) for program in ("dockerd", "docker-compose", "iptables", "debootstrap")):
        return True
    return subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0


def install(packages: list[str]) -> None:
    """apt-get, quietly; what fails shows by what is still missing afterwards."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "-y", "install", "--no-install-recommends"]):
        arguments = packages if "install" in command else []
        subprocess.run([*command, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)


def provide(names: Sequence[str]) -> list[str]:
    """Install what is missing if we may. Returns what is missing still."""
    missing = [name for name in names if not is_present(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        packages = [package for name in missing for package in PACKAGES[name]]
        print(f"installing {' '.join(packages)} through apt-get; this may take minutes", flush=True)
        install(packages)
        missing = [name for name in names if not is_present(name)]
    return missing


def main(names: list[str]) -> int:
    """The exit status: 1 only if something is missing and nothing may be."""
    missing = provide(names)
    if not missing:
        return 0
    packages = [package for name in missing for package in PACKAGES[name]]
    print(f"missing: {', '.join(missing)}; on Debian: apt-get install {' '.join(packages)}", file=sys.stderr)
    return 1 if os.environ.get("CI", "").lower() in {"1", "true", "yes"} or "venv" in missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
