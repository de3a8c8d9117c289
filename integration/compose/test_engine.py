"""The ground of the suite: an engine whose containers reach each other, and whose published ports the host reaches."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from integration.compose.engine import Engine
from integration.compose.images import BASE, provide
from integration.peers.process import wait_until

START_TIMEOUT_S = 60
NAME = f"zkbridge-ground-{os.getpid()}"
# Answers each connection with a line; in the shell of the base image, which has no other program for it.
ANSWER = "perl -MIO::Socket -e '$s=IO::Socket::INET->new(LocalPort=>80,Listen=>5,ReuseAddr=>1) or die; \
while($c=$s->accept){print $c \"here\\n\";close $c}'"


@pytest.fixture(scope="module")
def answering(engine: Engine) -> Iterator[str]:
    """The name of a container that answers on port 80, which is also its name on a network of that name."""
    provide(engine, BASE)
    engine("network", "create", NAME)
    try:
        arguments = ["--name", NAME, "--network", NAME, "--publish", "127.0.0.1::80", BASE, "sh", "-c", ANSWER]
        engine("run", "--detach", "--init", *arguments)
        yield NAME
    finally:
        engine.run("rm", "--force", "--volumes", NAME)
        engine.run("network", "rm", NAME)


def test_a_container_reaches_another_one_by_its_name(engine: Engine, answering: str) -> None:
    script = f"exec 3<>/dev/tcp/{answering}/80; cat <&3"
    arguments = ["--rm", "--network", answering, BASE, "bash", "-c", script]

    def is_reached() -> bool:
        return engine.run("run", *arguments).stdout == "here\n"

    wait_until(is_reached, START_TIMEOUT_S, "a container reaches the other one")


def test_the_host_reaches_a_published_port(engine: Engine, answering: str) -> None:
    port = int(engine("port", answering, "80").splitlines()[0].rpartition(":")[2])

    def is_reached() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as conn:
                return conn.recv(100) == b"here\n"
        except OSError:
            return False

    wait_until(is_reached, START_TIMEOUT_S, "the host reaches the container")


def test_a_container_outside_of_a_network_does_not_find_its_names(engine: Engine, answering: str) -> None:
    found = engine.run("run", "--rm", BASE, "getent", "hosts", answering)
    assert found.returncode == 2
