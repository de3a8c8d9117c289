"""Configuration files that people have start both servers or neither: etcd is asked each time.

The sample is retyped from etcd's etcd.conf.yml.sample: the same keys and values in the same order.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from integration.peers import golang
from integration.peers.build import our_python
from integration.peers.process import ChildProcess, free_port, wait_until

READY = "ready to serve client requests"
START_S = 60.0
SAMPLE = """\
name: 'default'
data-dir: {folder}/data
wal-dir:
snapshot-count: 10000
heartbeat-interval: 100
election-timeout: 1000
quota-backend-bytes: 0
listen-peer-urls: http://localhost:{peer}
listen-client-urls: http://localhost:{client}
max-snapshots: 5
max-wals: 5
cors:
initial-advertise-peer-urls: http://localhost:{peer}
advertise-client-urls: http://localhost:{client}
discovery:
discovery-fallback: 'proxy'
discovery-proxy:
discovery-srv:
initial-cluster: default=http://localhost:{peer}
initial-cluster-token: 'etcd-cluster'
initial-cluster-state: 'new'
strict-reconfig-check: false
enable-pprof: true
proxy: 'off'
proxy-failure-wait: 5000
proxy-refresh-interval: 30000
proxy-dial-timeout: 1000
proxy-write-timeout: 5000
proxy-read-timeout: 0
client-transport-security:
  cert-file:
  key-file:
  client-cert-auth: false
  trusted-ca-file:
  auto-tls: false
peer-transport-security:
  cert-file:
  key-file:
  client-cert-auth: false
  trusted-ca-file:
  auto-tls: false
  allowed-cn:
  allowed-hostname:
