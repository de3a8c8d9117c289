"""The images that the suite's containers run: ours from the tree, the others pulled, or built if no registry answers.

Stand-ins have the public images' tags, since the compose files are run as they are. So they are made only in an engine
of our own or in CI, never in the engine of a person, who would find a "zookeeper" there that is none.
By hand: `python -m integration.compose.images debian:bookworm-slim`, while an engine of `engine start` runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from integration.compose.base_image import base_tarball
from integration.compose.engine import Engine, running_engine
from integration.peers import golang, maven
from integration.peers.kafka import KAFKA_JARS, KAFKA_VERSION
from integration.peers.requirements import cache_dir, is_ci, refuse
from integration.peers.servers import ZOOKEEPER_JARS

TREE = Path(__file__).parents[2]
DOCKERFILE = TREE / "docker" / "Dockerfile"
STAND_INS = Path(__file__).parent / "stand_ins"
PRODUCT = "zkbridge:dev"
BASE = "debian:bookworm-slim"
JAVA = "zkbridge-stand-in/java:17"
ZOOKEEPER = "zookeeper:3.9"
KAFKA = f"apache/kafka:{KAFKA_VERSION}"
LABEL = "zkbridge.stand-in"
PULL_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 1500


@dataclass(frozen=True, slots=True)
class StandIn:
    """A folder with a Dockerfile; the image that it builds upon; and what of the cache lies beside the Dockerfile."""

    folder: Path
    base: str | None
    files: Callable[[], Mapping[str, Path]]

    def digest(self) -> str:
        """Differs when the image has to be built again; the cache's names tell their versions."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
        for name, path in sorted(self.files().items()):
            digest.update(f"{name} {path.name}\n".encode())
        return digest.hexdigest()[:16]

    def write_context(self, target: IO[bytes]) -> None:
        """The build's context as a tar file."""
        with tarfile.open(fileobj=target, mode="w") as context:
            for path in sorted(self.folder.iterdir()):
                context.add(path, path.name, filter=_executable)
            for name, path in self.files().items():
                context.add(path, name, filter=_executable)


def _executable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Equal bits wherever the tree was checked out."""
    is_program = member.isdir() or member.name.endswith(".sh") or member.name.startswith("bin/")
    member.mode = 0o755 if is_program else 0o644
    member.uid = member.gid = member.mtime = 0
    return member


def _no_files() -> Mapping[str, Path]:
    return {}


def _zookeeper_jars() -> Mapping[str, Path]:
    return {"jars": maven.install_jars("zookeeper", ZOOKEEPER_JARS)}


def _kafka_jars() -> Mapping[str, Path]:
    return {"jars": maven.install_jars("kafka", KAFKA_JARS)}


def _etcd_programs() -> Mapping[str, Path]:
    programs = (golang.ETCD, golang.ETCDCTL, golang.ETCDUTL)
    return {f"bin/{program.name}": golang.install(program) for program in programs}


# By the last word of the image's name: whoever's registry it comes from, the stand-in is the same.
STAND_INS_BY_NAME = {
    "java": StandIn(STAND_INS / "java", BASE, _no_files),
    "zookeeper": StandIn(STAND_INS / "zookeeper", JAVA, _zookeeper_jars),
    "kafka": StandIn(STAND_INS / "kafka", JAVA, _kafka_jars),
    "etcd": StandIn(STAND_INS / "etcd", None, _etcd_programs),
    "prometheus": StandIn(STAND_INS / "prometheus", BASE, _no_files),
}


def provide(engine: Engine, image: str) -> str:
    """The image, present in the engine: found, pulled, or built. Several processes may ask at once."""
    if image == PRODUCT:
        with _locked(image):
            _build_product(engine)
        return image
    name = image.rpartition(":")[0].rpartition("/")[2]
    if image == BASE:
        with _locked(image):
            if not _is_present(engine, image) and not _is_pulled(engine, image):
                _check_may_build(engine, image)
                _import_base(engine, image)
        return image
    stand_in = STAND_INS_BY_NAME.get(name)
    with _locked(image):
        if _is_present(engine, image, stand_in.digest() if stand_in else None):
            return image
        if not image.startswith("zkbridge-stand-in/") and _is_pulled(engine, image):
            return image
        if stand_in is None:
            refuse(f"{image} can't be pulled, and the suite has no way to build it")
        _check_may_build(engine, image)
    # Outside of the lock: a base has a lock of its own.
    if stand_in.base is not None:
        provide(engine, stand_in.base)
    with _locked(image):
        if not _is_present(engine, image, stand_in.digest()):
            _build_stand_in(engine, image, stand_in)
    return image


def _is_present(engine: Engine, image: str, digest: str | None = None) -> bool:
    """Whether the engine has it: a public one, or a stand-in that was built from what is here now."""
    found = engine.run("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image)
    built_from = found.stdout.strip()
    return found.returncode == 0 and (digest is None or built_from in ("", "<no value>", digest))


def _is_pulled(engine: Engine, image: str) -> bool:
    pulled = engine.run("pull", "--quiet", image, timeout_s=PULL_TIMEOUT_S)
    _say(f"{image}: {'pulled' if pulled.returncode == 0 else 'no registry gives it'}")
    return pulled.returncode == 0


def _check_may_build(engine: Engine, image: str) -> None:
    if not (engine.is_ours or is_ci()):
        refuse(f"{image} can't be pulled, and a stand-in is not put into an engine that is not the suite's own")


def _import_base(engine: Engine, image: str) -> None:
    tarball = base_tarball(image.rpartition(":")[2].partition("-")[0])
    engine("import", "--change", 'CMD ["bash"]', str(tarball), image, timeout_s=BUILD_TIMEOUT_S)


def _build_stand_in(engine: Engine, image: str, stand_in: StandIn) -> None:
    with tempfile.TemporaryFile() as context:
        stand_in.write_context(context)
        context.seek(0)
        arguments = ["--tag", image, "--label", f"{LABEL}={stand_in.digest()}", "-"]
        _build(engine, image, arguments, context)


def _build_product(engine: Engine) -> None:
    assert DOCKERFILE.exists(), f"{DOCKERFILE} is missing"
    provide(engine, BASE)
    _build(engine, PRODUCT, ["--tag", PRODUCT, "--file", str(DOCKERFILE), str(TREE)], None)


def _build(engine: Engine, image: str, arguments: Sequence[str], context: IO[bytes] | None) -> None:
    """docker build, on the machine's own network: that of containers may have no way out. Its steps are shown."""
    command = [engine.docker, "build", "--network", "host", *arguments]
    environment = dict(os.environ)
    if engine.is_ours:
        # The builder that takes a base image from the engine and asks no registry for it.
        environment["DOCKER_BUILDKIT"] = "0"
    _say(f"building {image}")
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=context or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            if lines[-1].startswith("Step "):
                _say(f"  {image}: {lines[-1].strip()[:100]}")
        status = process.wait(BUILD_TIMEOUT_S)
    if status != 0:
        refuse(f"{image} could not be built: {''.join(lines)[-4000:]}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _locked(image: str) -> Iterator[None]:
    folder = cache_dir() / "docker"
    folder.mkdir(exist_ok=True)
    with open(folder / f"{image.replace('/', '_')}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(names: Sequence[str]) -> int:
    """Provide the images that are named, or all that the suite builds; the exit status."""
    try:
        with running_engine() as engine:
            for image in names or (PRODUCT, ZOOKEEPER, KAFKA):
                provide(engine, image)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        _say(str(missing))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
