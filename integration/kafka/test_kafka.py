"""Kafka 3.9 brokers on the server under test, from the first topic to the loss of a controller (issue 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from integration.peers.kafka import KafkaBroker, KafkaCommands
from integration.peers.process import wait_until
from integration.peers.servers import ZooKeeperServer, target_class

CHROOT = "/kafka"
SESSION_TIMEOUT_S = 6.0
# ZooKeeper expires in steps of a tick (2 s); electing and moving leaders takes the new controller a moment.
TAKEOVER_SLACK_S = 9.0
RECORD_COUNT = 10_000
# What the brokers log as ERROR on a real ZooKeeper in this suite as well: (pattern, why).
ERRORS_OF_ZOOKEEPER_ITSELF = [
    (r"\[Broker id=\d\] Received LeaderAndIsrRequest .* the new leader -1 is unavailable", "killed: RF 1"),
    (
        r"\[Controller id=\d epoch=\d+\] .* failed to change state for partition .* from OfflinePartition",
        "killed: RF 1",
    ),
    (r"\[ReplicaFetcher .* Error (in|sending|for) ", "a follower asks the killed leader"),
]

pytestmark = pytest.mark.timeout(420)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The server, two brokers of which the second starts later, and an eye on the tree."""

    zookeeper: ZooKeeperServer
    brokers: list[KafkaBroker]
    commands: KafkaCommands
    folder: Path

    @property
    def first(self) -> KafkaBroker:
        """The broker that most tests ask."""
        return self.brokers[0]

    def read(self, path: str) -> tuple[dict[str, object], int]:
        """A JSON node below the chroot and its ephemeral owner; empty if there is none."""
        client = KazooClient(self.zookeeper.address + CHROOT, timeout=20)
        client.start(timeout=20)
        try:
            data, stat = client.get(path)
            value = json.loads(data)
            assert isinstance(value, dict)
            return value, int(stat.ephemeralOwner)
        except NoNodeError:
            return {}, 0
        finally:
            client.stop()
            client.close()

    def controller(self) -> int:
        """The broker id of the controller, -1 if there is none."""
        value, _ = self.read("/controller")
        found = value.get("brokerid", -1)
        assert isinstance(found, int)
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server with one running broker and a second one prepared."""
    folder = tmp_path_factory.mktemp("kafka")
    with target_class()(folder / "server") as server:
        connect = server.address + CHROOT
        brokers = [KafkaBroker(folder / f"broker{number}", number, connect) for number in range(2)]
        try:
            brokers[0].start()
            yield Cluster(server, brokers, KafkaCommands(folder / "commands"), folder)
        finally:
            for broker in brokers:
                broker.child.kill()


def describe(cluster: Cluster, topic: str) -> str:
    """kafka-topics --describe."""
    return cluster.commands.topics(cluster.first.address, "--describe", "--topic", topic)


def test_a_topic_with_three_partitions_carries_ten_thousand_records(cluster: Cluster) -> None:
    """Create a topic, produce and consume."""
    address = cluster.first.address
    cluster.commands.topics(address, "--create", "--topic", "numbers", "--partitions", "3", "--replication-factor", "1")
    assert "PartitionCount: 3" in describe(cluster, "numbers")
    cluster.commands.produce(address, "numbers", RECORD_COUNT)
    values = cluster.commands.consume(address, "numbers", RECORD_COUNT)
    assert sorted(map(int, values)) == list(range(RECORD_COUNT))


def test_topic_configs_are_altered_and_taken_back(cluster: Cluster) -> None:
    """The brokers hear of a changed config through a sequential notification node."""
    address, entity = cluster.first.address, ("--entity-type", "topics", "--entity-name", "numbers")
    cluster.commands.configs(address, *entity, "--alter", "--add-config", "retention.ms=123456")
    wait_until(
        lambda: "retention.ms=123456" in cluster.commands.configs(address, *entity, "--describe"), 30, "config set"
    )
    assert cluster.read("/config/topics/numbers")[0]["config"] == {"retention.ms": "123456"}
    wait_until(lambda: "retention.ms -> 123456" in cluster.first.child.log_text(), 30, "the broker takes the config")
    cluster.commands.configs(address, *entity, "--alter", "--delete-config", "retention.ms")
    assert cluster.read("/config/topics/numbers")[0]["config"] == {}


def test_partitions_are_added_to_a_topic(cluster: Cluster) -> None:
    """From three to five, and all five get a leader."""
    cluster.commands.topics(cluster.first.address, "--alter", "--topic", "numbers", "--partitions", "5")
    wait_until(lambda: len(re.findall(r"Leader: \d", describe(cluster, "numbers"))) == 5, 30, "five leaders")
    cluster.commands.produce(cluster.first.address, "numbers", 50)


def test_a_deleted_topic_is_gone_from_broker_and_tree(cluster: Cluster) -> None:
    """Deleting goes through /admin/delete_topics and recursive deletes."""
    cluster.commands.topics(cluster.first.address, "--delete", "--topic", "numbers")
    wait_until(
        lambda: "numbers" not in cluster.commands.topics(cluster.first.address, "--list").split(), 30, "topic deleted"
    )
    wait_until(lambda: cluster.read("/brokers/topics/numbers") == ({}, 0), 30, "topic gone from the tree")


def client_config(folder: Path, user: str, password: str) -> Path:
    """A client's properties for a SCRAM login."""
    path = folder / f"{user}.properties"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    path.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n"
        f'sasl.jaas.config={module} required username="{user}" password="{password}";\n'
    )
    return path


