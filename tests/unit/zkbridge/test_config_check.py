"""The report of `zkbridge config check`: one line of the file, one line of the report."""

from pathlib import Path

import pytest

from zkbridge.config import ConfigError
from zkbridge.config_check import Report, check_config, report_of
from zkbridge.zoo_cfg import read_zoo_cfg

BASE = "dataDir=/d\nclientPort=1\n"


def report(text: str, my_id: int | None = None, **flags: str) -> Report:
    return report_of(read_zoo_cfg(text), "zoo.cfg", flags, my_id)


def outcome(text: str, **flags: str) -> str:
    """Of the last line: outcome and reason."""
    line = report(BASE + text, None, **flags).lines[-1]
    return f"{line.outcome.value}: {line.reason}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tickTime=5", "works: The base unit of time in milliseconds."),
        ("zookeeper.skipACL=yes", "works: Only `yes` turns every check of ACLs off."),
        ("skipACL=true", "works: 'true' is not `yes`, so it counts as no, as for ZooKeeper"),
        ("snapCount=5", "no effect: the store under the znodes has its own log, checkpoints and compaction"),
        ("tikTime=5", "no effect: the bridge doesn't know this key and ignores it"),
        ("autopurge.purgeInterval=1h", "refused: '1h', expected a whole number"),
        ("tickTime=0", "refused: '0', expected a whole number from 1 to 2147483647"),
        ("secureClientPort=5", "refused: TLS on the client port is not supported yet; take the key out, or put a TLS"),
        ("client.portUnification=false", "works: It says what is so anyway."),
        ("enforce.auth.enabled=true\nenforce.auth.schemes=sasl", "refused: 'sasl' is not a scheme here"),
        ("server.1=h:1", "refused: 'h:1', expected HOST:PORT:PORT"),
        ("initLimit=5", "no effect: one member has nobody to elect, follow or wait for"),
    ],
)
def test_a_line_works_or_has_no_effect_or_is_refused(text: str, expected: str) -> None:
    assert outcome(text).startswith(expected)


def test_a_line_that_comes_again_and_one_that_a_flag_wins_over_have_no_effect() -> None:
    again = report(f"{BASE}tickTime=1\nzookeeper.tickTime=2").lines
    assert [(line.number, line.outcome.value) for line in again[2:]] == [(3, "no effect"), (4, "works")]
    assert again[2].reason == "line 4 says it again"
    assert outcome("tickTime=5", tick_time="7") == "no effect: --tick-time (or ZKBRIDGE_TICK_TIME) wins over it"


def test_the_end_says_what_a_server_would_be() -> None:
    text = report(
        f"{BASE}clientPortAddress=127.0.0.1\nstandaloneEnabled=false\nserver.2=h:1:2\ninitLimit=5\nsyncLimit=2\n"
        "admin.serverPort=8081\netcdAddress=127.0.0.1:2379\n"
        "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n",
        my_id=2,
    ).text()
    assert text.splitlines()[0] == "zoo.cfg"
    assert text.splitlines()[-1] == (
        "A server would start with it: clients at 127.0.0.1:1, mode leader, data in /d, etcd's API at 127.0.0.1:2379, "
        "AdminServer at *:8081, metrics at *:7000."
    )


def test_what_belongs_to_no_line_is_told_below_them() -> None:
    """Several lines together, or one that is missing."""
    found = report("tickTime=5\nserver.1=h:1:2\nserver.2=h:1:2")
    assert found.config is None
    assert [text.split(";")[0] for text in found.further] == [
        "no data directory",
        "server.1, server.2: an ensemble is not supported yet, and this file has 2 members",
    ]
    lines = found.text().splitlines()
    assert lines[-1] == "A server would not start with it."
    assert lines[-2].startswith("       server.1, server.2: ")


def test_a_password_is_not_shown() -> None:
    text = report(f"{BASE}DigestAuthenticationProvider.superDigest=super:xQJ=").text()
    assert "xQJ" not in text
    assert "superDigest=***" in text


def test_the_files_are_read_as_at_a_start(tmp_path: Path) -> None:
    (tmp_path / "myid").write_text("1")
    (tmp_path / "members").write_text("server.1=h:1:2;127.0.0.1:7\n")
    path = tmp_path / "zoo.cfg"
    path.write_text(f"dataDir={tmp_path}\ndynamicConfigFile={tmp_path / 'members'}\n")
    config = check_config(str(path), {}).config
    assert config is not None and config.client_port == 7
    with pytest.raises(ConfigError, match="can't be read"):
        check_config(str(tmp_path / "nowhere"), {})


def test_a_long_line_does_not_push_the_others_answers_away() -> None:
    lines = report(f"{BASE}server.1=a.very.long.host.name.of.somebody.example:2888:3888;2181").text().splitlines()
    assert lines[2].index("works") == len("    2  ") + 44 + 2
    assert "2181  works" in lines[3]
