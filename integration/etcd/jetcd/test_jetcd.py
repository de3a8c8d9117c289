"""jetcd, the Java client, on both servers: KV, leases, watches over a restart, locks, elections, maintenance, auth."""

import subprocess
from pathlib import Path

import pytest

from integration.etcd import go_tests
from integration.peers import maven
from integration.peers.etcd import EtcdServer
from integration.peers.requirements import require_program

COORDINATES = ("io.etcd:jetcd-core:0.8.5", "org.slf4j:slf4j-nop:2.0.16")
TIMEOUT_S = 240
CHECKS = 13


@pytest.mark.timeout(TIMEOUT_S + 300)
def test_jetcd_finds_what_it_expects(etcd: EtcdServer) -> None:
    java = require_program("java", "default-jdk-headless")
    jars = maven.install_jars("jetcd", COORDINATES)
    source = Path(__file__).with_name("JetcdCheck.java")
    with go_tests.control(etcd) as control_url:
        command = [java, "-cp", maven.classpath(jars), str(source), etcd.client_url, control_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert done.stdout.count("ok ") == CHECKS
