"""zoo.cfg: what becomes of each key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkbridge.zoo_cfg import java_int, read_zoo_cfg
from zkbridge.zoo_keys import KEYS, Kind, Outcome, ZooKey, find_key


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_one_kind_of_error(text: str) -> None:
    try:
        cfg = read_zoo_cfg(text)
    except ValueError:
        return
    assert all(find_key(name) is not None for name in cfg.settings)


def test_understood_keys_keep_their_text_and_may_be_written_as_system_properties() -> None:
    cfg = read_zoo_cfg("tickTime=500 \nzookeeper.DigestAuthenticationProvider.superDigest=a:b\nzookeeper.skipACL=yes")
    assert cfg.settings == {
        "tickTime": "500",
        "DigestAuthenticationProvider.superDigest": "a:b",
        "skipACL": "yes",
    }
    assert cfg.refusals == cfg.warnings == ()


def test_keys_without_effect_are_told_by_reason_in_one_line_each() -> None:
    text = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\nsnapCount=9\n"
    cfg = read_zoo_cfg(f"{text}autopurge.purgeInterval=1\nzookeeper.preAllocSize=7")
    assert cfg.refusals == cfg.warnings == ()
    assert [note.split(": ")[0] for note in cfg.notes] == [
        "initLimit, syncLimit",
        "snapCount, autopurge.purgeInterval, zookeeper.preAllocSize",
    ]
    assert cfg.notes[1].partition(": ")[2].startswith("no effect here: the store under the znodes has its own log")


def test_no_key_stands_twice_in_the_table() -> None:
    names = [key.name for key in KEYS]
    assert len(names) == len(set(names))


SAMPLES = {Kind.INT: "1", Kind.LONG: "1", Kind.PROPERTY_INT: "1", Kind.BOOL: "true", Kind.TRUE: "true", Kind.YES: "yes"}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_each_key_of_the_table_becomes_what_the_table_says(key: ZooKey) -> None:
    """A value that ZooKeeper takes: the key is read, or told to be without effect, or refused; never more than one."""
    name = key.name[:-1] + "1" if key.name.endswith((".N", ".*")) else key.name
    value = key.choices[0] if key.choices else SAMPLES.get(key.kind, "v")
    cfg = read_zoo_cfg(f"{name}={value}")
    assert find_key(name) is key
    assert cfg.warnings == ()
    assert bool(cfg.notes) == (key.outcome is Outcome.NO_EFFECT)
    assert (len(cfg.refusals), cfg.settings) == (
        (1, {}) if key.outcome is Outcome.REFUSED else (0, {name: value})
    )
    assert not key.text.endswith(".") or key.outcome is Outcome.WORKS


@pytest.mark.parametrize(
    "line",
    [
        "secureClientPort=2281",
        "ssl.keyStore.location=/k",
        "zookeeper.ssl.trustStore.location=/k",
        "client.portUnification=true",
        "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
        "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
        "superUser=joe",
        "X509AuthenticationProvider.superUser=CN=joe",
        "sessionRequireClientSASLAuth=true",
        "audit.enable=true",
        "zookeeper.audit.enable=TRUE",
        "authProvider=a.B",
        "admin.needClientAuth=true",
        "metricsProvider.httpsPort=7001",
        "admin.forceHttps=true",
    ],
)
def test_what_is_promised_and_not_done_is_refused_by_name(line: str) -> None:
    (refusal,) = read_zoo_cfg(line).refusals
    assert refusal.startswith(line.split("=")[0] + ": ")
    assert "support" in refusal


@pytest.mark.parametrize(
    "line",
    [
        "client.portUnification=False",
        "audit.enable=false",
        "sessionRequireClientSASLAuth=false",
        "admin.forceHttps=false",
        "authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
        "authProvider.2=org.apache.zookeeper.server.auth.IPAuthenticationProvider",
    ],
)
def test_what_the_bridge_does_anyway_may_be_asked_for(line: str) -> None:
    cfg = read_zoo_cfg(line)
    assert cfg.refusals == cfg.warnings == ()


def test_an_unknown_key_is_a_warning_that_names_it() -> None:
    cfg = read_zoo_cfg("tikTime=3")
    assert cfg.refusals == ()
    assert cfg.warnings == ("tikTime: the bridge doesn't know this key and ignores it",)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("autopurge.purgeInterval=1h", "autopurge.purgeInterval: '1h', expected a whole number"),
        ("snapCount=1h", ""),
        ("tickTime=99999999999", "tickTime: '99999999999', expected a whole number"),
        ("jvm.pause.warn-threshold.ms=99999999999", ""),
        ("tickTime=0x10", "tickTime: '0x10', expected a whole number"),
        ("tickTime= 7 ", ""),
        ("tickTime=+7", ""),
        ("localSessionsEnabled=yes", "localSessionsEnabled: 'yes', expected true or false"),
        ("localSessionsEnabled=TRUE", ""),
        ("electionAlg=2", "electionAlg: '2' is not known here; use 3"),
        ("peerType=voter", "peerType: 'voter' is not known here; use participant or observer"),
        ("serverCnxnFactory=a.B", "serverCnxnFactory: 'a.B' is not known here"),
    ],
)
def test_a_value_is_refused_where_zookeeper_refuses_it(line: str, refusal: str) -> None:
    """All of these are compared with ZooKeeper's own parser in integration/conformance/test_config_values.py."""
    refusals = read_zoo_cfg(line).refusals
    assert len(refusals) == (1 if refusal else 0)
    assert not refusal or refusals[0].startswith(refusal)


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("maxCnxns=many", "maxCnxns: 'many' is not a whole number, so the default counts, as for ZooKeeper"),
        ("maxCnxns=0x10", ""),
        ("extendedTypesEnabled=yes", "extendedTypesEnabled: 'yes' is not `true`, so it counts as false"),
        ("skipACL=true", "skipACL: 'true' is not `yes`, so it counts as no"),
        ("skipACL=no", ""),
    ],
)
def test_a_value_that_zookeeper_passes_over_is_a_warning(line: str, warning: str) -> None:
    cfg = read_zoo_cfg(line)
    assert cfg.refusals == ()
    assert len(cfg.warnings) == (1 if warning else 0)
    assert not warning or cfg.warnings[0].startswith(warning)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("010", 8),
        ("0x10", 16),
        ("-#10", -16),
        ("08", None),
        ("7 ", None),
        ("", None),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
    ],
)
def test_numbers_of_system_properties_are_read_as_by_java(text: str, expected: int | None) -> None:
    """Source: java.lang.Integer.decode."""
    assert java_int(text) == expected
