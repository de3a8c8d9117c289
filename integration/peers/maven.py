"""Java classpaths through Maven: one generated pom a peer, its jars copied into the cache once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from integration.peers.requirements import cache_dir, refuse, require_program

MAVEN_TIMEOUT_S = 900
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>zkbridge.peers</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
DEPENDENCY = "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def install_jars(name: str, coordinates: Sequence[str]) -> Path:
    """The folder that holds the jars of `group:artifact:version` coordinates and of all they depend on.

    Several test processes may ask at once: the first one downloads under a file lock, into a folder that gets its
    final name only when complete.
    """
    digest = hashlib.sha256("\n".join(coordinates).encode()).hexdigest()[:12]
    jars = cache_dir() / "jars" / f"{name}-{digest}"
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with open(jars.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            _download(name, coordinates, jars)
    return jars


def _download(name: str, coordinates: Sequence[str], jars: Path) -> None:
    maven = require_program("mvn", "maven")
    work = jars.with_name(f"{jars.name}.part{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    lines = [DEPENDENCY.format(*coordinate.split(":")) for coordinate in coordinates]
    (work / "pom.xml").write_text(POM.format(name=name, dependencies="\n".join(lines)))
    done = subprocess.run(
        [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work}"],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=MAVEN_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        refuse(f"maven could not fetch {name}: {(done.stdout + done.stderr)[-2000:]}")
    work.rename(jars)


def classpath(jars: Path) -> str:
    """A `java -cp` argument for all jars of a folder."""
    return str(jars / "*")
