"""zkCli of ZooKeeper 3.9: one script on both servers gives the same output but for ids and times (issue 3)."""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

import pytest

from integration.peers import maven
from integration.peers.requirements import require_java
from integration.peers.servers import ZOOKEEPER_JARS, RealZooKeeper, target_class

pytestmark = pytest.mark.timeout(300)
LOG4J = """log4j.rootLogger=ERROR, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%p %m (%c)%n
"""
# Each command is one line; `#` lines head the sections and are not sent.
SCRIPT = """
# What is there at the start
ls /
ls -s /
ls -R /
get -s /zookeeper
get /zookeeper/config
config
config -s
stat /zookeeper/quota
getAcl -s /zookeeper/config
getAllChildrenNumber /
whoami
version
# Creating
create /a first
create /a again
create /missing/child x
create /nodata
get -s /nodata
create -s /a/s- one
create -s /a/s- two
create -e /a/e mine
create -e -s /a/es- mine
create /a/e/child x
create -c /container
create /container/x y
create -t 3600000 /ttl z
create -s -t 3600000 /ttl- z
create -t 0 /ttl0 z
create -c -e /wrong
create /bad//path x
create relative x
create /trailing/ x
create /a/../b x
create -s /a/ sequel
create /umlaut ä
ls /a
ls -s /a
ls -R /
stat /a
stat /a/e
stat /ttl
stat /container
get /a
get -s /a
get /missing
stat /missing
ls /missing
getEphemerals
getEphemerals /a/es
getEphemerals /nothing
getAllChildrenNumber /a
getAllChildrenNumber /missing
# Changing
set /a second
set -s /a third
set -v 2 /a fourth
set -v 0 /a never
set /missing x
get -s /a
sync /a
sync /missing
# Watching
get -w /a
stat -w /unborn
ls -w /a
set /a seen
create /unborn x
create /a/new x
addWatch /tree
addWatch -m PERSISTENT /persistent
addWatch -m NONSENSE /x
create /tree x
create /tree/branch x
create /tree/branch/leaf x
set /tree/branch/leaf y
delete /tree/branch/leaf
create /persistent x
create /persistent/child x
create /persistent/child/grandchild x
removewatches /persistent
removewatches /tree
removewatches /nothing
set /tree unseen
# Access
addauth digest alice:secret
whoami
create /private x auth::cdrwa
getAcl /private
getAcl -s /private
create /readonly x world:anyone:r
set /readonly y
create /readonly/child x
delete /readonly
setAcl /a world:anyone:cdrw
getAcl /a
setAcl -v 0 /a world:anyone:cdrwa
setAcl -s /nodata ip:127.0.0.1:cdrwa
getAcl /nodata
setAcl /nodata nonsense
setAcl /nodata digest:bob:notahash:cdrwa
setAcl -R /tree world:anyone:cdrwa
getAcl /tree/branch
setAcl /missing world:anyone:r
addauth nosuchscheme x
""".strip()
SECOND_SCRIPT = """
# A second client: nothing of the first one's ephemerals is left
ls -R /
getEphemerals
get /private
getAcl /private
addauth digest alice:secret
get /private
# Deleting
delete /a
delete -v 7 /umlaut
delete -v 0 /umlaut
delete /missing
delete /
delete /zookeeper
deleteall /a
deleteall /missing
deleteall /tree
deleteall -b 2 /persistent
ls -R /
reconfig -remove 3
listquota /container
delquota /container
nonsense
ls
history
printwatches
printwatches off
close
ls /
quit
""".strip()
SINGLE_COMMANDS = [["get", "/container"], ["get", "/missing"], ["create", "/container", "x"], ["ls", "/"], ["nonsense"]]


