"""Four-letter words, in the form that ZooKeeper 3.9.4 printed them (reference 6.1, 6.3)."""

import re
from collections.abc import Sequence

import pytest

from zkbridge.protocol.connection import FOUR_LETTER_WORDS
from zkbridge.protocol.four_letter import (
    FULL_VERSION,
    ConfigurationFacts,
    ConnectionFacts,
    FourLetterFacts,
    ServerSummary,
    answer_four_letter_word,
)
from zkbridge.protocol.monitor import SummaryMetric, gauge
from zkbridge.summary import Summary

ALL_WORDS = frozenset(word.decode() for word in FOUR_LETTER_WORDS)
KNOWN_MOMENT_MS = 1_795_376_381_000  # Sun Nov 22 19:39:41 UTC 2026


SYNC_TIMES = Summary()
for time_ms in (0, 0, 0, 1):
    SYNC_TIMES.note(time_ms)


class FixedFacts(FourLetterFacts):
    """A server with two clients, one of them with an ephemeral."""

    def __init__(self) -> None:
        self.serving = True
        self.mask = 306
        self.resets: list[str] = []

    def is_serving(self) -> bool:
        return self.serving

    def summary(self) -> ServerSummary:
        return ServerSummary(
            zxid=0xC4,
            mode="standalone",
            znode_count=44,
            connection_count=2,
            outstanding_count=3,
            received_count=319,
            sent_count=360,
            latency_average_ms=1.16718,
            latency_max_ms=18,
            watch_count=5,
            metrics=[gauge("connection_rejected", 7, ""), SummaryMetric("fsynctime", SYNC_TIMES, True, "")],
        )

    def configuration(self) -> ConfigurationFacts:
        return ConfigurationFacts(2181, "/data", 67, 2000, 60, 4000, 40000, -1, 0)

    def connections(self) -> Sequence[ConnectionFacts]:
        return [
            ConnectionFacts(
                "127.0.0.1:34052",
                0,
                5,
                5,
                session_id=0x100001BC3D20014,
                timeout_ms=6000,
                last_operation="CREA",
                established_ms=1795369030707,
                last_xid=4,
                last_zxid=0xC4,
                last_response_ms=2114008,
                last_latency_ms=1,
                latency_max_ms=1,
                expires_ms=KNOWN_MOMENT_MS + 2000,
            ),
            ConnectionFacts("127.0.0.1:36718", 2, 1, 0, is_reading=False, expires_ms=KNOWN_MOMENT_MS),
        ]

    def environment(self) -> Sequence[tuple[str, str]]:
        return [("host.name", "h"), ("user.name", "u")]

    def session_deadlines(self) -> Sequence[tuple[int, Sequence[int]]]:
        return [(KNOWN_MOMENT_MS, [0x100001BC3D20014, 0x100001BC3D20015])]

    def ephemerals(self) -> Sequence[tuple[int, Sequence[str]]]:
        return [(0x100001BC3D20014, ["/e", "/f"])]

    def data_watch_summary(self) -> tuple[int, int, int]:
        return 2, 1, 2

    def data_watches(self) -> Sequence[tuple[int, Sequence[str]]]:
        return [(0x10, ["/w"]), (-1, ["/w", "/v"])]

    def trace_mask(self) -> int:
        return self.mask

    def set_trace_mask(self, mask: int) -> None:
        self.mask = mask

    def reset_connections(self) -> None:
        self.resets.append("connections")

    def reset_server(self) -> None:
        self.resets.append("server")


def answer(word: str, mask: bytes = b"", facts: FixedFacts | None = None) -> str:
    return answer_four_letter_word(word, mask, facts or FixedFacts(), ALL_WORDS).decode()


SUMMARY_LINES = (
    "Latency min/avg/max: 0/1.1672/18\nReceived: 319\nSent: 360\nConnections: 2\nOutstanding: 3\n"
    "Zxid: 0xc4\nMode: standalone\nNode count: 45\n"
)


def test_srvr_is_a_version_line_and_the_summary_with_the_root_counted_twice() -> None:
    assert answer("srvr") == f"Zookeeper version: {FULL_VERSION}\n{SUMMARY_LINES}"


def test_stat_puts_the_clients_between_them() -> None:
    assert answer("stat") == (
        f"Zookeeper version: {FULL_VERSION}\nClients:\n"
        " /127.0.0.1:34052[1](queued=0,recved=5,sent=5)\n"
        " /127.0.0.1:36718[0](queued=2,recved=1,sent=0)\n\n" + SUMMARY_LINES
    )


def test_cons_tells_of_a_session_only_where_there_is_one() -> None:
    assert answer("cons") == (
        " /127.0.0.1:34052[1](queued=0,recved=5,sent=5,sid=0x100001bc3d20014,lop=CREA,est=1795369030707,to=6000,"
        "lcxid=0x4,lzxid=0xc4,lresp=2114008,llat=1,minlat=0,avglat=0,maxlat=1)\n"
        " /127.0.0.1:36718[0](queued=2,recved=1,sent=0)\n\n"
    )


