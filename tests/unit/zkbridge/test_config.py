"""Configuration: precedence, defaults, what is refused and how."""

from pathlib import Path

import pytest

from zkbridge.config import (
    ALL_WORDS,
    FLAGS,
    AdminSettings,
    Config,
    ConfigError,
    MetricsSettings,
    build_config,
    load_config,
)
from zkbridge.zoo_cfg import read_zoo_cfg
from zkbridge.zoo_keys import PROMETHEUS_PROVIDER


def config_of(text: str | None = None, **flags: str) -> Config:
    """With a file's text, and flags by key; a data directory is given unless the file has one."""
    if text is None or "dataDir" not in text:
        flags.setdefault("data_dir", "d")
    return build_config(flags, None if text is None else read_zoo_cfg(text))


def errors_of(text: str | None = None, **flags: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(text, **flags)
    return str(caught.value)


def test_without_a_file_the_defaults_are_friendly() -> None:
    config = config_of()
    assert config == Config(data_dir=Path("d"))
    assert (config.client_host, config.client_port) == ("127.0.0.1", 2181)
    assert (config.tick_time_ms, config.min_session_timeout_ms, config.max_session_timeout_ms) == (2000, 4000, 40000)
    assert config.max_client_cnxns == 0
    assert config.whitelist == ALL_WORDS
    assert not config.extended_types


def test_with_a_file_absent_keys_have_zookeepers_defaults() -> None:
    config = config_of("clientPort=2181\ndataDir=/z")
    assert config.data_dir == Path("/z")
    assert config.client_host == ""
    assert (config.tick_time_ms, config.min_session_timeout_ms, config.max_session_timeout_ms) == (3000, 6000, 60000)
    assert config.max_client_cnxns == 60
    assert config.whitelist == {"srvr"}
    assert config.global_outstanding_limit == 1000
    assert config.jute_maxbuffer == 0xFFFFF
    assert config.container_check_interval_ms == 60_000
    assert not config.skip_acl


def test_zookeepers_keys_keep_their_meaning() -> None:
    config = config_of(
        "clientPort=1234\nclientPortAddress=10.0.0.1\ntickTime=100\nminSessionTimeout=300\nmaxSessionTimeout=900\n"
        "maxClientCnxns=5\nmaxCnxns=6\n4lw.commands.whitelist=stat, ruok , nope\nglobalOutstandingLimit=7\n"
        "jute.maxbuffer=0x400000\nextendedTypesEnabled=true\nznode.container.checkIntervalMs=8\n"
        "znode.container.maxPerMinute=9\nznode.container.maxNeverUsedIntervalMs=10\nskipACL=yes\n"
        "DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=\nreconfigEnabled=true\n"
        "DigestAuthenticationProvider.digestAlg=sha-256\nclientPortListenBacklog=50\nunheardOf=1\n"
        "clientTcpKeepAlive=true\nenforce.auth.enabled=true\nenforce.auth.schemes=digest, ip\nsnapCount=5\n"
    )
    assert (config.client_host, config.client_port, config.client_backlog) == ("10.0.0.1", 1234, 50)
    assert (config.tick_time_ms, config.min_session_timeout_ms, config.max_session_timeout_ms) == (100, 300, 900)
    assert (config.max_client_cnxns, config.max_cnxns) == (5, 6)
    assert config.whitelist == {"stat", "ruok", "srvr"}
    assert config.global_outstanding_limit == 7
    assert config.jute_maxbuffer == 4 * 1024 * 1024
    assert config.extended_types and config.skip_acl and config.reconfig_enabled
    assert config.container_check_interval_ms == 8
    assert (config.container_max_per_minute, config.container_max_never_used_ms) == (9, 10)
    rules = config.auth_rules()
    assert rules.super_digest == "super:xQJmxLMiHGwaqBvst5y6rkB6HQs="
    assert rules.digest_algorithm == "SHA-256"
    assert rules.skips_acl
    assert config.client_keep_alive
    assert config.enforced_schemes == {"digest", "ip"}
    assert [note.split(": ")[:2] for note in config.notes] == [["zoo.cfg", "snapCount"]]
    assert config.warnings == ("zoo.cfg: unheardOf: the bridge doesn't know this key and ignores it",)


def test_flags_win_over_the_file() -> None:
    config = config_of(
        "clientPort=1\ntickTime=100\nskipACL=yes\ndataDir=/z",
        client_addr="127.0.0.1:2",
        tick_time="200",
        skip_acl="false",
        data_dir="f",
    )
    assert (config.client_host, config.client_port) == ("127.0.0.1", 2)
    assert config.tick_time_ms == 200
    assert not config.skip_acl
    assert config.data_dir == Path("f")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("h:1", ("h", 1)), (":2181", ("", 2181)), ("[::1]:2181", ("::1", 2181)), ("127.0.0.1:0", ("127.0.0.1", 0))],
)
def test_client_addresses_are_host_and_port(address: str, expected: tuple[str, int]) -> None:
    config = config_of(client_addr=address)
    assert (config.client_host, config.client_port) == expected


