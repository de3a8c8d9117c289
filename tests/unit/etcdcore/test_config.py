"""A member's configuration is valid once it is built."""

from pathlib import Path

import pytest

from etcdcore import ConfigError, MemberConfig
from etcdcore.config import ServerConfig, TlsConfig, parse_url


def test_the_defaults_are_valid_and_keep_history_for_an_hour_and_a_million_revisions() -> None:
    config = MemberConfig(Path("data"))
    assert (config.compaction_retention_s, config.compaction_revisions_max) == (3600, 1_000_000)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("name", ""), ("tick_ms", 0), ("election_ticks", 1), ("segment_bytes", 10), ("compaction_retention_s", -1)],
)
def test_a_setting_out_of_its_bounds_is_refused_by_name(setting: str, value: str | int) -> None:
    with pytest.raises(ConfigError, match=f"{setting} must be"):
        MemberConfig(Path("data"), **{setting: value})  # type: ignore[arg-type]  # a wrong value is the point


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"cert_file": "c"}, "must both be given"),
        ({"min_version": "TLS1.1"}, "unexpected TLS version 'TLS1.1'"),
        ({"min_version": "TLS1.3", "max_version": "TLS1.2"}, "greater than max version"),
        ({"cipher_suites": ("X",)}, "unexpected TLS cipher suite 'X'"),
        ({"min_version": "TLS1.3", "cipher_suites": ("X",)}, "only TLS1.3"),
        ({"allowed_cns": ("a",), "allowed_hostnames": ("b",)}, "exclude each other"),
    ],
)
def test_tls_settings_that_cannot_work_are_refused(settings: dict[str, str], error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        TlsConfig(**settings)  # type: ignore[arg-type]  # of one type for each setting


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ftp://127.0.0.1:1", "scheme must be one of"),
        ("http://127.0.0.1", "must have a host and a port"),
        ("http://127.0.0.1:1/path", "must not have a path"),
        ("http://127.0.0.1:99999", "no URL"),
        ("unix://", "names a socket's path"),
    ],
)
def test_a_url_says_what_is_wrong_with_it(text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        parse_url(text)


def test_urls_are_read_and_written() -> None:
    for text in ("http://127.0.0.1:2379", "https://[::1]:1", "unix://etcd.sock", "unixs:///run/etcd.sock"):
        assert str(parse_url(text)) == text


@pytest.mark.parametrize(
    ("mode", "retention", "kept"),
    [
        ("periodic", "0", (0, 0)),
        ("periodic", "2", (7_200_000, 0)),
        ("periodic", "90s", (90_000, 0)),
        ("revision", "1000", (0, 1000)),
    ],
)
def test_retention_is_time_or_revisions(mode: str, retention: str, kept: tuple[int, int]) -> None:
    config = ServerConfig(auto_compaction_mode=mode, auto_compaction_retention=retention)
    assert config.compaction() == kept


def test_settings_that_no_server_could_run_with_are_refused() -> None:
    for settings, error in (
        ({"auto_compaction_mode": "daily"}, "auto-compaction-mode must be one of"),
        ({"auto_compaction_retention": "often"}, "no duration"),
        ({"auto_compaction_mode": "revision", "auto_compaction_retention": "1h"}, "number of revisions"),
        ({"election_timeout_ms": 400}, "5 times"),
        ({"listen_client_urls": ("http://example.net:1",)}, "IP address or localhost"),
        ({"max_txn_ops": 0}, "max-txn-ops must be"),
    ):
        with pytest.raises(ConfigError, match=error):
            ServerConfig(**settings)


def test_progress_intervals_that_make_no_sense_are_the_default_or_the_least() -> None:
    """Observed on etcd 3.6: 0s and -1s start with the default, 10ms with 100ms and a warning."""
    for given, taken in ((0.0, 600.0), (-1.0, 600.0), (0.01, 0.1), (0.1, 0.1), (5.0, 5.0)):
        assert ServerConfig(watch_progress_notify_interval_s=given).progress_interval_s == taken