def test_scram_users_log_in_and_acls_decide_what_they_may(cluster: Cluster) -> None:
    """Users live in /config/users, ACLs in /kafka-acl; both reach the broker through watches."""
    commands, broker = cluster.commands, cluster.first
    commands.topics(broker.address, "--create", "--topic", "secrets", "--partitions", "1", "--replication-factor", "1")
    for user in ("alice", "mallory"):
        credential = f"SCRAM-SHA-256=[iterations=4096,password={user}-pw]"
        entity = ("--entity-type", "users", "--entity-name", user)
        commands.configs(broker.address, *entity, "--alter", "--add-config", credential)
    allow = ("--allow-principal", "User:alice", "--operation", "All", "--topic", "secrets")
    commands.acls(broker.address, "--add", *allow)
    group = ("--allow-principal", "User:alice", "--operation", "All", "--group", "*")
    commands.acls(broker.address, "--add", *group)
    wait_until(
        lambda: "User:alice" in commands.acls(broker.address, "--list", "--topic", "secrets"), 30, "the ACL is listed"
    )
    alice = client_config(cluster.folder, "alice", "alice-pw")
    commands.produce(broker.sasl_address, "secrets", 100, alice)
    values = commands.consume(broker.sasl_address, "secrets", 100, alice)
    assert sorted(map(int, values)) == list(range(100))
    mallory = client_config(cluster.folder, "mallory", "mallory-pw")
    arguments = ["--bootstrap-server", broker.sasl_address, "--topic", "secrets", "--max-messages", "1"]
    arguments += ["--producer.config", str(mallory)]
    refused = commands.run("org.apache.kafka.tools.VerifiableProducer", arguments, expect_success=False)
    assert "TopicAuthorizationException" in refused
    wrong = client_config(cluster.folder, "alice", "not-her-password")
    arguments[-1] = str(wrong)
    refused = commands.run("org.apache.kafka.tools.VerifiableProducer", arguments, expect_success=False)
    assert "SaslAuthenticationException" in refused
    commands.acls(broker.address, "--remove", "--force", *allow)
    assert "User:alice" not in commands.acls(broker.address, "--list", "--topic", "secrets")


def test_a_broker_goes_on_with_its_session_when_the_server_stops_and_starts(cluster: Cluster) -> None:
    """Stop and start the server under a running broker: same session, no new registration."""
    _, owner = cluster.read("/brokers/ids/0")
    assert owner != 0
    cluster.zookeeper.stop()
    cluster.zookeeper.start()
    address = cluster.first.address
    cluster.commands.topics(address, "--create", "--topic", "after", "--partitions", "2", "--replication-factor", "1")
    cluster.commands.produce(address, "after", 100)
    assert cluster.read("/brokers/ids/0")[1] == owner
    assert "Session expired" not in cluster.first.child.log_text()


def test_the_other_broker_takes_over_when_the_controller_is_killed(cluster: Cluster) -> None:
    """Two brokers, replication factor 2, kill -9: a new controller within the session timeout, the topic writable."""
    second = cluster.brokers[1]
    second.start()
    both = f"{cluster.first.address},{second.address}"
    cluster.commands.topics(both, "--create", "--topic", "pair", "--partitions", "4", "--replication-factor", "2")
    cluster.commands.produce(both, "pair", 1000)
    killed = cluster.controller()
    assert killed in (0, 1)
    survivor = cluster.brokers[1 - killed]
    cluster.brokers[killed].child.kill()
    wait_until(
        lambda: cluster.controller() == survivor.broker_id, SESSION_TIMEOUT_S + TAKEOVER_SLACK_S, "a new controller"
    )

    def leads_all() -> bool:
        text = cluster.commands.topics(survivor.address, "--describe", "--topic", "pair")
        return text.count(f"Leader: {survivor.broker_id}") == 4

    wait_until(leads_all, 60, "the survivor leads all partitions")
    cluster.commands.produce(survivor.address, "pair", 1000)
    cluster.brokers[killed].start()
    wait_until(lambda: cluster.read(f"/brokers/ids/{killed}")[1] != 0, 30, "the killed broker is back")
    # The consumer's group lives on the first broker, so what was written meanwhile is read when both are back.
    values = cluster.commands.consume(survivor.address, "pair", 2000)
    assert sorted(map(int, values)) == sorted([*range(1000), *range(1000)])


def test_the_brokers_logged_no_error_that_zookeeper_would_not_have_caused(cluster: Cluster) -> None:
    """Runs last: what all the tests above left in the logs."""
    known = [re.compile(pattern) for pattern, _ in ERRORS_OF_ZOOKEEPER_ITSELF]
    errors = [error for broker in cluster.brokers for error in broker.errors()]
    assert [error for error in errors if not any(pattern.match(error) for pattern in known)] == []