class Names:
    """What one server's zxids and session ids are called."""

    def __init__(self) -> None:
        self.zxids: dict[str, str] = {}
        self.sessions: dict[str, str] = {}

    def clean(self, text: str, port: int) -> list[str]:
        """The lines without what differs between any two runs."""
        text = re.sub(r"((?:c|m|p)[zZ]xid = )(0x[0-9a-f]+)", self._name_zxid, text)
        text = re.sub(r"(ephemeralOwner = |session(?: |id:? ?))(0x[0-9a-f]+)", self._name_session, text)
        text = re.sub(r"zxid: ?(-?\d+|0x[0-9a-f]+)", self._name_event_zxid, text)
        text = re.sub(r"([cm]time = )(?!Thu Jan 01 00:00:00).*", r"\1TIME", text)
        text = text.replace(f":{port}", ":PORT")
        return text.splitlines()

    def _name_zxid(self, match: re.Match[str]) -> str:
        zxid = match[2]
        return match[1] + ("0x0" if zxid == "0x0" else self.zxids.setdefault(zxid, f"z{len(self.zxids)}"))

    def _name_event_zxid(self, match: re.Match[str]) -> str:
        zxid = match[1] if match[1].startswith(("0x", "-")) else hex(int(match[1]))
        return "zxid: " + (zxid if zxid.startswith("-") else self.zxids.setdefault(zxid, f"z{len(self.zxids)}"))

    def _name_session(self, match: re.Match[str]) -> str:
        session = match[2]
        return match[1] + ("0x0" if session == "0x0" else self.sessions.setdefault(session, f"S{len(self.sessions)}"))

    def in_order(self) -> list[str]:
        """The names of the zxids in the order of the zxids."""
        return [self.zxids[zxid] for zxid in sorted(self.zxids, key=lambda zxid: int(zxid, 16))]


def run_zkcli(folder: Path, port: int, arguments: list[str], script: str) -> tuple[str, int]:
    """Standard output and exit status of one zkCli."""
    folder.mkdir(parents=True, exist_ok=True)
    log4j = folder / "log4j.properties"
    log4j.write_text(LOG4J)
    jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
    command = [require_java(), "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Duser.timezone=UTC"]
    command += [f"-Dlog4j.configuration=file:{log4j}", "-cp", maven.classpath(jars)]
    command += ["org.apache.zookeeper.ZooKeeperMain", "-server", f"127.0.0.1:{port}", *arguments]
    lines = [line for line in script.splitlines() if line and not line.startswith("#")]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120, check=False
    )
    return f"{done.stdout}\n--- stderr\n{done.stderr}", done.returncode


def sort_identities(lines: list[str]) -> list[str]:
    """`whoami` lists a hash set: put each run of identities in order."""
    ordered: list[str] = []
    for is_identity, run in itertools.groupby(
        lines, key=lambda line: re.match(r"(ip|digest|super): ", line) is not None
    ):
        some = list(run)
        ordered += sorted(some) if is_identity else some
    return ordered


def split_events(lines: list[str]) -> tuple[list[str], list[str]]:
    """The answers and the events: zkCli's event thread prints whenever it likes."""
    events = [line for line in lines if line.startswith("WatchedEvent ")]
    answers = [line for line in lines if line and line != "WATCHER::" and not line.startswith("WatchedEvent ")]
    return answers, events


def transcript(folder: Path, port: int) -> tuple[list[str], list[str], list[str]]:
    """Answers, events and the order of zxids of the whole script on one server."""
    names = Names()
    answers: list[str] = []
    events: list[str] = []
    runs = [([], SCRIPT), ([], SECOND_SCRIPT), *[(command, "") for command in SINGLE_COMMANDS]]
    for arguments, script in runs:
        output, status = run_zkcli(folder, port, arguments, script)
        # The two are named one after the other, so that the event thread's timing can't change a name.
        some_answers, some_events = split_events(output.splitlines())
        answers += [*sort_identities(names.clean("\n".join(some_answers), port)), f"exit {status}"]
        events += names.clean("\n".join(some_events), port)
    return answers, events, names.in_order()


def test_one_script_gives_the_same_transcript_on_both_servers(tmp_path: Path) -> None:
    """Commands good and bad, watches, ACLs, a second session, single commands with their exit status."""
    with RealZooKeeper(tmp_path / "zookeeper") as real, target_class()(tmp_path / "target") as ours:
        expected = transcript(tmp_path / "cli", real.port)
        found = transcript(tmp_path / "cli", ours.port)
    assert len(expected[0]) > 300, "the script has hardly run"
    assert len(expected[1]) > 10, "hardly any event was seen"
    for of_zookeeper, of_ours in zip(expected, found, strict=True):
        assert of_ours == of_zookeeper
