"""Programs from the Go module proxy, and Go modules of ours, built into the cache once and with one Go.

Every build uses a Go that is new enough for the newest of them. A machine whose package manager only has an older
one (Debian 12 has 1.19) fetches the toolchain with it: since Go 1.21 toolchains are modules on the proxy, and any Go
since 1.11 can download a module. The older Go's unpacking drops the executable bits, so they are set again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from integration.peers.requirements import cache_dir, refuse, require_program

GO_MIN = (1, 26)
TOOLCHAIN_VERSION = "1.26.8"
GO_TIMEOUT_S = 1800
# What a toolchain runs of itself.
TOOLCHAIN_PROGRAMS = ("bin/*", "pkg/tool/*/*")


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program of a published module. `package` is a main package inside the module or the module itself."""

    name: str
    module: str
    version: str
    package: str


def _program(name: str, module: str, version: str, folder: str = "") -> GoProgram:
    return GoProgram(name, module, version, f"{module}/{folder}" if folder else module)


ETCD_VERSION = "3.6.16"
# The next minor version: ours answers its clients too, and tests ask both.
ETCD_NEXT_VERSION = "3.7.3"
# The whole repository is published as a module too, but not at every patch release; the benchmark tool is only there.
BENCHMARK_VERSION = "3.6.8"
ETCD = _program("etcd", "go.etcd.io/etcd/server/v3", f"v{ETCD_VERSION}")
ETCDCTL = _program("etcdctl", "go.etcd.io/etcd/etcdctl/v3", f"v{ETCD_VERSION}")
ETCD_NEXT = _program("etcd", "go.etcd.io/etcd/server/v3", f"v{ETCD_NEXT_VERSION}")
ETCDCTL_NEXT = _program("etcdctl", "go.etcd.io/etcd/etcdctl/v3", f"v{ETCD_NEXT_VERSION}")
ETCDUTL = _program("etcdutl", "go.etcd.io/etcd/etcdutl/v3", f"v{ETCD_VERSION}")
BENCHMARK = _program("benchmark", "go.etcd.io/etcd/v3", f"v{BENCHMARK_VERSION}", "tools/benchmark")
BBOLT = _program("bbolt", "go.etcd.io/bbolt", "v1.4.3", "cmd/bbolt")
H2SPEC = _program("h2spec", "github.com/summerwind/h2spec", "v1.5.0", "cmd/h2spec")
PROGRAMS = (ETCD, ETCDCTL, ETCDUTL, ETCD_NEXT, ETCDCTL_NEXT, BENCHMARK, BBOLT, H2SPEC)
# Go modules of this repository with one main package, which suites and benchmarks run.
ZKLOAD = Path(__file__).parents[1] / "bench" / "zkload"
ECHOLOAD = Path(__file__).parents[1] / "etcd" / "http2" / "echoload"
OWN_MODULES = (ZKLOAD, ECHOLOAD)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    # The go line of a module must not start another download of a toolchain, nor a workspace file above us take part.
    return {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}


