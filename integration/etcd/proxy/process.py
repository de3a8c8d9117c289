"""The gateway and the proxy under test, as processes in front of a server."""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from integration.peers.etcd import EtcdServer
from integration.peers.process import ChildProcess, free_port, wait_until


class Front:
    """Something that listens for clients of etcd."""

    def __init__(self, child: ChildProcess, port: int) -> None:
        self.child = child
        self.port = port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)])

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def metric(self, name: str) -> int:
        return metric(self.page("/proxy/metrics"), name)


def metric(page: str, name: str) -> int:
    """The sum over all labels; 0 when nothing of that name is there."""
    found = [line for line in page.splitlines() if line.split("{")[0].split(" ")[0] == name]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in found))


@contextmanager
def front(folder: Path, kind: str, servers: list[EtcdServer], *flags: str) -> Iterator[Front]:
    """`kind` is a command of etcdcore: gateway or grpc-proxy."""
    port = free_port()
    endpoints = ",".join(server.address for server in servers)
    command = [sys.executable, "-m", "etcdcore", kind, "start", "--endpoints", endpoints]
    child = ChildProcess([*command, "--listen-addr", f"127.0.0.1:{port}", *flags], folder / f"{kind}.log")
    child.spawn()
    started = Front(child, port)
    try:
        wait_until(lambda: "listening on" in child.log_tail(), 20, f"{kind} listens")
        yield started
    except BaseException:
        print(f"the end of the {kind}'s log:\n{child.log_tail()}")
        raise
    finally:
        child.kill()