self-signed-cert-validity: 1
log-level: debug
logger: zap
log-outputs: [stderr]
force-new-cluster: false
auto-compaction-mode: periodic
auto-compaction-retention: "1"
cipher-suites: [
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
]
tls-min-version: 'TLS1.2'
tls-max-version: 'TLS1.3'
"""
BASE = """\
name: m1
data-dir: {folder}/data
listen-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: m1=http://127.0.0.1:{peer}
"""
# What etcd 3.6 passes over, and ways to write values that it takes; no key twice in one file.
OLD_KEYS = BASE + "enable-v2: true\nproxy: 'off'\ndebug: true\nno-such-key: {a: [1]}\ncert-file: x\n5: 6\n? a\n: b\n"
TABS = BASE + "max-wals:\t6\t# c\nlog-outputs: [\tstderr ]\nmetrics: extended\t\n"
NUMBERS = BASE + (
    "max-wals: 5.0\nmax-snapshots: 1e1\nsnapshot-count: 0x2710\nmax-txn-ops: 0200\nmax-request-bytes: 1_500_000\n"
    "grpc-keepalive-timeout: 2e10\ngrpc-keepalive-interval: 20.0e+9\nbackend-batch-limit: !!int \"5\"\n"
    "bcrypt-cost: 99\nauth-token-ttl: 0\ncompaction-batch-limit: -1\nmax-concurrent-streams: 0\n"
)
OTHER_TYPES = BASE + (
    "pre-vote: yes\nstrict-reconfig-check: off\ninitial-cluster-token: 2020-01-01\nauto-compaction-retention: ''\n"
    "initial-cluster-state: ''\ncors: http://a:80\nhost-whitelist: a,b\nlog-outputs: []\ncipher-suites:\n"
    "client-transport-security:\nsocket-options:\n  reuse-port: true\nx: !foo bar\nv2-deprecation: not-yet\n"
)
LETTERS = BASE.replace("name:", "Name:").replace("data-dir:", "DATA-DIR:") + "max-wals: &x 5\nmax-snapshots: *x\n"
DOCUMENTS = "\ufeff" + BASE + "max-wals: 5\nmax-wals: 6\n---\nmax-wals: x\n"
JSON = (
    '{"name": "m1", "data-dir": "FOLDER/data", "listen-client-urls": "http://127.0.0.1:CLIENT", "zzz": null, '
    '"listen-peer-urls": "http://127.0.0.1:PEER", "initial-advertise-peer-urls": "http://127.0.0.1:PEER", '
    '"initial-cluster": "m1=http://127.0.0.1:PEER"}'
)
TAKEN: Mapping[str, str] = {
    "etcd's own sample": SAMPLE,
    "keys that nobody knows": OLD_KEYS,
    "tabs": TABS,
    "forms of numbers": NUMBERS,
    "other types": OTHER_TYPES,
    "letters of either case, and aliases": LETTERS,
    "a mark in front, a key twice, two documents": DOCUMENTS,
    "JSON": JSON,
}
REFUSED = (
    'max-wals: "5"',
    "max-wals: 5.5",
    "max-wals: -1",
    "max-wals: true",
    "max-wals: [5]",
    "max-wals: abc",
    "max-wals: !!str 5",
    "Max-Wals: x",
    "max-wals: 1:30",
    "max-wals: .inf",
    "\tmax-wals: 5",
    "max-concurrent-streams: 5000000000",
    "quota-backend-bytes: 99999999999999999999",
    'pre-vote: "true"',
    "pre-vote: 1",
    "pre-vote: maybe",
    "grpc-keepalive-timeout: 20s",
    'grpc-keepalive-timeout: "20000000000"',
    "initial-cluster-token: 5",
    "initial-cluster-token: true",
    "auto-compaction-retention: 1",
    "auto-compaction-mode: daily",
    'auto-compaction-mode: ""',
    "log-outputs: stderr",
    "log-outputs: [1]",
    "log-outputs: [default, stderr]",
    "cors: http://a",
    'cors: ["*"]',
    "cipher-suites: NONE",
    "cipher-suites: [NONE]",
    "listen-metrics-urls: [http://127.0.0.1:1]",
    "feature-gates: {InitialCorruptCheck: true}",
    "feature-gates: Nothing=true",
    "client-transport-security: x",
    "client-transport-security: []",
    "peer-transport-security:",
    "peer-transport-security: {allowed-cn: a}",
    'client-transport-security: {client-cert-auth: "true"}',
    "socket-options: {reuse-port: x}",
    "log-format: xml",
    "logger: capnslog",
    "initial-cluster-state: old",
    "heartbeat-interval: 0",
    "max-learners: -1",
    "compact-hash-check-time: 0",
    "corrupt-check-time: 1000\nexperimental-corrupt-check-time: 1000",
    "discovery-config: {token: x}",
    "discovery-config: 5",
    "tls-min-version: TLS1.1",
    "max-wals: 5\n- a",
    "auth-token: nothing",
)


def _command(kind: str) -> list[str]:
    return [str(golang.install(golang.ETCD))] if kind == "etcd" else [*our_python(), "-m", "etcdcore"]


def _child(kind: str, folder: Path, text: str) -> ChildProcess:
    """A server of its own folder and ports with that file, not started yet."""
    place = folder / kind
    place.mkdir()
    for name, value in (("folder", str(place)), ("client", str(free_port())), ("peer", str(free_port()))):
        text = text.replace("{" + name + "}", value).replace(name.upper(), value)
    path = place / "etcd.yaml"
    path.write_text(text, encoding="utf-8")
    return ChildProcess([*_command(kind), "--config-file", str(path)], place / "log")


def _has_decided(child: ChildProcess) -> bool:
    return READY in child.log_text() or not child.is_running()


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN.keys())
def test_a_file_that_etcd_starts_with_starts_ours(text: str, tmp_path: Path) -> None:
    children = [_child(kind, tmp_path, text) for kind in ("etcd", "etcdcore")]
    try:
        for child in children:
            child.spawn()
        for child in children:
            wait_until(partial(_has_decided, child), START_S, "the server starts or ends")
            assert READY in child.log_text(), child.log_tail()
    finally:
        for child in children:
            child.kill()


@pytest.mark.parametrize("line", REFUSED, ids=lambda line: line.replace("\n", " ").strip())
def test_a_file_that_etcd_refuses_is_refused_by_ours(line: str, tmp_path: Path) -> None:
    for kind in ("etcd", "etcdcore"):
        child = _child(kind, tmp_path, BASE + line + "\n")
        try:
            child.spawn()
            wait_until(partial(_has_decided, child), START_S, "the server starts or ends")
            assert not child.is_running(), f"{kind} starts with {line!r}"
        finally:
            child.kill()
        if kind == "etcdcore":
            said = child.log_text()
            assert "Traceback" not in said
            assert said.strip(), "a word of why"


def test_a_key_without_effect_is_named_in_the_log(tmp_path: Path) -> None:
    child = _child("etcdcore", tmp_path, OLD_KEYS)
    try:
        child.spawn()
        wait_until(partial(_has_decided, child), START_S, "the server starts or ends")
        for key in ("enable-v2", "proxy", "debug", "no-such-key"):
            assert f"key '{key}' of the configuration file is unknown and has no effect" in child.log_text()
        assert "belongs under client-transport-security" in child.log_text()
    finally:
        child.kill()
