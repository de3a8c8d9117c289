"""kazoo's own test suite, out of its source distribution, run on a server of ours.

The suite wants to manage ZooKeeper processes itself; `integration.peers.kazoo_plugin` gives it a cluster of one server
of ours in their place. Nothing of the distribution is changed.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from integration.peers.requirements import cache_dir, refuse
from integration.peers.servers import ZOOKEEPER_VERSION

KAZOO_VERSION = "2.11.0"
DOWNLOAD_TIMEOUT_S = 600
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test of the suite ended."""

    name: str
    status: str
    message: str


def install() -> Path:
    """The folder of the unpacked source distribution, in the cache."""
    base = cache_dir() / "kazoo"
    unpacked = base / f"kazoo-{KAZOO_VERSION}"
    base.mkdir(exist_ok=True)
    with open(base / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (unpacked / "complete").exists():
            _download(base)
            (unpacked / "complete").touch()
    return unpacked


def _download(base: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "kazoo", "-d", str(base)]
    done = subprocess.run(
        [*command, f"kazoo=={KAZOO_VERSION}"], capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        refuse(f"pip could not fetch kazoo's source distribution: {done.stderr[-1500:]}")
    with tarfile.open(base / f"kazoo-{KAZOO_VERSION}.tar.gz") as archive:
        # Without a filter in Python 3.11 before 3.11.4, which Debian 12 has. pip has checked the archive's digest.
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(base)


def run(target: str, folder: Path, selection: Sequence[str], timeout_s: int) -> list[Outcome]:
    """Run the suite, or the selected test files and ids below kazoo/tests, on a target: bridge or zookeeper."""
    source = install()
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.xml"
    paths = [f"kazoo/tests/{name}" for name in selection] or ["kazoo/tests"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "integration.peers.kazoo_plugin", "-p", "no:xdist"]
    command += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(source), "--junitxml", str(report)]
    command += ["--timeout", "120", "--basetemp", str(folder / "tmp"), *paths]
    environment = {
        key: value for key, value in os.environ.items() if key != "CI" and not key.startswith(("PYTEST", "ZOOKEEPER"))
    }
    environment |= {
        "PYTHONPATH": f"{source}{os.pathsep}{REPOSITORY}",
        "ZKBRIDGE_TEST_TARGET": target,
        "ZKBRIDGE_KAZOO_FOLDER": str(folder),
        "ZOOKEEPER_VERSION": ZOOKEEPER_VERSION,
        "ZOOKEEPER_CLUSTER_SIZE": "1",
    }
    with open(folder / "pytest.log", "wb") as log:
        subprocess.run(command, cwd=source, env=environment, stdout=log, stderr=log, timeout=timeout_s, check=False)
    if not report.exists():
        raise AssertionError(f"kazoo's suite wrote no report: {(folder / 'pytest.log').read_text()[-3000:]}")
    return [_outcome(case) for case in ElementTree.parse(report).getroot().iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    name = f"{case.get('classname', '').removeprefix('kazoo.tests.')}.{case.get('name')}"
    for status in ("failure", "error", "skipped"):
        found = case.find(status)
        if found is not None:
            return Outcome(name, status, f"{found.get('message')}"[:300])
    return Outcome(name, "passed", "")
