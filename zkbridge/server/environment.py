"""What `envi` and the AdminServer tell of the process: ZooKeeper's names, with what stands for each here.

Monitors look for some of Java's names, so they are all there: `java.version` is the version of the Python that runs.
"""

import getpass
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_JAVA_NAMES_OF_MACHINES: Final = {"x86_64": "amd64", "AMD64": "amd64", "arm64": "aarch64"}
MEBIBYTE: Final = 1 << 20


def environment_of_process() -> Sequence[tuple[str, str]]:
    """Behind the version, in ZooKeeper's order; ours at the end."""
    home = os.environ.get("HOME", "?")
    total_mb, free_mb = _machine_memory_mb()
    return [
        ("host.name", platform.node()),
        ("java.version", platform.python_version()),
        ("java.vendor", platform.python_implementation()),
        ("java.home", sys.prefix),
        ("java.class.path", os.pathsep.join(path for path in sys.path if path)),
        ("java.library.path", os.environ.get("LD_LIBRARY_PATH", "")),
        ("java.io.tmpdir", tempfile.gettempdir()),
        ("java.compiler", "<NA>"),
        ("os.name", platform.system()),
        ("os.arch", _JAVA_NAMES_OF_MACHINES.get(platform.machine(), platform.machine())),
        ("os.version", platform.release()),
        ("user.name", _user_name()),
        ("user.home", home),
        ("user.dir", str(Path.cwd())),
        ("os.memory.free", f"{free_mb}MB"),
        ("os.memory.max", f"{total_mb}MB"),
        ("os.memory.total", f"{_resident_bytes() // MEBIBYTE}MB"),
        ("python.version", platform.python_version()),
        ("python.implementation", platform.python_implementation()),
        ("executable", sys.executable),
    ]


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"  # as in Java, of a user that the system has no name for


def _machine_memory_mb() -> tuple[int, int]:
    """Of the machine: all, and what is free."""
    page = os.sysconf("SC_PAGE_SIZE")
    return os.sysconf("SC_PHYS_PAGES") * page // MEBIBYTE, os.sysconf("SC_AVPHYS_PAGES") * page // MEBIBYTE


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
