"""Fetches all peers into the cache, so that no test waits for a download: `python -m integration.peers.prefetch`."""

from __future__ import annotations

import sys

import pytest

from integration.compose.engine import running_engine
from integration.compose.images import BASE, provide
from integration.etcd import go_tests
from integration.etcd.jetcd.test_jetcd import COORDINATES as JETCD_JARS
from integration.peers import golang, kazoo_suite, maven
from integration.peers.kafka import KAFKA_JARS
from integration.peers.requirements import require_java, require_program
from integration.peers.servers import ZOOKEEPER_JARS


def fetch_java() -> None:
    """ZooKeeper, Kafka, jetcd and kazoo's suite."""
    require_java()
    require_program("mvn", "maven")
    maven.install_jars("zookeeper", ZOOKEEPER_JARS)
    maven.install_jars("kafka", KAFKA_JARS)
    maven.install_jars("jetcd", JETCD_JARS)
    kazoo_suite.install()


def build_go() -> None:
    """etcd, its tools, the Go programs of our own, and Go tests."""
    for program in golang.PROGRAMS:
        golang.install(program)
    for folder in golang.OWN_MODULES:
        golang.build_module(folder)
    go_tests.clientv3_binary()
    go_tests.store_binary()
    for suite in go_tests.APISERVER_SUITES:
        go_tests.apiserver_binary(suite)
    go_tests.kube_apiserver()


def build_images() -> None:
    """The images of the docker-compose suite."""
    with running_engine() as engine:
        provide(engine, BASE)


def main() -> int:
    """The exit status: what can't be fetched is an error only where CI=true."""
    status = 0
    for fetch in (fetch_java, build_go, build_images):
        try:
            fetch()
        except pytest.skip.Exception as missing:
            print(f"the tests that need it will be skipped: {missing}", file=sys.stderr)
        except pytest.fail.Exception as missing:
            print(missing, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