def test_conf_has_zookeepers_lines() -> None:
    assert answer("conf") == (
        "clientPort=2181\nsecureClientPort=-1\ndataDir=/data/version-2\ndataDirSize=67\n"
        "dataLogDir=/data/version-2\ndataLogSize=67\n"
        "tickTime=2000\nmaxClientCnxns=60\nminSessionTimeout=4000\nmaxSessionTimeout=40000\n"
        "clientPortListenBacklog=-1\nserverId=0\n"
    )


def test_envi_gives_the_version_early_enough_for_kazoo() -> None:
    """kazoo reads three numbers behind zookeeper.version= in its first 8 KiB."""
    text = answer("envi")
    assert text.startswith("Environment:\nzookeeper.version=3.9.")
    assert re.match(r"Environment:\nzookeeper\.version=(\d+)\.(\d+)\.(\d+)-", text)
    assert text.endswith("\nhost.name=h\nuser.name=u\n")


def test_dump_lists_sessions_ephemerals_and_connections() -> None:
    assert answer("dump") == (
        "SessionTracker dump:\nSession Sets (1)/(2):\n2 expire at Sun Nov 22 19:39:41 UTC 2026:\n"
        "\t0x100001bc3d20014\n\t0x100001bc3d20015\n"
        "ephemeral nodes dump:\nSessions with Ephemerals (1):\n0x100001bc3d20014:\n\t/e\n\t/f\n"
        "Connections dump:\nConnections Sets (2)/(2):\n1 expire at Sun Nov 22 19:39:41 UTC 2026:\n"
        "\tip: /127.0.0.1:36718 sessionId: 0x0\n1 expire at Sun Nov 22 19:39:43 UTC 2026:\n"
        "\tip: /127.0.0.1:34052 sessionId: 0x100001bc3d20014\n"
    )


def test_the_watch_words_show_the_data_table() -> None:
    assert answer("wchs") == "2 connections watching 1 paths\nTotal watches:2\n"
    assert answer("wchc") == "0x10\n\t/w\n0xffffffffffffffff\n\t/w\n\t/v\n\n"
    assert answer("wchp") == "/w\n\t0x10\n\t0xffffffffffffffff\n/v\n\t0xffffffffffffffff\n\n"


def test_mntr_begins_with_version_and_state_and_prints_doubles_as_java_does() -> None:
    lines = answer("mntr").splitlines()
    assert lines[:2] == [f"zk_version\t{FULL_VERSION}", "zk_server_state\tstandalone"]
    values = dict(line.split("\t") for line in lines)
    assert values["zk_avg_latency"] == "1.1672"
    assert values["zk_connection_drop_probability"] == "0.0"
    assert values["zk_znode_count"] == "45"
    assert values["zk_watch_count"] == "5"
    assert values["zk_min_client_response_size"] == "-1"
    assert values["zk_connection_rejected"] == "7"
    assert values["zk_avg_fsynctime"] == "0.25"


def test_mntr_prints_integers_where_zookeeper_does() -> None:
    """Telegraf makes strings of numbers with a point where it expects none."""
    values = dict(line.split("\t") for line in answer("mntr").splitlines())
    shown = {key.removeprefix("zk_"): value for key, value in values.items() if key.endswith("_fsynctime")}
    assert shown == {
        "avg_fsynctime": "0.25",
        "min_fsynctime": "0",
        "max_fsynctime": "1",
        "cnt_fsynctime": "4",
        "sum_fsynctime": "1",
        "p50_fsynctime": "0",
        "p95_fsynctime": "1",
        "p99_fsynctime": "1",
        "p999_fsynctime": "1",
    }


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ruok", "imok"),
        ("isro", "rw"),
        ("dirs", "datadir_size: 67\nlogdir_size: 67\n"),
        ("gtmk", "306"),
        ("hash", ""),
    ],
)
def test_the_short_words_are_literal(word: str, expected: str) -> None:
    assert answer(word) == expected


def test_stmk_echoes_its_mask() -> None:
    assert answer("stmk", b"\0\0\0\0\0\0\0\x01") == "1"
    facts = FixedFacts()
    assert answer("stmk", b"\xff" * 8, facts) == "-1"
    assert answer("gtmk", facts=facts) == "-1"


def test_resets_reset_what_they_say() -> None:
    facts = FixedFacts()
    assert answer("crst", facts=facts) == "Connection stats reset.\n"
    assert facts.resets == ["connections"]
    assert answer("srst", facts=facts) == "Server stats reset.\n"
    assert facts.resets == ["connections", "server"]


@pytest.mark.parametrize("word", sorted(ALL_WORDS))
def test_every_word_is_answered_but_only_if_it_is_allowed(word: str) -> None:
    facts = FixedFacts()
    refused = answer_four_letter_word(word, bytes(8), facts, frozenset())
    assert refused == f"{word} is not executed because it is not in the whitelist.\n".encode()
    assert facts.resets == []
    assert answer_four_letter_word(word, bytes(8), facts, frozenset({word})) != refused


@pytest.mark.parametrize("word", sorted(ALL_WORDS))
def test_a_server_that_does_not_serve_says_so(word: str) -> None:
    facts = FixedFacts()
    facts.serving = False
    text = answer(word, bytes(8), facts)
    if word in ("ruok", "envi", "gtmk", "stmk"):
        assert text == answer(word, bytes(8))
    elif word == "isro":
        assert text == "null"
    else:
        assert text == "This ZooKeeper instance is not currently serving requests\n"
        assert facts.resets == []
