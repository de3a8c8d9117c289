"""zoo.cfg: Java's properties syntax, and what becomes of each key (reference section 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkbridge.zoo_cfg import HARMLESS_KEYS, UNDERSTOOD_KEYS, parse_properties, read_zoo_cfg


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("a = b", {"a": "b"}),
        ("  a:b", {"a": "b"}),
        ("a b c", {"a": "b c"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a==b", {"a": "=b"}),
        ("# c\n! d\n\n \t\na=b", {"a": "b"}),
        ("a=b # no comment", {"a": "b # no comment"}),
        ("a=b\r\nc=d\re=f", {"a": "b", "c": "d", "e": "f"}),
        ("a=b\\\n   c", {"a": "bc"}),
        ("a=b\\\\\nc=d", {"a": "b\\", "c": "d"}),
        ("a=b\\\n# no comment", {"a": "b# no comment"}),
        ("a\\=b\\:c\\ d=e", {"a=b:c d": "e"}),
        ("a=\\t\\n\\q\\u00e9", {"a": "\t\nqé"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=b\\", {"a": "b"}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, expected: dict[str, str]) -> None:
    """Source: java.util.Properties.load."""
    assert parse_properties(text) == expected


def test_a_broken_escape_is_an_error_as_in_java() -> None:
    with pytest.raises(ValueError, match="four hexadecimal digits"):
        parse_properties("a=\\u12")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_one_kind_of_error(text: str) -> None:
    try:
        cfg = read_zoo_cfg(text)
    except ValueError:
        return
    assert set(cfg.settings) <= UNDERSTOOD_KEYS


def test_understood_keys_keep_their_text_and_may_be_written_as_system_properties() -> None:
    cfg = read_zoo_cfg("tickTime=500 \nzookeeper.DigestAuthenticationProvider.superDigest=a:b\nzookeeper.skipACL=yes")
    assert cfg.settings == {
        "tickTime": "500",
        "DigestAuthenticationProvider.superDigest": "a:b",
        "skipACL": "yes",
    }
    assert cfg.refusals == cfg.warnings == ()


def test_the_sample_file_of_zookeeper_passes_without_a_word() -> None:
    text = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\nsnapCount=9\n"
    cfg = read_zoo_cfg(text)
    assert cfg.refusals == cfg.warnings == ()


@pytest.mark.parametrize("key", sorted(HARMLESS_KEYS))
def test_harmless_keys_are_taken_silently(key: str) -> None:
    cfg = read_zoo_cfg(f"{key}=1")
    assert (cfg.settings, cfg.refusals, cfg.warnings) == ({}, (), ())


@pytest.mark.parametrize(
    "line",
    [
        "secureClientPort=2281",
        "ssl.keyStore.location=/k",
        "zookeeper.ssl.trustStore.location=/k",
        "ssl.quorum.keyStore.location=/k",
        "client.portUnification=true",
        "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
        "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
        "superUser=joe",
        "X509AuthenticationProvider.superUser=CN=joe",
        "ensembleAuthName=e",
        "readonlymode.enabled=true",
        "sessionRequireClientSASLAuth=true",
        "enforce.auth.enabled=true",
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
        "readonlymode.enabled=False",
        "sessionRequireClientSASLAuth=false",
        "enforce.auth.enabled=false",
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
