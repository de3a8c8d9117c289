"""Lines of etcd's log that people and tools look for: etcd itself is asked, and ours says the same."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from etcdcore.flags.table import FLAGS
from integration.etcd.life.test_config_files import READY, START_S
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd
from integration.peers.process import wait_until

STARTING = "starting an etcd server"
# What differs between two servers of one machine anyway, and what is of Go.
OWN_VALUES = {
    "git-sha", "go-version", "data-dir", "member-dir", "initial-advertise-peer-urls", "listen-peer-urls",
    "advertise-client-urls", "listen-client-urls", "initial-cluster",
}  # fmt: skip
EXTRA = (
    "--max-wals=7", "--snapshot-catchup-entries=77", "--feature-gates=InitialCorruptCheck=true", "--cors=http://a:80",
    "--host-whitelist=b,a", "--auto-compaction-retention=90m", "--heartbeat-interval=50",
    "--election-timeout=1500", "--v2-deprecation=write-only-skip-check",
    "--corrupt-check-time=1m30s", "--max-learners=2", "--bootstrap-defrag-threshold-megabytes=100",
    "--snapshot-count=99",
)  # fmt: skip


def _lines(server: EtcdServer) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.child.log_text().splitlines() if line.startswith("{")]


def _said(kind: type[EtcdServer], folder: Path, flags: Sequence[str]) -> list[dict[str, object]]:
    """Until it is ready, or has ended."""
    server = kind(folder / kind.kind, flags, name="m1")
    try:
        server.child.spawn()
        wait_until(partial(_has_decided, server), START_S, f"{kind.kind} starts or ends")
        return _lines(server)
    finally:
        server.kill()


def _has_decided(server: EtcdServer) -> bool:
    return READY in server.child.log_text() or not server.child.is_running()


def _only(lines: list[dict[str, object]], message: str) -> dict[str, object]:
    found = [line for line in lines if line["msg"] == message]
    assert len(found) == 1, f"{len(found)} lines {message!r}"
    return found[0]


@pytest.mark.parametrize("flags", [(), EXTRA], ids=["defaults", "settings"])
def test_the_starting_line_has_every_setting_under_etcds_name(flags: tuple[str, ...], tmp_path: Path) -> None:
    theirs, ours = (_said(kind, tmp_path, flags) for kind in (RealEtcd, OurEtcd))
    real, found = _only(theirs, STARTING), _only(ours, STARTING)
    for key in ("ts", "caller"):
        del real[key], found[key]
    assert list(found) == list(real), "the same names in the same order"
    for key in real.keys() - OWN_VALUES:
        assert found[key] == real[key], key
    if flags:
        message = "Skipping defragmentation"
        skipped = _only(ours, message)
        assert list(skipped) == list(_only(theirs, message))
        assert skipped["experimental-bootstrap-defrag-threshold-bytes"] == 100 << 20


def test_a_flag_that_is_going_is_told_in_etcds_words(tmp_path: Path) -> None:
    """Those that etcd says nothing about have a line here all the same."""
    flags = ["--max-snapshots=5", "--v2-deprecation=gone"]
    for flag in FLAGS.values():
        if flag.renamed and "lease-checkpoint" not in flag.name:
            flags.append(f"--{flag.name}={flag.default}")
    theirs, ours = (_said(kind, tmp_path, flags) for kind in (RealEtcd, OurEtcd))
    expected = {str(line["msg"]) for line in theirs if "deprecated" in str(line["msg"])}
    assert len(expected) > 15
    warned = {str(line["msg"]) for line in ours if line["level"] == "warn"}
    assert expected <= warned


@pytest.mark.parametrize("flag", ["listen-metrics-urls", "listen-client-http-urls"])
def test_a_secure_url_without_certificates_is_blamed_on_its_flag(flag: str, tmp_path: Path) -> None:
    for kind in (RealEtcd, OurEtcd):
        lines = _said(kind, tmp_path, [f"--{flag}=https://127.0.0.1:1"])
        assert READY not in [line["msg"] for line in lines], kind
    assert f"--{flag} https://127.0.0.1:1 with the scheme https: --cert-file" in str(lines[-1]["error"])