def _run(command: Sequence[str], folder: Path, what: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=GO_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        refuse(f"{what}: {' '.join(command)}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def _go_version(go: str, folder: Path) -> tuple[int, int]:
    found = re.search(r"go version go(\d+)\.(\d+)", _run([go, "version"], folder, "which Go is this"))
    assert found is not None, f"{go} version tells no version"
    return int(found[1]), int(found[2])


@cache
def require_go() -> str:
    """The path of a Go tool that is at least GO_MIN: the machine's, or one fetched with it."""
    go = require_program("go", "golang-go")
    base = cache_dir() / "go"
    base.mkdir(exist_ok=True)
    if _go_version(go, base) >= GO_MIN:
        return go
    fetched = base / f"toolchain-{TOOLCHAIN_VERSION}" / "bin" / "go"
    with _locked(base / "toolchain.lock"):
        if not fetched.exists():
            _fetch_toolchain(go, base, fetched.parents[1])
    return str(fetched)


def _fetch_toolchain(go: str, base: Path, toolchain: Path) -> None:
    system, processor = _run([go, "env", "GOOS", "GOARCH"], base, "which platform is this").split()
    module = f"golang.org/toolchain@v0.0.1-go{TOOLCHAIN_VERSION}.{system}-{processor}"
    found = json.loads(_run([go, "mod", "download", "-json", module], base, "no newer Go from the module proxy"))
    part = toolchain.with_name(f"{toolchain.name}.part{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    # The module cache is read-only, and what is under it belongs to Go alone.
    shutil.copytree(found["Dir"], part, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(part):
        os.chmod(folder, 0o755)
    for pattern in TOOLCHAIN_PROGRAMS:
        for program in part.glob(pattern):
            program.chmod(0o755)
    part.rename(toolchain)


def install(program: GoProgram) -> Path:
    """The path of a program's binary, built if it is not in the cache yet.

    Its own `go install` would refuse: the modules of etcd replace their siblings. So an empty module requires it.
    """
    binary = cache_dir() / "go" / f"{program.name}-{program.version}"
    with _locked(binary.with_name(f"{program.name}.lock")):
        if not binary.exists():
            go = require_go()
            work = binary.with_name(f"{binary.name}.part{os.getpid()}")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            (work / "go.mod").write_text(f"module zkbridge.peers/{program.name}\n\ngo {GO_MIN[0]}.{GO_MIN[1]}\n")
            what = f"could not build {program.name}"
            _run([go, "get", f"{program.package}@{program.version}"], work, what)
            _run([go, "build", "-buildvcs=false", "-o", "program", program.package], work, what)
            (work / "program").rename(binary)
            shutil.rmtree(work)
    return binary


def build_module(folder: Path, package: str = ".") -> Path:
    """The path of a binary of a Go module in this repository, built again whenever one of its files changed."""
    digest = hashlib.sha256(package.encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    binary = cache_dir() / "go" / f"{folder.name}-{digest.hexdigest()[:12]}"
    with _locked(binary.with_name(f"{folder.name}.lock")):
        if not binary.exists():
            part = binary.with_name(f"{binary.name}.part{os.getpid()}")
            command = [require_go(), "build", "-mod=readonly", "-buildvcs=false", "-o", str(part), package]
            _run(command, folder, f"could not build {folder.name}")
            part.rename(binary)
    return binary


def build_test(folder: Path, package: str = ".", replaced: Mapping[str, Mapping[str, Path]] | None = None) -> Path:
    """The path of the test binary of a package that a Go module in this repository contains or requires.

    `replaced`: of required modules, files that are ours instead, by their path in the module. Go replaces no single
    file of a published module, so the module is copied beside the binaries first.
    """
    digest = hashlib.sha256(package.encode())
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in (".go", ".mod", ".sum")]
    for ours in (replaced or {}).values():
        files += ours.values()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    name = folder.name if package == "." else package.replace("/", "_")
    binary = cache_dir() / "go" / f"{name}-{digest.hexdigest()[:12]}.test"
    with _locked(binary.with_name(f"{folder.name}.test.lock")):
        if not binary.exists():
            part = binary.with_name(f"{binary.name}.part{os.getpid()}")
            module_file = part.with_suffix(".mod")
            shutil.copy(folder / "go.mod", module_file)
            shutil.copy(folder / "go.sum", module_file.with_suffix(".sum"))
            what = f"could not build the tests of {package} in {folder.name}"
            for module, ours in (replaced or {}).items():
                copy = binary.with_name(f"{module.replace('/', '_')}-{digest.hexdigest()[:12]}")
                _copy_module(folder, module, copy, ours, what)
                _run([require_go(), "mod", "edit", "-replace", f"{module}={copy}", str(module_file)], folder, what)
            # -mod=mod, as the environment says: what has to be added to go.sum is added to the copy.
            command = [require_go(), "test", f"-modfile={module_file}", "-c", "-o", str(part), package]
            _run(command, folder, what)
            for rest in (module_file, module_file.with_suffix(".sum")):
                rest.unlink()
            part.rename(binary)
    return binary


def _copy_module(folder: Path, module: str, copy: Path, ours: Mapping[str, Path], what: str) -> None:
    _run([require_go(), "mod", "download", module], folder, what)
    original = _run([require_go(), "list", "-m", "-f", "{{.Dir}}", module], folder, what).strip()
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(original, copy, copy_function=shutil.copyfile)
    for parent, _, _ in os.walk(copy):
        os.chmod(parent, 0o755)
    for place, path in ours.items():
        assert (copy / place).exists(), f"{module} has no file {place}"
        shutil.copyfile(path, copy / place)