@pytest.mark.parametrize("address", ["2181", "h", "h:", "h:x", "h:65536", "::1:2181", "a:1:2"])
def test_other_addresses_are_refused_with_an_example(address: str) -> None:
    assert f"--client-addr {address}: expected HOST:PORT, as in 127.0.0.1:2181" in errors_of(client_addr=address)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("tick_time", "0", "--tick-time (or ZKBRIDGE_TICK_TIME): '0'"),
        ("tick_time", "fast", "'fast', expected a whole number from 1"),
        ("max_cnxns", "-1", "--max-cnxns"),
        ("server_id", "255", "from 1 to 254"),
        ("log_level", "loud", "expected one of debug, info, warning, error"),
        ("prefix", "/zk", "a slash at its end"),
        ("skip_acl", "perhaps", "expected true or false"),
        ("super_digest", "joe", "USER:BASE64"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(key: str, value: str, named: str) -> None:
    assert named in errors_of(**{key: value})


def test_a_wrong_value_in_the_file_is_named_with_file_and_key() -> None:
    assert "zoo.cfg: tickTime: '2s', expected a whole number" in errors_of("clientPort=1\ntickTime=2s")


def test_all_causes_are_told_at_once() -> None:
    text = errors_of(tick_time="x", max_cnxns="y")
    assert "--tick-time" in text and "--max-cnxns" in text


def test_a_super_digest_is_in_no_message_and_no_repr() -> None:
    assert "topsecret" not in errors_of(super_digest="topsecret")
    assert "xQJ" not in repr(config_of(super_digest="super:xQJ="))


def test_a_least_timeout_above_the_greatest_is_refused() -> None:
    assert "5000 ms is more than the greatest, 4000 ms" in errors_of(
        min_session_timeout="5000", max_session_timeout="4000"
    )


def test_a_data_directory_is_needed() -> None:
    with pytest.raises(ConfigError, match="give --data-dir DIR"):
        build_config({}, None)


def test_a_file_without_a_client_port_needs_the_flag() -> None:
    assert "no clientPort" in errors_of("tickTime=2000")
    assert config_of("tickTime=2000", client_addr="h:1").client_port == 1


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "zoo.cfg"
    path.write_text("dataDir=/z\nclientPort=4\n")
    assert load_config({"config": str(path)}).client_port == 4


def test_a_refused_key_stops_the_start_with_file_and_cure(tmp_path: Path) -> None:
    path = tmp_path / "zoo.cfg"
    path.write_text("dataDir=/z\nclientPort=4\nserver.1=a:1:2\nserver.2=b:1:2\nsecureClientPort=5\n")
    with pytest.raises(ConfigError) as caught:
        load_config({"config": str(path)})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [str(path), "secureClientPort"],
        [str(path), "server.1, server.2"],
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.cfg: can't be read \(No such file"):
        load_config({"config": str(tmp_path / "nowhere.cfg")})
    (tmp_path / "broken.cfg").write_text("a=\\u1")
    with pytest.raises(ConfigError, match="broken escape"):
        load_config({"config": str(tmp_path / "broken.cfg")})


@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "é"), ("latin-1", "é")])
def test_a_file_may_be_utf_8_or_latin_1(tmp_path: Path, encoding: str, name: str) -> None:
    """Java's Properties.load takes every byte; a comment in an old encoding ends no start."""
    path = tmp_path / "zoo.cfg"
    path.write_bytes(f"# {name}\ndataDir=/{name}\nclientPort=4\n".encode(encoding))
    assert load_config({"config": str(path)}).data_dir == Path(f"/{name}")


