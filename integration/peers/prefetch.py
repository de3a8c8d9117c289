"""Fetches all peers into the cache, so that no test waits for a download: `python -m integration.peers.prefetch`."""

from __future__ import annotations

import shutil
import sys

from integration.peers import kazoo_suite, maven
from integration.peers.kafka import KAFKA_JARS
from integration.peers.requirements import is_ci
from integration.peers.servers import ZOOKEEPER_JARS


def main() -> int:
    """The exit status: what can't be fetched is an error only where CI=true."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        print("no Java or Maven: the tests against ZooKeeper and Kafka will be skipped", file=sys.stderr)
        return 1 if is_ci() else 0
    maven.install_jars("zookeeper", ZOOKEEPER_JARS)
    maven.install_jars("kafka", KAFKA_JARS)
    kazoo_suite.install()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
