"""Servers whose counters stand where a test wants them: ZooKeeper in a JVM of ours, the bridge by its etcd port."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path

from integration.peers import maven
from integration.peers.process import ChildProcess, free_port
from integration.peers.requirements import require_java
from integration.peers.servers import ZOOKEEPER_JARS, Bridge
from zkbridge.keyspace.records import encode_children, encode_znode


class AgedServer(ABC):
    """A running server."""

    port: int

    @abstractmethod
    def age(self, path: str, created_count: int, version: int = 0, aversion: int = 0) -> None:
        """Set the counters of an open znode with no data: ZooKeeper's inner cversion, version and aversion."""

    @abstractmethod
    def stop(self) -> None: ...


class AgedZooKeeper(AgedServer):
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        self._folder = folder
        classpath = maven.classpath(maven.install_jars("zookeeper", ZOOKEEPER_JARS))
        program = Path(__file__).with_name("AgedServer.java")
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [require_java(), "-cp", classpath, program, folder, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._expect("ready")

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == word:
                return
        raise AssertionError(f"the server ended; see {self._folder}/server.log")

    def age(self, path: str, created_count: int, version: int = 0, aversion: int = 0) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path} {created_count} {version} {aversion}\n")
        self._process.stdin.flush()
        self._expect("done")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            assert stream is not None
            stream.close()


class _BridgeWithEtcd(Bridge):
    etcd_port: int

    def build_child(self) -> ChildProcess:
        self.etcd_port = free_port()
        child = super().build_child()
        child.command += ["--etcd-addr", f"127.0.0.1:{self.etcd_port}"]
        return child


class AgedBridge(AgedServer):
    def __init__(self, folder: Path) -> None:
        self._server = _BridgeWithEtcd(folder)
        self._server.start()
        self.port = self._server.port

    def put(self, key: bytes, value: bytes) -> None:
        """A foreign put, through etcd's JSON gateway."""
        body = json.dumps({"key": base64.b64encode(key).decode(), "value": base64.b64encode(value).decode()})
        url = f"http://127.0.0.1:{self._server.etcd_port}/v3/kv/put"
        with urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=30) as answer:
            answer.read()

    def age(self, path: str, created_count: int, version: int = 0, aversion: int = 0) -> None:
        self.put(b"/zk/n" + path.encode(), encode_znode(1, 1, version, b"", aversion))
        self.put(b"/zk/c" + path.encode(), encode_children(created_count))

    def restart(self) -> None:
        """On the same data."""
        self._server.restart()

    def stop(self) -> None:
        self._server.kill()