def test_every_flag_has_a_variable_of_its_own() -> None:
    variables = [flag.variable for flag in FLAGS]
    assert len(set(variables)) == len(variables)
    assert {"ZKBRIDGE_DATA_DIR", "ZKBRIDGE_CLIENT_ADDR", "ZKBRIDGE_CONFIG", "ZKBRIDGE_LOG_LEVEL"} <= set(variables)


ADMIN = AdminSettings()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", None),
        ("admin.enableServer=false", None),
        ("admin.enableServer=false\nadmin.serverPort=1", None),
        ("admin.idleTimeout=5", None),
        ("admin.enableServer=true", ADMIN),
        ("admin.enableServer=FALSE", ADMIN),
        ("admin.serverPort=8081", AdminSettings(port=8081)),
        ("admin.serverAddress=127.0.0.1", AdminSettings(host="127.0.0.1")),
        (
            "admin.enableServer=true\nadmin.commandURL=/c\nadmin.idleTimeout=5\nadmin.rateLimiterIntervalInMS=6\n"
            "admin.snapshot.enabled=false\nadmin.restore.enabled=false",
            AdminSettings("", 8080, "/c", 5),
        ),
    ],
)
def test_the_admin_server_is_there_if_the_file_asks_for_it(lines: str, expected: AdminSettings | None) -> None:
    """Source: ZooKeeper AdminServerFactory, JettyAdminServer; only the word `false` turns it off there too."""
    assert config_of(f"clientPort=1\n{lines}").admin == expected


def test_flags_open_the_admin_server_and_the_metrics_port_without_a_file() -> None:
    config = config_of(admin_addr="127.0.0.1:0", metrics_addr=":7001")
    assert config.admin == AdminSettings("127.0.0.1", 0)
    assert config.metrics == MetricsSettings("", 7001)
    assert "--admin-addr 8080: expected HOST:PORT, as in 127.0.0.1:8080" in errors_of(admin_addr="8080")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", None),
        ("metricsProvider.httpPort=7001", None),
        ("metricsProvider.className=org.apache.zookeeper.metrics.impl.NullMetricsProvider", None),
        (f"metricsProvider.className={PROMETHEUS_PROVIDER}", MetricsSettings()),
        (
            f"metricsProvider.className={PROMETHEUS_PROVIDER}\nmetricsProvider.httpHost=127.0.0.1\n"
            "metricsProvider.httpPort=7001\nmetricsProvider.exportJvmInfo=no",
            MetricsSettings("127.0.0.1", 7001, False),
        ),
    ],
)
def test_the_metrics_port_is_there_with_the_prometheus_provider(lines: str, expected: MetricsSettings | None) -> None:
    assert config_of(f"clientPort=1\n{lines}").metrics == expected


def test_an_unknown_metrics_provider_is_refused_by_name() -> None:
    assert "metricsProvider.className: 'a.B' is not known here" in errors_of(
        "clientPort=1\nmetricsProvider.className=a.B"
    )


def test_quotas_are_enforced_if_asked_for() -> None:
    assert not config_of().enforce_quota
    assert config_of("clientPort=1\nenforceQuota=true").enforce_quota
    assert config_of(enforce_quota="true").enforce_quota


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"srvr"}),
        (" ", {"srvr"}),
        ("ruok", {"ruok", "srvr"}),
        (" mntr , ,nope,RUOK", {"mntr", "srvr"}),
        ("isro,*", ALL_WORDS),
    ],
)
def test_srvr_is_allowed_whatever_the_whitelist_says(text: str, expected: set[str]) -> None:
    """Source: ZooKeeper FourLetterCommands.isEnabled."""
    assert config_of(f"clientPort=1\n4lw.commands.whitelist={text}").whitelist == expected
    assert config_of(four_letter_words=text).whitelist == expected


def test_numbers_below_what_has_a_meaning_are_taken_as_zookeeper_takes_them() -> None:
    config = config_of("clientPort=1\nmaxClientCnxns=-1\nmaxCnxns=-5\nglobalOutstandingLimit=0\n")
    assert (config.max_client_cnxns, config.max_cnxns, config.global_outstanding_limit) == (0, 0, 1)
    assert config_of("clientPort=1\nmaxCnxns=many").max_cnxns == 0


