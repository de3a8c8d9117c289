"""A Docker engine for the suite: the one that answers already, or one of our own that is stopped after its last user.

By hand: `python -m integration.compose.engine start` keeps one running and says how to reach it, `stop` ends it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.peers.requirements import cache_dir, refuse

# Its socket's path has to be short, so it does not lie in the cache.
RUN_FOLDER = Path("/run/zkbridge-docker")
SOCKET = RUN_FOLDER / "docker.sock"
PID_FILE = RUN_FOLDER / "docker.pid"
LOG = RUN_FOLDER / "dockerd.log"
# Present as long as a person wants the engine to stay.
KEPT = RUN_FOLDER / "kept"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 30
COMMAND_TIMEOUT_S = 300
CONTROL_GROUPS = Path("/sys/fs/cgroup")
PACKAGES = "docker.io docker-compose iptables debootstrap"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers, and the programs that speak with it."""

    docker: str
    compose: tuple[str, ...]
    is_ours: bool

    def run(
        self, *arguments: str, stdin: bytes | None = None, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """One docker command to its end, whatever its exit status."""
        done = subprocess.run(
            [self.docker, *arguments], input=stdin, capture_output=True, timeout=timeout_s, check=False
        )
        output, errors = (stream.decode(errors="backslashreplace") for stream in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, output, errors)

    def __call__(self, *arguments: str, stdin: bytes | None = None, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """What one docker command wrote to stdout; fails on any other exit status than 0."""
        done = self.run(*arguments, stdin=stdin, timeout_s=timeout_s)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout.strip()


def _docker() -> str:
    found = shutil.which("docker")
    if found is None:
        refuse(f"docker is not installed (apt-get install {PACKAGES}, or `make test` as root does it)")
    return found


def _compose(docker: str) -> tuple[str, ...]:
    plugin = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return (docker, "compose")
    found = shutil.which("docker-compose")
    if found is None:
        refuse(f"neither docker compose nor docker-compose is installed (apt-get install {PACKAGES})")
    return (found,)


def _answers(docker: str, host: str | None) -> bool:
    command = [docker, *(["--host", host] if host else []), "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=ANSWER_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time starts or stops the engine."""
    RUN_FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(RUN_FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine that answers, for as long as the block runs; DOCKER_HOST leads to it."""
    docker = _docker()
    compose = _compose(docker)
    if _answers(docker, None):
        yield Engine(docker, compose, is_ours=os.environ.get("DOCKER_HOST") == f"unix://{SOCKET}")
        return
    if os.geteuid() != 0:
        refuse("no Docker engine answers, and only root can start one")
    RUN_FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = os.environ.get("DOCKER_HOST")
    with open(RUN_FOLDER / "users", "w") as users:
        # Every user holds a shared lock: the one that gets it alone at its end is the last.
        with _locked():
            fcntl.flock(users, fcntl.LOCK_SH)
            _start(docker)
        os.environ["DOCKER_HOST"] = f"unix://{SOCKET}"
        try:
            yield Engine(docker, compose, is_ours=True)
        finally:
            if before is None:
                del os.environ["DOCKER_HOST"]
            else:
                os.environ["DOCKER_HOST"] = before
            with _locked():
                if _is_last(users.fileno()) and not KEPT.exists():
                    _stop()


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(docker: str) -> None:
    if _answers(docker, f"unix://{SOCKET}"):
        return
    dockerd = shutil.which("dockerd")
    if dockerd is None:
        refuse(f"no Docker engine answers and dockerd is not installed (apt-get install {PACKAGES})")
    _mount_control_groups()
    if (pid := _dockerd_pid()) is not None:
        refuse(f"the engine with pid {pid} lives and does not answer; its log is {LOG}")
    PID_FILE.unlink(missing_ok=True)
    for flags, environment in _attempts():
        command = [dockerd, "--data-root", str(cache_dir() / "docker" / "engine"), "--host", f"unix://{SOCKET}"]
        command += ["--exec-root", str(RUN_FOLDER / "exec"), "--pidfile", str(PID_FILE), *flags]
        with open(LOG, "wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        if _wait_answer(docker, process):
            return
    end = LOG.read_text(errors="replace")[-3000:]
    refuse(f"dockerd does not start here, by no kind of iptables nor without; its log ends:\n{end}")


def _attempts() -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """How dockerd is tried, one after the other: what one kernel or sandbox has another one lacks."""
    # 1. As the machine's iptables does it.
    yield [], os.environ
    # 2. With the kernel's older interface, only for dockerd: the machine's own choice stays.
    legacy = shutil.which("iptables-legacy")
    if legacy is not None:
        programs = RUN_FOLDER / "bin"
        programs.mkdir(exist_ok=True)
        for name in ("iptables", "ip6tables"):
            program = programs / name
            program.unlink(missing_ok=True)
            program.symlink_to(Path(legacy).with_name(f"{name}-legacy"))
        yield [], {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    # 3. Without: networks of containers and published ports work, through Docker's proxy; only the way out does not.
    without = ["--iptables=false", "--ip-masq=false"]
    yield without, os.environ
    # 4. On a file system that overlays can't lie on.
    yield [*without, "--storage-driver=vfs"], os.environ


def _wait_answer(docker: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None:
        if _answers(docker, f"unix://{SOCKET}"):
            return True
        if time.monotonic() > deadline:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)
            return False
        time.sleep(0.1)
    return False


def _mount_control_groups() -> None:
    """A sandbox may have none mounted, and no container runs without."""
    if (CONTROL_GROUPS / "cgroup.controllers").exists() or (CONTROL_GROUPS / "devices").exists():
        return
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", str(CONTROL_GROUPS)], capture_output=True, check=False)


def _dockerd_pid() -> int | None:
    """The process of the pid file, if it is still an engine: numbers are used again."""
    try:
        pid = int(PID_FILE.read_text())
        # Empty for a process that has ended and that nobody has asked for yet.
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"dockerd" in command else None


def _stop() -> None:
    pid = _dockerd_pid()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _dockerd_pid() == pid:
        # It may be our child, and would stay in the table of processes.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            raise AssertionError(f"the engine with pid {pid} does not end; its log is {LOG}")
        time.sleep(0.05)


def main(words: Sequence[str]) -> int:
    """`start` or `stop` an engine that stays between runs."""
    if list(words) not in (["start"], ["stop"]):
        print("usage: python -m integration.compose.engine start|stop", file=sys.stderr)
        return 2
    if words[0] == "stop":
        with _locked():
            KEPT.unlink(missing_ok=True)
            _stop()
        return 0
    try:
        with running_engine() as engine:
            if engine.is_ours:
                KEPT.touch()
            print(f"export DOCKER_HOST={os.environ.get('DOCKER_HOST', '')}")
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
