"""A pytest plugin for kazoo's own suite: its managed ZooKeeper cluster is a server of ours instead.

Loaded with `-p integration.peers.kazoo_plugin` in the suite's own pytest process, before kazoo.testing is imported.
TLS and SASL are not offered: what needs them fails, and is listed where the suite is run.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path

from integration.peers.servers import ZooKeeperServer, target_class


class ManagedServer:
    """What the suite's tests do to one server: run, stop, reset, destroy, ask for its address."""

    def __init__(self, server: ZooKeeperServer) -> None:
        self.server = server

    @property
    def address(self) -> str:
        """host:port."""
        return self.server.address

    @property
    def secure_address(self) -> str:
        """There is no TLS port; nobody answers here."""
        return "127.0.0.1:1"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.server.child.is_running()

    @property
    def client_port(self) -> int:
        """The port for clients."""
        return self.server.port

    def run(self) -> None:
        """Start unless it runs."""
        if not self.running:
            self.server.start()

    def stop(self) -> None:
        """Stop, keep the data."""
        if self.running:
            self.server.stop()

    def destroy(self) -> None:
        """Stop for good."""
        self.stop()


class ZookeeperCluster:
    """The suite's cluster: one server in the folder that the runner has named."""

    _count = 0

    def __init__(
        self,
        configuration_entries: Sequence[str] = (),
        java_system_properties: Sequence[str] = (),
        **_: object,
    ) -> None:
        settings = dict(entry.split("=", 1) for entry in configuration_entries)
        for entry in java_system_properties:
            if entry.startswith("-Dzookeeper.DigestAuthenticationProvider."):
                key, value = entry.removeprefix("-Dzookeeper.").split("=", 1)
                settings[key] = value
        ZookeeperCluster._count += 1
        folder = Path(os.environ["ZKBRIDGE_KAZOO_FOLDER"]) / f"cluster{ZookeeperCluster._count}"
        self._servers = [ManagedServer(target_class()(folder, settings))]

    def __getitem__(self, number: int) -> ManagedServer:
        return self._servers[number]

    def __iter__(self) -> Iterator[ManagedServer]:
        return iter(self._servers)

    def start(self) -> None:
        """Start what does not run."""
        for server in self:
            server.run()

    def stop(self) -> None:
        """Stop all, keep the data."""
        for server in self:
            server.stop()

    def terminate(self) -> None:
        """Stop all for good; the suite may start them again."""
        self.stop()

    def get_logs(self) -> list[str]:
        """The last lines, which the suite prints for a failed test."""
        return [line for server in self for line in server.server.child.log_tail().splitlines(keepends=True)]

    def get_ssl_client_configuration(self) -> dict[str, bytes]:
        """There is no TLS port here."""
        raise RuntimeError("no TLS in this cluster")


replacement = types.ModuleType("kazoo.testing.common")
replacement.__dict__["ZookeeperCluster"] = ZookeeperCluster
sys.modules["kazoo.testing.common"] = replacement
