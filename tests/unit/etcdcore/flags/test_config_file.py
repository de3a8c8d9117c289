"""etcd's configuration file is read, with its sections and its nanoseconds."""

from pathlib import Path

import pytest

from etcdcore.config import CLIENT_URLS_DEFAULT, ConfigError
from etcdcore.flags.config_file import read_config_file
from etcdcore.flags.settings import build_settings
from etcdcore.flags.values import Value


def _read(tmp_path: Path, text: str, notes: list[str] | None = None) -> dict[str, Value]:
    path = tmp_path / "etcd.yaml"
    path.write_text(text)
    return read_config_file(path, notes if notes is not None else [])


def test_keys_are_flags_and_durations_are_nanoseconds(tmp_path: Path) -> None:
    values = _read(
        tmp_path,
        "name: s1\nheartbeat-interval: 200\nlisten-client-urls: http://a:1,http://b:2\n"
        "watch-progress-notify-interval: 5000000000\ngrpc-keepalive-timeout: 2e10\nlog-outputs: [stderr]\ncors:\n",
    )
    assert values == {
        "name": "s1",
        "heartbeat-interval": 200,
        "listen-client-urls": ("http://a:1", "http://b:2"),
        "watch-progress-notify-interval": 5.0,
        "grpc-keepalive-timeout": 20.0,
        "log-outputs": ("stderr",),
        "advertise-client-urls": CLIENT_URLS_DEFAULT,
    }


def test_discovery_has_sections_in_its_section(tmp_path: Path) -> None:
    """etcd's v3discovery.DiscoveryConfig and clientv3.ConfigSpec."""
    client = (
        "{endpoints: [a, b], dial-timeout: 1000000000, secure: {cacert: c, insecure-transport: false}, "
        "auth: {username: u, password: p}}"
    )
    values = _read(tmp_path, f"discovery-config: {{token: t, client: {client}}}")
    discovery = build_settings(values, []).config.discovery
    assert (discovery.token, discovery.endpoints, discovery.dial_timeout_s) == ("t", ("a", "b"), 1.0)
    assert (discovery.cacert, discovery.insecure_transport) == ("c", False)
    assert (discovery.user, discovery.password) == ("u", "p")


def test_json_is_yaml(tmp_path: Path) -> None:
    values = _read(tmp_path, '{"name": "s1", "force-new-cluster": true}')
    assert (values["name"], values["force-new-cluster"]) == ("s1", True)


def test_the_tls_sections_are_those_of_the_two_ports(tmp_path: Path) -> None:
    values = _read(
        tmp_path,
        "client-transport-security:\n  cert-file: c\n  client-cert-auth: true\n"
        "peer-transport-security:\n  cert-file: p\n  allowed-cn: [x]\n",
    )
    del values["advertise-client-urls"]
    assert values == {"cert-file": "c", "client-cert-auth": True, "peer-cert-file": "p", "peer-cert-allowed-cn": ("x",)}


def test_what_a_file_alone_can_say_of_clients_is_honoured(tmp_path: Path) -> None:
    values = _read(tmp_path, "client-transport-security:\n  allowed-cn: [x]\n")
    assert build_settings(values, []).config.client_tls.allowed_cns == ("x",)


def test_what_is_unknown_is_passed_over_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    values = _read(tmp_path, "nonsense-key: 1\ncert-file: x\nNAME: s1\nsocket-options: {other: 1}\n", notes)
    assert values["name"] == "s1" and "cert-file" not in values
    assert [note.split("'")[1] for note in notes] == ["nonsense-key", "cert-file", "socket-options: other"]
    assert "belongs under client-transport-security" in notes[1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("heartbeat-interval: fast", "heartbeat-interval: expected a whole number"),
        ("grpc-keepalive-timeout: 20s", "number of nanoseconds"),
        ("name: 5", "put quotes around it"),
        ("log-outputs: stderr", "expected a list"),
        ("pre-vote: 3", "pre-vote: expected true or false"),
        ("peer-transport-security: 5", "expected keys and values"),
        ("- a", "expected keys and values"),
        ("a: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_the_files_name(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error) as caught:
        _read(tmp_path, text)
    assert "etcd.yaml" in str(caught.value)
