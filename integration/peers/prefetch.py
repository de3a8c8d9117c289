"""Fetches all peers into the cache, so that no test waits for a download: `python -m integration.peers.prefetch`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from integration.compose.engine import running_engine
from integration.compose.images import BASE, provide
from integration.docs.programs import CURATOR_JARS
from integration.etcd import go_tests
from integration.etcd.jetcd.test_jetcd import COORDINATES as JETCD_JARS
from integration.peers import golang, kazoo_suite, maven
from integration.peers.kafka import KAFKA_JARS
from integration.peers.requirements import require_java
from integration.peers.servers import ZOOKEEPER_JARS


def steps() -> list[tuple[str, Callable[[], object]]]:
    """What is fetched or built, in order, each with what is said of it before."""
    jars = (
        ("zookeeper", ZOOKEEPER_JARS),
        ("kafka", KAFKA_JARS),
        ("jetcd", JETCD_JARS),
        ("curator", CURATOR_JARS),
    )
    found: list[tuple[str, Callable[[], object]]] = [
        (f"jars of {name}, through Maven", partial(_jars, name, coordinates)) for name, coordinates in jars
    ]
    found.append(("kazoo's own tests", kazoo_suite.install))
    for program in golang.PROGRAMS:
        found.append((f"building {program.name} {program.version}", partial(golang.install, program)))
    for folder in golang.OWN_MODULES:
        found.append((f"building {folder.name}", partial(golang.build_module, folder)))
    found.append(("building the tests of etcd's client", go_tests.clientv3_binary))
    found.append(("building the tests of etcd's store", go_tests.store_binary))
    for suite in go_tests.APISERVER_SUITES:
        found.append((f"building the Kubernetes API server's tests of {suite}", partial(_apiserver_tests, suite)))
    found.append(("building the Kubernetes API server", go_tests.kube_apiserver))
    found.append(("building the images of the docker-compose suite", build_images))
    return found


def build_images() -> None:
    """The images of the docker-compose suite."""
    with running_engine() as engine:
        provide(engine, BASE)


def _jars(name: str, coordinates: Sequence[str]) -> None:
    require_java()
    maven.install_jars(name, coordinates)


def _apiserver_tests(suite: str) -> None:
    go_tests.apiserver_binary(suite)


def main() -> int:
    """The exit status: what can't be fetched is an error only where CI=true."""
    status = 0
    to_do = steps()
    for number, (what, fetch) in enumerate(to_do, 1):
        print(f"{number} of {len(to_do)}: {what}", flush=True)
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
