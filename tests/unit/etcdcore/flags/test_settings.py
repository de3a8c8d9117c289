"""Values become a configuration; what has no effect is said, what is not supported is refused."""

import dataclasses

import pytest

from etcdcore.config import ConfigError, DiscoveryConfig, ServerConfig, TlsConfig
from etcdcore.flags.settings import Settings, build_settings
from etcdcore.flags.table import FLAGS, REFUSED, WORKS
from etcdcore.flags.values import Value, parse_value


def _build(**values: Value) -> Settings:
    return build_settings({name.replace("_", "-"): value for name, value in values.items()}, [])


@pytest.mark.parametrize("flag", [flag for flag in FLAGS.values() if flag.field], ids=lambda flag: flag.name)
def test_a_working_flag_fills_a_setting_that_has_the_flags_default(flag: object) -> None:
    from etcdcore.flags.table import Flag

    assert isinstance(flag, Flag)
    room, _, key = flag.field.rpartition(".")
    owner = DiscoveryConfig() if room == "discovery" else TlsConfig() if room else ServerConfig()
    assert key in {field.name for field in dataclasses.fields(owner)}
    if flag.name not in ("feature-gates", "initial-cluster", "log-rotation-config-json"):
        assert getattr(owner if room else build_settings({}, []).config, key) == parse_value(flag.kind, flag.default)


@pytest.mark.parametrize("flag", [flag.name for flag in FLAGS.values() if flag.fate == REFUSED])
def test_a_refused_flag_is_taken_with_its_default_and_refused_with_a_reason_otherwise(flag: str) -> None:
    default = parse_value(FLAGS[flag].kind, FLAGS[flag].default)
    build_settings({flag: default}, [])
    other: Value = (not default) if isinstance(default, bool) else ("x",) if isinstance(default, tuple) else "x"
    with pytest.raises(ConfigError, match=f"--{flag} is not supported: .{{20,}}"):
        build_settings({flag: other}, [])


def test_discovery_takes_the_place_of_the_initial_cluster_and_its_token() -> None:
    discovery: dict[str, Value] = {"discovery-token": "t", "discovery-endpoints": ("a:1",)}
    config = build_settings(discovery | {"initial-cluster": "default=http://localhost:2380"}, []).config
    assert (config.initial_cluster, config.member().cluster_token) == ("", "t")
    with pytest.raises(ConfigError, match="multiple discovery or bootstrap flags are set"):
        build_settings(discovery | {"initial-cluster": "default=http://a:1"}, [])
    for half in discovery:
        with pytest.raises(ConfigError, match="both --discovery-token and --discovery-endpoints must be set"):
            build_settings({half: discovery[half]}, [])
    with pytest.raises(ConfigError, match="must not contain empty endpoints"):
        build_settings(discovery | {"discovery-endpoints": ("a:1", " ")}, [])


def test_a_flag_without_effect_says_why_in_the_log() -> None:
    settings = build_settings({"max-wals": 9, "name": "x"}, [])
    assert settings.notes == ("--max-wals has no effect: no log file is kept longer than a restart may need it",)


def test_every_renamed_flag_leads_to_one_that_is_there() -> None:
    for flag in FLAGS.values():
        if flag.renamed and not flag.renamed.startswith("feature-gates:"):
            assert FLAGS[flag.renamed].kind == flag.kind, flag.name
        elif flag.renamed:
            assert flag.fate == WORKS


def test_an_old_name_works_and_both_names_together_are_refused() -> None:
    """kubeadm sets --experimental-watch-progress-notify-interval."""
    settings = _build(experimental_watch_progress_notify_interval=5.0)
    assert settings.config.watch_progress_notify_interval_s == 5.0
    with pytest.raises(ConfigError, match="please use --watch-progress-notify-interval only"):
        _build(experimental_watch_progress_notify_interval=5.0, watch_progress_notify_interval=6.0)


def test_gates_come_from_their_flag_and_from_old_names() -> None:
    settings = _build(feature_gates=("InitialCorruptCheck=true",), experimental_compact_hash_check_enabled=True)
    assert settings.config.feature_gates == ("CompactHashCheck", "InitialCorruptCheck", "TxnModeWriteWithSharedBuffer")
    with pytest.raises(ConfigError, match="unrecognized feature gate Nothing"):
        _build(feature_gates=("Nothing=true",))
    with pytest.raises(ConfigError, match="missing bool value"):
        _build(feature_gates=("InitialCorruptCheck",))
    with pytest.raises(ConfigError, match="LeaseCheckpoint=true is not supported"):
        _build(feature_gates=("LeaseCheckpoint=true",))


def test_tls_settings_of_both_ports_go_to_both() -> None:
    settings = _build(cert_file="c", key_file="k", peer_cert_file="p", peer_key_file="k", tls_min_version="TLS1.3")
    assert (settings.config.client_tls.cert_file, settings.config.peer_tls.cert_file) == ("c", "p")
    assert settings.config.client_tls.min_version == settings.config.peer_tls.min_version == "TLS1.3"


def test_listening_elsewhere_without_saying_what_to_advertise_is_refused() -> None:
    with pytest.raises(ConfigError, match="--advertise-client-urls is required"):
        _build(listen_client_urls=("http://127.0.0.1:1",))
