"""The etcd peers themselves: what the suites stand on starts, answers and stops."""

from __future__ import annotations

import subprocess

import pytest

from integration.peers import golang
from integration.peers.etcd import Etcdctl, EtcdServer, RealEtcd


def test_the_oracle_is_really_etcd(real_etcd: RealEtcd) -> None:
    """All comparisons are with the pinned etcd, through the etcdctl of the same version."""
    etcdctl = Etcdctl.of(real_etcd)
    assert f'"version":"{golang.ETCD_VERSION}"' in etcdctl("endpoint", "status", "-w", "json")
    assert f"etcdctl version: {golang.ETCD_VERSION}" in etcdctl("version")


def test_a_server_keeps_its_data_over_a_kill_and_over_a_stop(etcd: EtcdServer) -> None:
    """A crash and a restart on the same data and ports, as an operator sees it."""
    etcdctl = Etcdctl.of(etcd)
    etcdctl("put", "a", "1")
    etcd.kill()
    etcd.start()
    etcdctl("put", "b", "2")
    etcd.stop()
    etcd.start()
    assert etcdctl("get", "", "--from-key") == "a\n1\nb\n2\n"


@pytest.mark.parametrize("program", golang.PROGRAMS, ids=lambda program: program.name)
def test_every_go_program_is_built_and_runs(program: golang.GoProgram) -> None:
    """A broken build shows here, not in the suite that needs it."""
    done = subprocess.run([golang.install(program), "--help"], capture_output=True, text=True, check=False)
    assert program.name in (done.stdout + done.stderr).lower()