def test_only_yes_skips_acls_and_only_true_is_true_in_a_file() -> None:
    """Source: ZooKeeperServer, Boolean.getBoolean."""
    assert config_of("clientPort=1\nskipACL=yes").skip_acl
    assert not config_of("clientPort=1\nskipACL=true").skip_acl
    assert not config_of("clientPort=1\nextendedTypesEnabled=yes").extended_types
    assert config_of(skip_acl="yes").skip_acl and config_of(skip_acl="true").skip_acl


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("enforce.auth.schemes=sasl", "enforce.auth.schemes: 'sasl' is not a scheme here; use digest or ip"),
        ("", "enforce.auth.schemes: '' is not a scheme here"),
        ("enforce.auth.schemes=digest\nDigestAuthenticationProvider.enabled=false", "'digest' is not a scheme here"),
    ],
)
def test_enforced_authentication_needs_schemes_that_are_there(lines: str, named: str) -> None:
    """Source: ZooKeeper AuthenticationHelper."""
    assert named in errors_of(f"clientPort=1\nenforce.auth.enabled=true\n{lines}")
    assert not config_of("clientPort=1\nenforce.auth.schemes=sasl").enforced_schemes


def test_a_data_directory_is_not_made_if_the_file_says_so(tmp_path: Path) -> None:
    text = f"clientPort=1\ndatadir.autocreate=false\ndataDir={tmp_path}"
    assert config_of(text).data_dir == tmp_path
    assert "datadir.autocreate: false, and" in errors_of(f"{text}/nowhere")


def test_an_empty_data_directory_is_not_taken_for_a_lost_one_if_the_file_says_so(tmp_path: Path) -> None:
    """With db.autocreate=false ZooKeeper starts and lets no client in; here the start says why."""
    text = f"clientPort=1\ndb.autocreate=false\ndataDir={tmp_path}"
    assert "db.autocreate: false, and" in errors_of(text)
    (tmp_path / "initialize").touch()
    assert config_of(text).data_dir == tmp_path
    (tmp_path / "initialize").unlink()
    (tmp_path / "member").mkdir()
    assert config_of(text).data_dir == tmp_path


def test_isro_is_answered_in_read_only_mode() -> None:
    assert config_of("clientPort=1\nreadonlymode.enabled=true").whitelist == {"srvr", "isro"}


# server.N lines: what integration/conformance/test_config_files.py observes on a real server, without starting one.

ONE = "server.1=localhost:2888:3888;2181"
LEADING = f"standaloneEnabled=false\ninitLimit=5\nsyncLimit=2\n{ONE}"


def config_with_id(text: str, my_id: int | None, **flags: str) -> Config:
    return build_config({"data_dir": "d", **flags}, read_zoo_cfg(text), "zoo.cfg", my_id)


@pytest.mark.parametrize(
    ("text", "my_id", "expected"),
    [
        (ONE, 1, ("", 2181)),
        (ONE, None, ("", 2181)),
        ("server.1=0.0.0.0:2888:3888;127.0.0.1:2182", 1, ("127.0.0.1", 2182)),
        ("server.1=h:2888:3888;[::1]:2182", 1, ("::1", 2182)),
        ("server.1=h:2888:3888;[::]:2182", 1, ("", 2182)),
        ("clientPort=7\nclientPortAddress=0.0.0.0", None, ("", 7)),
        ("clientPort=7\nclientPortAddress=::", None, ("", 7)),
        ("server.1=h:1:2;2181\nclientPort=2181\nclientPortAddress=0.0.0.0", 1, ("", 2181)),
        ("server.1=h:2888:3888\nclientPort=7", 1, ("", 7)),
        (f"{ONE}\nclientPort=2181", 1, ("", 2181)),
        (f"{ONE}\nclientPort=7", None, ("", 7)),
        (f"{ONE}\nclientPort=7", 2, ("", 7)),
        ("server.1=h:1:2;127.0.0.1:2181\nclientPort=2181", 1, ("127.0.0.1", 2181)),
        ("server.1=h:1:2;localhost:2181\nclientPort=2181\nclientPortAddress=127.0.0.1", 1, ("localhost", 2181)),
    ],
)
def test_the_client_address_may_stand_in_the_server_line(
    text: str, my_id: int | None, expected: tuple[str, int]
) -> None:
    config = config_with_id(text, my_id)
    assert (config.client_host, config.client_port) == expected
    assert config.leader is None
    assert config.server_id == 1


