"""etcd's configuration file is read, with its sections and its nanoseconds."""

from pathlib import Path

import pytest

from etcdcore.config import ConfigError
from etcdcore.flags.config_file import read_config_file
from etcdcore.flags.values import Value


def _read(tmp_path: Path, text: str) -> dict[str, Value]:
    path = tmp_path / "etcd.yaml"
    path.write_text(text)
    return read_config_file(path)


def test_keys_are_flags_and_durations_are_nanoseconds_or_text(tmp_path: Path) -> None:
    values = _read(
        tmp_path,
        "name: s1\nheartbeat-interval: 200\nlisten-client-urls: http://a:1,http://b:2\n"
        "watch-progress-notify-interval: 5000000000\ngrpc-keepalive-timeout: 20s\nlog-outputs: [stderr]\ncors:\n",
    )
    assert values == {
        "name": "s1",
        "heartbeat-interval": 200,
        "listen-client-urls": ("http://a:1", "http://b:2"),
        "watch-progress-notify-interval": 5.0,
        "grpc-keepalive-timeout": 20.0,
        "log-outputs": ("stderr",),
    }


def test_json_is_yaml(tmp_path: Path) -> None:
    assert _read(tmp_path, '{"name": "s1", "force-new-cluster": true}') == {"name": "s1", "force-new-cluster": True}


def test_the_tls_sections_are_those_of_the_two_ports(tmp_path: Path) -> None:
    values = _read(
        tmp_path,
        "client-transport-security:\n  cert-file: c\n  client-cert-auth: true\n"
        "peer-transport-security:\n  cert-file: p\n  allowed-cn: [x]\n",
    )
    assert values == {"cert-file": "c", "client-cert-auth": True, "peer-cert-file": "p", "peer-cert-allowed-cn": ("x",)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nonsense-key: 1", "nonsense-key: unknown key"),
        ("heartbeat-interval: fast", "invalid value 'fast'"),
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
