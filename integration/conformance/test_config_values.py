"""Values of a zoo.cfg: what ZooKeeper's own parser takes and refuses, we take and refuse.

Only its parser is asked here (`QuorumPeerConfig.parse`), in one process. What becomes a system property is
read by the class that uses it; those values are compared with a running server in the other tests of this folder.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from integration.conformance.config_files import ConfigFile, Written, zookeepers_verdicts
from integration.peers import maven
from integration.peers.servers import ZOOKEEPER_JARS, ZOOKEEPER_VERSION
from zkbridge.config import ConfigError, load_config
from zkbridge.zoo_keys import KEYS, Kind, Outcome, ZooKey, find_key

BASE = "dataDir={data}\nclientPort={port}\n"
NUMBERS = ("7", " 7 ", "+7", "07", "-7", "1h", "0x10", "7.0", "1_0", "", "2147483648", "99999999999999999999")
BOOLEANS = ("true", "FALSE", " true ", "yes", "1", "")
VALUES = {Kind.INT: NUMBERS, Kind.LONG: NUMBERS, Kind.BOOL: BOOLEANS}
# Keys whose value has rules of its own beside its form, with values that keep them; and lines that make a key count.
OWN_RULES = {
    "tickTime": ("1", "0", "-5", "2s"),
    "clientPort": ("1", "0", "-1", "65535", "65536", "x"),
    "minSessionTimeout": ("1", "0", "-1", "-2", "99999999", "x"),
    "maxSessionTimeout": ("60000", "0", "-1", "-2", "5", "x"),
    "standaloneEnabled": ("true", "no", "false"),
    "quorum.auth.learnerRequireSasl": ("false", "true", "1"),
    "quorum.auth.serverRequireSasl": ("false", "true", "1"),
    # Read by the AdminServer and the metrics provider, not by the parser.
    "admin.rateLimiterIntervalInMS": ("1",),
    "metricsProvider.httpPort": ("1",),
}
FILES = [
    "clientPort=1",
    "dataDir={data}",
    "dataDir={data}\nclientPortAddress=127.0.0.1",
    BASE + "minSessionTimeout=10\nmaxSessionTimeout=9",
    BASE + "quorum.auth.enableSasl=true\nquorum.auth.learnerRequireSasl=true\nquorum.auth.serverRequireSasl=true",
    BASE + "quorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true",
    BASE + "metricsProvider.className=a.B",
    BASE + "metricsProvider.className=org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
    BASE + "peerType=Observer",
    BASE + "peerType=voter",
    BASE + "electionAlg=3",
    BASE + "electionAlg=2",
    BASE + "a.key.that.nobody.knows=1",
    BASE + "broken=\\u12",
]


def _values(key: ZooKey) -> tuple[str, ...]:
    return OWN_RULES.get(key.name, VALUES.get(key.kind, ()))


def _files() -> list[str]:
    texts = list(FILES)
    for key in KEYS:
        if key.outcome is not Outcome.REFUSED:
            texts += [f"{BASE}{key.name}={value}\n" for value in _values(key)]
    return texts


def test_values_are_taken_and_refused_as_by_zookeepers_parser(tmp_path: Path) -> None:
    written = {text: Written(ConfigFile(text), tmp_path / str(index)) for index, text in enumerate(_files())}
    verdicts = zookeepers_verdicts([one.path for one in written.values()])
    wrong: list[str] = []
    for text, one in written.items():
        ours = "taken"
        try:
            load_config({"config": str(one.path)})
        except ConfigError as error:
            ours = f"refused: {error}"
        theirs = verdicts[one.path]
        if ours.partition(":")[0] != theirs.partition(":")[0]:
            wrong.append(f"{text!r}\n  ours:      {ours}\n  ZooKeeper: {theirs}")
    # A server without a port for clients starts there, and is of no use.
    expected = [text for text in written if text == "dataDir={data}"]
    assert [line.split("\n")[0] for line in wrong] == [repr(text) for text in expected], "\n".join(wrong)
    assert len(written) > 200


# Properties of ZooKeeper's client and of its other programs, which live in the same jar.
CLIENT_SIDE = re.compile(
    r"client\.(?!portUnification|certReload).*|clientCnxnSocket|disableAutoWatchReset|request\.timeout|server\.principal"
    r"|sasl\.client.*|kinit|login.*|controllerPort|configuration|version|test.*|dummy.*"
)


def test_every_property_that_zookeepers_server_reads_is_in_the_table() -> None:
    """The names stand as strings in its classes."""
    jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
    (jar,) = [path for path in jars.iterdir() if path.name == f"zookeeper-{ZOOKEEPER_VERSION}.jar"]
    names: set[str] = set()
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(".class"):
                found = re.findall(rb"\x01..zookeeper\.([A-Za-z0-9][A-Za-z0-9_.-]*)", archive.read(name), re.DOTALL)
                names |= {one.decode() for one in found}
    assert len(names) > 100
    # What ends in a dot is the beginning of several.
    server_side = [name for name in names if not CLIENT_SIDE.fullmatch(name) and not name.endswith(".")]
    assert [name for name in sorted(server_side) if find_key(name) is None] == []


@pytest.mark.parametrize("key", [key.name for key in KEYS if key.outcome is Outcome.WORKS and key.kind is Kind.INT])
def test_every_number_that_works_is_compared(key: str) -> None:
    assert any(f"\n{key}=" in text for text in _files())
