"""A cluster of one put together through another etcd, the discovery cluster: etcd itself and ours do the same."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.peers.etcd import TARGETS, Certificates, Etcdctl, EtcdServer, OurEtcd, RealEtcd, target_names
from integration.peers.process import wait_until
from tests.certificates import Authority

REGISTRY = "/_etcd/registry"
END_S = 60


class _Discovered:
    """Starts servers with a token, without the flag that a server under test has otherwise."""

    def __init__(self, target: str, folder: Path, *flags: str) -> None:
        self.server: EtcdServer = TARGETS[target](folder, flags)
        at = self.server.child.command.index("--initial-cluster")
        del self.server.child.command[at : at + 2]

    def and_members(self) -> "_Discovered":
        """With the members named as well."""
        self.server.child.command.append(f"--initial-cluster=default={self.server.peer_url}")
        return self

    def refusal(self) -> str:
        """The log of a server that does not start."""
        child = self.server.child
        child.spawn()
        wait_until(lambda: not child.is_running(), END_S, "it ends")
        assert child.process is not None and child.process.returncode == 1
        return child.log_text()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcdctl]:
    with RealEtcd(tmp_path_factory.mktemp("registry")) as server:
        yield Etcdctl(server.client_url)


def _flags(registry: Etcdctl, token: str) -> list[str]:
    return ["--discovery-token", token, registry.flags[0].replace("--endpoints", "--discovery-endpoints")]


@pytest.mark.parametrize("target", target_names())
def test_a_member_registers_itself_and_starts(target: str, registry: Etcdctl, tmp_path: Path) -> None:
    token = f"start-{target}"
    members_key = f"{REGISTRY}/{token}/members"
    registry("put", f"{REGISTRY}/{token}/_config/size", "1")
    registry("put", f"{members_key}/junk", "no member's line")
    one = _Discovered(target, tmp_path / "one", *_flags(registry, token))
    with one.server as server:
        etcdctl = Etcdctl.of(server)
        assert etcdctl("put", "a", "b").strip() == "OK"
        listed = json.loads(etcdctl("member", "list", "-w", "json", "--hex"))
        found = registry("get", members_key, "--prefix").split("\n")
        # Told apart by their ids, which are made of the URLs and the token.
        assert found[:2] == [f"{members_key}/{listed['members'][0]['ID']}", f"default={server.peer_url}"]
        assert "discovery joined cluster successfully" in server.child.log_text()

        full = _Discovered(target, tmp_path / "two", *_flags(registry, token)).refusal()
        assert "failed to join discovery cluster (discovery: cluster is full" in full
        assert registry("get", members_key, "--prefix").split("\n") == found

        # With its data there, nobody is asked again.
        registry("del", f"{REGISTRY}/{token}/", "--prefix")
        server.restart()
        assert "discovery token is ignored since cluster already initialized" in server.child.log_text()
        assert etcdctl("get", "a", "--print-value-only").strip() == "b"


@pytest.mark.parametrize("target", target_names())
def test_a_token_without_a_usable_size_is_refused(target: str, registry: Etcdctl, tmp_path: Path) -> None:
    log = _Discovered(target, tmp_path / "none", *_flags(registry, f"none-{target}")).refusal()
    assert "failed to join discovery cluster (discovery: size key not found" in log
    registry("put", f"{REGISTRY}/bad-{target}/_config/size", "0")
    log = _Discovered(target, tmp_path / "bad", *_flags(registry, f"bad-{target}")).refusal()
    assert "failed to join discovery cluster (discovery: size key is bad" in log
    log = _Discovered(target, tmp_path / "half", "--discovery-token", "t").refusal()
    assert "both --discovery-token and --discovery-endpoints must be set" in log
    log = _Discovered(target, tmp_path / "both", *_flags(registry, "t")).and_members().refusal()
    assert "multiple discovery or bootstrap flags are set. Choose one of" in log


def test_a_cluster_of_several_is_refused_before_it_takes_a_place(registry: Etcdctl, tmp_path: Path) -> None:
    registry("put", f"{REGISTRY}/three/_config/size", "3")
    log = _Discovered("etcdcore", tmp_path / "one", *_flags(registry, "three")).refusal()
    assert "asks for 3 members, which is not supported" in log
    assert not registry("get", f"{REGISTRY}/three/members", "--prefix")


def test_a_discovery_cluster_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    with RealEtcd(tmp_path / "registry") as registry:
        Etcdctl.of(registry)("put", f"{REGISTRY}/late/_config/size", "1")
        registry.stop()
        flags = ["--discovery-token=late", "--discovery-request-timeout=1s"]
        flags.append(f"--discovery-endpoints={registry.address}")
        for is_stopped in (True, False):
            ours = _Discovered("etcdcore", tmp_path / "ours", *flags).server
            try:
                ours.child.spawn()
                wait_until(lambda: "retry connecting" in ours.child.log_text(), END_S, "it asks again")  # noqa: B023
                if is_stopped:
                    ours.stop()
                else:
                    registry.start()
                    ours.wait_serving()
            finally:
                ours.kill()


@pytest.mark.parametrize("how", ["verified", "skipped"])
@pytest.mark.parametrize("target", target_names())
def test_the_discovery_cluster_may_want_tls_and_a_user(target: str, how: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    pair, mine = authority.issue("server"), authority.issue("member", "")
    files = [Path(name) for name in (authority.ca_file, pair.cert_file, pair.key_file, mine.cert_file, mine.key_file)]
    with RealEtcd(tmp_path / "registry", certificates=Certificates(*files)) as registry:
        etcdctl = Etcdctl.of(registry)
        etcdctl("put", f"{REGISTRY}/t/_config/size", "1")
        for words in ("user add root:secret", "user grant-role root root", "auth enable"):
            etcdctl(*words.split())
        flags = ["--discovery-token=t", f"--discovery-endpoints={registry.client_url}", "--discovery-user=root"]
        flags += ["--discovery-password=secret", f"--discovery-cert={mine.cert_file}"]
        flags += [f"--discovery-key={mine.key_file}"]
        flags.append("--discovery-insecure-skip-tls-verify" if how == "skipped" else f"--discovery-cacert={files[0]}")
        with _Discovered(target, tmp_path / "one", *flags).server as server:
            assert Etcdctl.of(server)("put", "a", "b").strip() == "OK"
            if target == "etcdcore":  # etcd's log has its command line, the password with it
                assert "secret" not in server.child.log_text()
            members = etcdctl("get", f"{REGISTRY}/t/members", "--prefix", "--user=root:secret")
            assert f"default={server.peer_url}" in members


def test_ours_can_be_the_discovery_cluster(tmp_path: Path) -> None:
    with OurEtcd(tmp_path / "registry") as registry:
        Etcdctl.of(registry)("put", f"{REGISTRY}/t/_config/size", "1")
        flags = ["--discovery-token=t", f"--discovery-endpoints={registry.address}"]
        with _Discovered("etcd", tmp_path / "one", *flags).server as server:
            assert Etcdctl.of(server)("put", "a", "b").strip() == "OK"
