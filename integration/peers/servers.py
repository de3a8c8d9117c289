"""The servers under test: a real ZooKeeper and the bridge, started, stopped and killed the same way."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from integration.peers import maven
from integration.peers.build import our_python
from integration.peers.process import ChildProcess, ask_four_letters, free_port, wait_until
from integration.peers.requirements import require_java

ZOOKEEPER_VERSION = "3.9.4"
ZOOKEEPER_JARS = (
    f"org.apache.zookeeper:zookeeper:{ZOOKEEPER_VERSION}",
    "io.dropwizard.metrics:metrics-core:4.1.12.1",
    "org.xerial.snappy:snappy-java:1.1.10.5",
    "org.slf4j:slf4j-reload4j:2.0.13",
    "commons-cli:commons-cli:1.5.0",
    # Its metrics provider and its AdminServer, which does not start without these.
    f"org.apache.zookeeper:zookeeper-prometheus-metrics:{ZOOKEEPER_VERSION}",
    "org.eclipse.jetty:jetty-server:9.4.57.v20241219",
    "org.eclipse.jetty:jetty-servlet:9.4.57.v20241219",
    "com.fasterxml.jackson.core:jackson-databind:2.15.2",
)
START_TIMEOUT_S = 30.0
# Keys that ZooKeeper reads from bare system properties, where the bridge takes them from its file.
BARE_PROPERTIES = ("znode.container.", "jute.maxbuffer", "readonlymode.enabled", "zookeeper.")
DEFAULT_SETTINGS = {
    "tickTime": "2000",
    "4lw.commands.whitelist": "*",
    "admin.enableServer": "false",
    "extendedTypesEnabled": "true",
    "maxClientCnxns": "0",
}
LOG4J = """log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %-5p [%c{1}] %m%n
"""


class ZooKeeperServer(ABC):
    """A server of the ZooKeeper protocol on a loopback port, its data and log under one folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.settings = {**DEFAULT_SETTINGS, **(settings or {})}
        self.child = self.build_child()

    @abstractmethod
    def build_child(self) -> ChildProcess:
        """The process, not started yet; called once."""

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it serves."""
        self.child.spawn()
        self.wait_serving()

    def wait_serving(self) -> None:
        """Wait until ruok and srvr are answered by a server that serves."""

        def serves() -> bool:
            if not self.child.is_running():
                raise AssertionError(f"the server ended while starting; log:\n{self.child.log_tail()}")
            return ask_four_letters(self.port, "ruok") == "imok" and "Mode:" in ask_four_letters(self.port, "srvr")

        try:
            wait_until(serves, START_TIMEOUT_S, "the server answers")
        except AssertionError as error:
            raise AssertionError(f"{error}; log:\n{self.child.log_tail()}") from None

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        return self.child.terminate()

    def kill(self) -> None:
        """kill -9 and wait."""
        self.child.kill()

    def restart(self) -> None:
        """Stop if it runs, start on the same data and port."""
        if self.child.is_running():
            self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()


class RealZooKeeper(ZooKeeperServer):
    """ZooKeeper itself, standalone, in its own Java process."""

    def build_child(self) -> ChildProcess:
        java = require_java()
        jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        properties: list[str] = []
        lines = [f"dataDir={data}", f"clientPort={self.port}", "clientPortAddress=127.0.0.1"]
        for key, value in self.settings.items():
            if key.startswith(BARE_PROPERTIES):
                properties.append(f"-D{key}={value}")
            else:
                lines.append(f"{key}={value}")
        (self.folder / "zoo.cfg").write_text("\n".join(lines) + "\n")
        (self.folder / "log4j.properties").write_text(LOG4J)
        command = [java, "-Xmx1000m", f"-Dlog4j.configuration=file:{self.folder / 'log4j.properties'}", *properties]
        command += ["-cp", maven.classpath(jars), "org.apache.zookeeper.server.quorum.QuorumPeerMain"]
        return ChildProcess([*command, str(self.folder / "zoo.cfg")], self.folder / "server.log")


class Bridge(ZooKeeperServer):
    """The bridge with its embedded core, as a user starts it."""

    def build_child(self) -> ChildProcess:
        config = self.folder / "zoo.cfg"
        config.write_text("".join(f"{key}={value}\n" for key, value in self.settings.items()))
        command = [*our_python(), "-m", "zkbridge", "serve", "--data-dir", str(self.folder / "data")]
        command += ["--client-addr", self.address, "--config", str(config)]
        level = os.environ.get("ZKBRIDGE_TEST_LOG_LEVEL", "info")
        return ChildProcess([*command, "--log-level", level], self.folder / "server.log")


def target_class() -> type[ZooKeeperServer]:
    """The server that the suites run on: ours, or with ZKBRIDGE_TEST_TARGET=zookeeper the real one."""
    target = os.environ.get("ZKBRIDGE_TEST_TARGET", "bridge")
    if target == "zookeeper":
        return RealZooKeeper
    if target != "bridge":
        pytest.fail(f"ZKBRIDGE_TEST_TARGET is {target!r}, expected bridge or zookeeper", pytrace=False)
    return Bridge
