"""Two servers with their monitoring open, ours and the real one, and the ways to ask them."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration.conformance.raw_client import EPHEMERAL, RawClient
from integration.peers.process import ask_four_letters, free_port
from integration.peers.servers import ZooKeeperServer

SESSION_TIMEOUT_MS = 600_000
PINGS = 2
"""That `work` sends."""
PROVIDER = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"


@dataclass(frozen=True)
class Answer:
    """What a port said over HTTP; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON of an admin command."""
        fields = json.loads(self.body)
        assert isinstance(fields, dict)
        return fields


@dataclass
class Monitored:
    """One server, its ports, and a client with a session whose work is the same on both."""

    server: ZooKeeperServer
    admin_port: int
    metrics_port: int
    clients: list[RawClient] = field(default_factory=list)

    def word(self, word: str) -> str:
        return ask_four_letters(self.server.port, word)

    def mntr(self) -> dict[str, str]:
        """Keys without `zk_`, values as printed."""
        return dict(re.findall(r"^zk_([^\t]+)\t(.*)$", self.word("mntr"), re.MULTILINE))

    def admin(self, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: str = "") -> Answer:
        return ask(self.admin_port, path, method, headers, body)

    def command(self, name: str) -> dict[str, Any]:
        """The fields of a command that must be answered with 200."""
        answer = self.admin(f"/commands/{name}")
        assert answer.status == 200 and answer.headers["content-type"] == "application/json", answer
        return answer.fields

    def metrics(self, path: str = "/metrics", method: str = "GET") -> Answer:
        return ask(self.metrics_port, path, method)


def ask(
    port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: str = ""
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body or None, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def monitored(
    kind: type[ZooKeeperServer], folder: Path, with_metrics: bool, settings: dict[str, str] | None = None
) -> Monitored:
    """Not started. Without the Prometheus provider, mntr is what ZooKeeper's default provider prints."""
    admin_port, metrics_port = free_port(), free_port()
    lines = {
        # Nobody pings for the clients, and a test may wait for a busy machine.
        "maxSessionTimeout": str(SESSION_TIMEOUT_MS),
        "admin.enableServer": "true",
        "admin.serverPort": str(admin_port),
        "admin.serverAddress": "127.0.0.1",
    }
    if with_metrics:
        lines["metricsProvider.className"] = PROVIDER
        lines["metricsProvider.httpPort"] = str(metrics_port)
        lines["metricsProvider.httpHost"] = "127.0.0.1"
    return Monitored(kind(folder, {**lines, **(settings or {})}), admin_port, metrics_port)


def work(server: Monitored) -> RawClient:
    """The same on each: reads and writes in two namespaces, events of all kinds, errors. The session stays open."""
    client, other = RawClient(server.server.port), RawClient(server.server.port)
    for each in (client, other):
        each.connect(timeout_ms=SESSION_TIMEOUT_MS)
    server.clients += [client, other]
    client.create("/jobs", b"w")
    for number in range(10):
        client.create(f"/jobs/n{number}", b"data" * number)
        client.set_data(f"/jobs/n{number}", b"x" * number)
        client.get_data(f"/jobs/n{number}")
        client.exists(f"/jobs/none{number}")
    client.children("/jobs")
    client.get_data("/")
    client.create("/lock", b"", flags=EPHEMERAL)
    for each in (client, other):
        each.get_data("/jobs", watch=True)
        each.children("/jobs", watch=True)
    client.exists("/jobs/new", watch=True)
    client.set_data("/jobs", b"changed")
    client.create("/jobs/new", b"n")
    client.get_data("/jobs/new", watch=True)
    client.delete("/jobs/new")
    client.get_data("/jobs", watch=True)
    client.exists("/none", watch=True)
    client.children("/", watch=True)
    for each in (client, other):
        each.taken_events()
    return client