@pytest.mark.parametrize(
    ("text", "my_id", "named"),
    [
        (f"{ONE}\nclientPort=7", 1, "clientPort: *:7 is not the client address of the server.1 line, 0.0.0.0:2181"),
        ("server.1=h:1:2;127.0.0.1:9\nclientPort=9\nclientPortAddress=127.0.0.2", 1, "keep one of the two"),
        (f"{ONE}\nclientPort=2181\nclientPortAddress=127.0.0.1", 1, "keep one of the two"),
        (f"{ONE}\nclientPortAddress=127.0.0.1", 1, "clientPortAddress: needs clientPort"),
        (ONE, 2, "server.1: the file myid says 2"),
        (f"{ONE}\nserver.2=h:1:2", 1, "server.1, server.2: an ensemble is not supported yet, and this file has 2"),
        (f"{ONE}\nserver.2=h:1:2:observer", 1, "an ensemble is not supported yet"),
        ("server.1=h:1:2:observer;9", 1, "observers without a participant"),
        ("standaloneEnabled=false\nclientPort=9", 1, "standaloneEnabled: false needs a server.N line"),
        (LEADING, None, "needs the file myid in the data directory; write 1 into it"),
        (LEADING, 2, "server.1: the file myid says 2; make the two agree"),
        (LEADING.replace("initLimit", "#"), 1, "initLimit: standaloneEnabled=false needs it"),
        (LEADING.replace("syncLimit", "#"), 1, "syncLimit: standaloneEnabled=false needs it"),
        (LEADING.replace("server.1", "server.300"), 300, "session ids have room for 0 to 254"),
    ],
)
def test_lines_that_contradict_are_refused_as_by_zookeeper(text: str, my_id: int | None, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_with_id(text, my_id)
    assert named in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_without_standalone_mode_the_only_member_is_a_leader() -> None:
    config = config_with_id(LEADING.replace("server.1", "server.3"), 3)
    assert config.leader is not None
    assert config.leader.config_text == "server.3=localhost:2888:3888:participant;0.0.0.0:2181\nversion=0"
    assert (config.leader.init_limit, config.leader.sync_limit) == (5, 2)
    assert config.server_id == 3
    assert config_with_id(LEADING, 1, server_id="9").server_id == 9


def test_the_files_myid_and_the_dynamic_file_are_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "myid").write_text("1\n")
    dynamic = tmp_path / "zoo.cfg.dynamic.1a"
    dynamic.write_text(f"{ONE}\n")
    path = tmp_path / "zoo.cfg"
    path.write_text(
        f"dataDir={data}\nstandaloneEnabled=false\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile={dynamic}\n"
    )
    leader = load_config({"config": str(path)}).leader
    assert leader is not None and leader.config_text.endswith("\nversion=1a")
    # A data directory elsewhere has no myid: the one of the file's dataDir says who this is.
    assert load_config({"config": str(path), "data_dir": str(tmp_path)}).leader == leader
    (data / "myid").write_text("one")
    with pytest.raises(ConfigError, match="'one' is not a number"):
        load_config({"config": str(path)})


@pytest.mark.parametrize(
    ("static", "dynamic", "named"),
    [
        ("", "version=1\n", "has a version inside"),
        ("", "tickTime=1\n", "has tickTime, which belongs into"),
        ("server.1=h:1:2\n", "", "server.1: belongs into"),
        ("", None, "can't be read"),
    ],
)
def test_a_dynamic_file_holds_members_and_nothing_else(
    tmp_path: Path, static: str, dynamic: str | None, named: str
) -> None:
    if dynamic is not None:
        (tmp_path / "dynamic").write_text(f"{ONE}\n{dynamic}")
    (tmp_path / "zoo.cfg").write_text(f"dataDir=d\ndynamicConfigFile={tmp_path / 'dynamic'}\n{static}")
    with pytest.raises(ConfigError) as caught:
        load_config({"config": str(tmp_path / "zoo.cfg")})
    assert named in str(caught.value)
