"""The commands that the documents call, under their usual names in one folder: wrappers around the peers.

A reader has Kafka's and ZooKeeper's own archives with scripts in them; the tests have the same programs as jars.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from integration.peers import golang, maven
from integration.peers.kafka import JAVA_OPTIONS, KAFKA_JARS
from integration.peers.requirements import cache_dir, require_java
from integration.peers.servers import ZOOKEEPER_JARS

CURATOR_JARS = ("org.apache.curator:curator-recipes:5.9.0", "org.slf4j:slf4j-nop:2.0.13")
KAFKA_SCRIPTS = {
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-producer.sh": "kafka.tools.ConsoleProducer",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}
LOG4J = """log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""


def _write(folder: Path, name: str, command: Sequence[str]) -> None:
    script = folder / name
    script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)


def make_programs(folder: Path) -> None:
    """Fills `folder`, which goes in front of PATH."""
    folder.mkdir(parents=True)
    java = require_java()
    log4j = folder / "log4j.properties"
    log4j.write_text(LOG4J)
    options = [java, *JAVA_OPTIONS, f"-Dlog4j.configuration=file:{log4j}"]
    kafka = maven.classpath(maven.install_jars("kafka", KAFKA_JARS))
    for name, main_class in KAFKA_SCRIPTS.items():
        _write(folder, name, [*options, "-Xmx512m", "-cp", kafka, main_class])
    zookeeper = maven.classpath(maven.install_jars("zookeeper", ZOOKEEPER_JARS))
    _write(folder, "zkCli.sh", [*options, "-cp", zookeeper, "org.apache.zookeeper.ZooKeeperMain"])
    curator = maven.classpath(maven.install_jars("curator", CURATOR_JARS))
    _write(folder, "java-with-curator", [java, "-cp", curator])
    for program in (golang.ETCDCTL, golang.ETCDUTL):
        (folder / program.name).symlink_to(golang.install(program))
    for name in ("python", "python3", "zkbridge", "etcdcore", "pytest"):
        _write(folder, name, [str(Path(sys.executable).with_name(name))])


def environment(programs: Path, home: Path) -> dict[str, str]:
    """A plain user's: nothing of the caller's settings reaches what a page starts."""
    path = os.pathsep.join([str(programs), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "XDG_CACHE_HOME": str(cache_dir().parent)}
