"""Kafka 3.9 from its published jars: brokers in ZooKeeper mode, and Kafka's own commands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from integration.peers import maven
from integration.peers.process import ChildProcess, free_port, wait_until
from integration.peers.requirements import require_java

KAFKA_VERSION = "3.9.1"
KAFKA_JARS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    "org.slf4j:slf4j-reload4j:1.7.36",
)
START_TIMEOUT_S = 90.0
COMMAND_TIMEOUT_S = 120
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true")
LOG4J = """log4j.rootLogger={level}, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target={stream}
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""
SERVER_PROPERTIES = {
    "auto.create.topics.enable": "false",
    "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
    "group.initial.rebalance.delay.ms": "0",
    "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "log.cleaner.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "replica.lag.time.max.ms": "5000",
    "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "super.users": "User:ANONYMOUS",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.replication.factor": "1",
}


def _java(folder: Path, heap_mib: int, level: str, stream: str) -> list[str]:
    log4j = folder / f"log4j-{level}-{stream}.properties"
    log4j.write_text(LOG4J.format(level=level, stream=stream))
    jars = maven.install_jars("kafka", KAFKA_JARS)
    java = [require_java(), *JAVA_OPTIONS, f"-Xmx{heap_mib}m", f"-Dlog4j.configuration=file:{log4j}"]
    return [*java, "-cp", maven.classpath(jars)]


class KafkaBroker:
    """One broker, with a plain listener for tests and a SASL listener for SCRAM users."""

    def __init__(self, folder: Path, broker_id: int, zookeeper_connect: str, session_timeout_ms: int = 6000) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.broker_id = broker_id
        self.port = free_port()
        self.sasl_port = free_port()
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},SASL_PLAINTEXT://127.0.0.1:{self.sasl_port}"
        properties = {
            **SERVER_PROPERTIES,
            "broker.id": str(broker_id),
            "listeners": listeners,
            "log.dirs": str(folder / "data"),
            "zookeeper.connect": zookeeper_connect,
            "zookeeper.session.timeout.ms": str(session_timeout_ms),
        }
        config = folder / "server.properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        command = [*_java(folder, 512, "INFO", "System.out"), "kafka.Kafka", str(config)]
        self.child = ChildProcess(command, folder / "broker.log")

    @property
    def address(self) -> str:
        """host:port of the plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def sasl_address(self) -> str:
        """host:port of the listener for SCRAM users."""
        return f"127.0.0.1:{self.sasl_port}"

    def start(self) -> None:
        """Start and wait until the broker says it is up."""
        before = self._start_count()
        self.child.spawn()

        def is_up() -> bool:
            if not self.child.is_running():
                raise AssertionError(f"broker {self.broker_id} ended while starting:\n{self.child.log_tail(8000)}")
            return self._start_count() > before

        wait_until(is_up, START_TIMEOUT_S, f"broker {self.broker_id} starts; log: {self.child.log_tail()}")

    def _start_count(self) -> int:
        return self.child.log_text().count("] started (kafka.server.KafkaServer)")

    def errors(self) -> list[str]:
        """The messages logged as ERROR or FATAL, in order."""
        return re.findall(r"^\[[^\]]*\] (?:ERROR|FATAL) (.*)$", self.child.log_text(), re.MULTILINE)


class KafkaCommands:
    """Kafka's own command classes, each run in a Java process as its shell scripts do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self, main_class: str, arguments: Sequence[str], timeout_s: int = COMMAND_TIMEOUT_S, expect_success: bool = True
    ) -> str:
        """What the command wrote to stdout; fails on any other exit status than 0, unless that is expected."""
        command = [*_java(self.folder, 256, "WARN", "System.err"), main_class, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        if expect_success and done.returncode != 0:
            raise AssertionError(f"{main_class} {' '.join(arguments)}: {done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done.stdout if expect_success else done.stdout + done.stderr

    def topics(self, broker: str, *arguments: str) -> str:
        """kafka-topics."""
        return self.run("org.apache.kafka.tools.TopicCommand", ["--bootstrap-server", broker, *arguments])

    def configs(self, broker: str, *arguments: str) -> str:
        """kafka-configs."""
        return self.run("kafka.admin.ConfigCommand", ["--bootstrap-server", broker, *arguments])

    def acls(self, broker: str, *arguments: str) -> str:
        """kafka-acls."""
        return self.run("kafka.admin.AclCommand", ["--bootstrap-server", broker, *arguments])

    def produce(self, brokers: str, topic: str, count: int, client_config: Path | None = None) -> str:
        """kafka-verifiable-producer: the numbers 0 to count - 1, each acknowledged."""
        arguments = ["--bootstrap-server", brokers, "--topic", topic, "--max-messages", str(count), "--acks", "-1"]
        if client_config is not None:
            arguments += ["--producer.config", str(client_config)]
        return self.run("org.apache.kafka.tools.VerifiableProducer", arguments)

    def consume(self, brokers: str, topic: str, count: int, client_config: Path | None = None) -> list[str]:
        """kafka-console-consumer from the beginning: so many values, or what came within a time."""
        arguments = ["--bootstrap-server", brokers, "--topic", topic, "--from-beginning"]
        arguments += ["--max-messages", str(count), "--timeout-ms", "30000"]
        if client_config is not None:
            arguments += ["--consumer.config", str(client_config)]
        return self.run("org.apache.kafka.tools.consumer.ConsoleConsumer", arguments).splitlines()
