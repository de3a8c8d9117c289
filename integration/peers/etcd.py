"""The etcd servers under test: the real one and etcdcore, started, stopped and killed the same way; and etcdctl."""

from __future__ import annotations

import os
import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
import pytest

from integration.peers import golang
from integration.peers.build import our_python
from integration.peers.process import ChildProcess, free_port, wait_until

START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 60
CHECK_PERF_TIMEOUT_S = 120
# Get of the key "health", which anybody may ask: etcdctl's own way to see whether a member serves.
RANGE = "/etcdserverpb.KV/Range"
RANGE_REQUEST = b"\x0a\x06health"
NOT_SERVING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files for TLS on the client port: who signs, the server's pair, and a client's pair if clients must have one."""

    authority: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path | None = None
    client_key: Path | None = None


class EtcdServer(ABC):
    """A server of etcd's v3 API on loopback ports, its data and log under one folder.

    `flags` are etcd's own, as a user writes them, and come after those that this class gives. A data folder that exists
    is opened as it is, so two servers one after the other can share one.
    """

    kind: str

    def __init__(
        self,
        folder: Path,
        flags: Sequence[str] = (),
        *,
        name: str = "default",
        data_dir: Path | None = None,
        certificates: Certificates | None = None,
        client_port: int | None = None,
        peer_port: int | None = None,
        initial_cluster: str | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.data_dir = data_dir or folder / "data"
        self.certificates = certificates
        self.client_port = client_port or free_port()
        self.peer_port = peer_port or free_port()
        command = [*self.program(), "--name", name, "--data-dir", str(self.data_dir)]
        command += ["--listen-client-urls", self.client_url, "--advertise-client-urls", self.client_url]
        command += ["--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url]
        command += ["--initial-cluster", initial_cluster or f"{name}={self.peer_url}"]
        if certificates is not None:
            command += ["--cert-file", str(certificates.server_certificate)]
            command += ["--key-file", str(certificates.server_key)]
            if certificates.client_certificate is not None:
                command += ["--client-cert-auth", "--trusted-ca-file", str(certificates.authority)]
        self.child = ChildProcess([*command, *flags], folder / "server.log")

    @abstractmethod
    def program(self) -> list[str]:
        """The command without its flags."""

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.client_port}"

    @property
    def client_url(self) -> str:
        """The one URL for clients."""
        return f"{'https' if self.certificates else 'http'}://{self.address}"

    @property
    def peer_url(self) -> str:
        """The one URL for members."""
        return f"http://127.0.0.1:{self.peer_port}"

    def channel(self) -> grpc.Channel:
        """A new grpcio channel of its own connection; the caller closes it."""
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        if self.certificates is None:
            return grpc.insecure_channel(self.address, options)
        files = self.certificates
        pair = (files.client_key, files.client_certificate)
        key, certificate = (path.read_bytes() if path is not None else None for path in pair)
        credentials = grpc.ssl_channel_credentials(files.authority.read_bytes(), key, certificate)
        return grpc.secure_channel(self.address, credentials, options)

    def start(self) -> None:
        """Start and wait until it serves."""
        self.child.spawn()
        self.wait_serving()

    def wait_serving(self) -> None:
        """Wait until a linearizable read is answered, be it by a refusal for want of a user."""
        try:
            wait_until(self._serves, START_TIMEOUT_S, f"{self.kind} answers")
        except AssertionError as error:
            raise AssertionError(f"{error}; log:\n{self.child.log_tail()}") from None

    def _serves(self) -> bool:
        if not self.child.is_running():
            raise AssertionError(f"{self.kind} ended while starting")
        with self.channel() as channel:
            ask = channel.unary_unary(RANGE)
            try:
                ask(RANGE_REQUEST, timeout=ANSWER_TIMEOUT_S)
            except grpc.RpcError as error:
                return error.code() not in NOT_SERVING
        return True

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        return self.child.terminate()

    def kill(self) -> None:
        """kill -9 and wait."""
        self.child.kill()

    def restart(self) -> None:
        """Stop if it runs, start on the same data and ports."""
        if self.child.is_running():
            self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(f"the end of {self.kind}'s log:\n{self.child.log_tail()}")
        self.child.kill()


class RealEtcd(EtcdServer):
    """etcd itself."""

    kind = "etcd"

    def program(self) -> list[str]:
        return [str(golang.install(golang.ETCD))]


class NextEtcd(EtcdServer):
    """etcd's next minor version, for what its clients may ask of ours."""

    kind = "etcd 3.7"

    def program(self) -> list[str]:
        return [str(golang.install(golang.ETCD_NEXT))]


class OurEtcd(EtcdServer):
    """etcdcore, as a user starts it."""

    kind = "etcdcore"

    def program(self) -> list[str]:
        return [*our_python(), "-m", "etcdcore", "serve"]


TARGETS: dict[str, type[EtcdServer]] = {"etcdcore": OurEtcd, "etcd": RealEtcd}


def target_names() -> list[str]:
    """The servers that a test with one server runs on: both, or with ZKBRIDGE_TEST_ETCD=etcdcore or etcd that one."""
    target = os.environ.get("ZKBRIDGE_TEST_ETCD", "both")
    if target == "both":
        return list(TARGETS)
    if target not in TARGETS:
        pytest.fail(f"ZKBRIDGE_TEST_ETCD is {target!r}, expected both, etcdcore or etcd", pytrace=False)
    return [target]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended."""

    status: int
    output: str
    errors: str

    def checked(self) -> str:
        """What it wrote to stdout; fails on any other exit status than 0."""
        assert self.status == 0, f"exit status {self.status}: {self.output[-2000:]}{self.errors[-2000:]}"
        return self.output


class Etcdctl:
    """etcd's own command line client on one server, or on a list of endpoints."""

    def __init__(self, endpoints: str, *flags: str) -> None:
        self.flags = [f"--endpoints={endpoints}", *flags]

    @classmethod
    def of(cls, server: EtcdServer, *flags: str) -> Self:
        """The client of a server, with the certificates that it asks for."""
        tls: list[str] = []
        if files := server.certificates:
            tls = [f"--cacert={files.authority}"]
            if files.client_certificate is not None:
                tls += [f"--cert={files.client_certificate}", f"--key={files.client_key}"]
        return cls(server.client_url, *tls, *flags)

    def command(self, *arguments: str) -> list[str]:
        """The full command, for those who start it themselves."""
        return [str(golang.install(golang.ETCDCTL)), *self.flags, *arguments]

    def run(self, *arguments: str, stdin: str = "", timeout_s: float = COMMAND_TIMEOUT_S) -> Answer:
        """Run to the end."""
        # No setting of the developer's own may reach it.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ETCDCTL_")}
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout_s,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def check_perf(self, load: str) -> list[str]:
        """A minute of `check perf`: its lines on throughput, slowest request, deviation, and all of it."""
        answer = self.run("check", "perf", f"--load={load}", timeout_s=CHECK_PERF_TIMEOUT_S)
        verdicts = re.findall(r"^(?:PASS|FAIL|Slowest|Stddev).*", answer.output, re.MULTILINE)
        assert len(verdicts) == 4, answer.output + answer.errors
        return verdicts

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What the command wrote to stdout; fails on any other exit status than 0."""
        return self.run(*arguments, stdin=stdin).checked()
