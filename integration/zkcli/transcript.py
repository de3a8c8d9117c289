"""Runs zkCli on a server and writes down what it said, comparable between servers.

Behind each command a marker is typed, a look at a node that can't exist, so that output belongs to a command. Events
are printed by another thread whenever they come: they are taken out of the text and compared apart, in their order.

Invariants:
1. Only these are masked: the server's address, session ids (by order of appearance), times (but for the epoch),
   zxids (replaced by their rank among all zxids of the transcript, so that their order still counts).
2. Lists that Java takes out of a hash set are sorted; nothing else is.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from integration.peers import maven
from integration.peers.process import wait_until
from integration.peers.requirements import require_java
from integration.peers.servers import ZOOKEEPER_JARS

TIMEOUT_S = 120
MARKER = "Node does not exist: /==={}==="
EPOCH = "Thu Jan 01 00:00:00 UTC 1970"
EVENT = re.compile(r"\nWATCHER::\n|\nWatchedEvent (.*)\n")
CLOSES = frozenset({"close", "connect", "quit"})
"""The commands that close the client that they are typed into."""
SESSION = re.compile(r"(?<=ephemeralOwner = )0x[0-9a-f]+")
ZXID = re.compile(r"((?<=[cmp]Zxid = )0x[0-9a-f]+|(?<= zxid: )\d+)")
WHO_AM_I = re.compile(r"(?<=Auth scheme: User\n)(\w+: .*\n)+")
TIME = re.compile(r"(?<=[cm]time = )(.*)")


@dataclass(frozen=True, slots=True)
class Said:
    """What one command printed."""

    command: str
    text: str


@dataclass(slots=True)
class Transcript:
    """A conversation with zkCli, and the events that came meanwhile."""

    said: list[Said]
    events: list[str]


class ZkCli:
    """ZooKeeperMain, pointed at one server."""

    def __init__(self, folder: Path, address: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        log4j = folder / "log4j.properties"
        log4j.write_text("log4j.rootLogger=OFF\n")
        jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
        java = [require_java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx200m", "-Dfile.encoding=UTF-8"]
        java += ["-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8", "-Duser.timezone=UTC", "-Duser.language=en"]
        java += [f"-Dlog4j.configuration=file:{log4j}", "-cp", maven.classpath(jars)]
        self.address = address
        self.command = [*java, "org.apache.zookeeper.ZooKeeperMain", "-server", address]

    def converse(self, commands: Sequence[str], last_event: str = "") -> Transcript:
        """Type the commands into one client, which leaves when it is told to, or has printed `last_event`."""
        typed = "".join(f"{line}\nls /==={number}===\n" for number, line in enumerate(commands))
        rest = self._run([], typed, last_event)[1]
        events = events_of(rest, commands)
        rest = EVENT.sub("", rest)
        said: list[Said] = []
        for number, command in enumerate(commands):
            text, found, after = rest.partition(MARKER.format(number) + "\n")
            said.append(Said(command, text))
            if not found:
                break  # the client has quit, or its connection is closed for good
            rest = after
        return Transcript(said, events)

    def execute(self, arguments: Sequence[str]) -> str:
        """One command given as arguments: its output, with the exit status behind it."""
        status, text = self._run(arguments, "")
        return f"{EVENT.sub('', text)}exit status {status}\n"

    def _run(self, arguments: Sequence[str], typed: str, last_event: str = "") -> tuple[int, str]:
        with (
            tempfile.TemporaryFile() as output,
            subprocess.Popen(
                [*self.command, *arguments], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
            ) as child,
        ):
            assert child.stdin is not None
            try:
                with contextlib.suppress(BrokenPipeError), child.stdin as keyboard:
                    keyboard.write(typed.encode())
                    keyboard.flush()
                    # Events are printed by another thread, and are lost when the one that reads commands ends first.
                    wait_until(
                        lambda: last_event.encode() in _read(output) or child.poll() is not None,
                        TIMEOUT_S,
                        f"zkCli prints {last_event!r}",
                    )
                status = child.wait(TIMEOUT_S)
            finally:
                child.kill()
            return status, _read(output).decode().replace(self.address, "ADDRESS")


def _read(output: IO[bytes]) -> bytes:
    """All that is in the file, whose position is the writer's too."""
    return os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0)


def events_of(printed: str, commands: Sequence[str]) -> list[str]:
    """The events, in order, without those by which a client tells itself of its own end.

    That is `Closed`, and `Disconnected` before it if the server's end of the connection was seen before the thread that
    called `close` got as far as to say that it has closed (ZooKeeper ClientCnxn.SendThread.run): on a busy machine it
    often is. So each command that closes a client may bring one such event, after it was typed; any other stays.
    """
    typed_at = [0, *(printed.find(MARKER.format(number)) for number in range(len(commands) - 1))]
    ends = [at for at, command in zip(typed_at, commands, strict=True) if command.split()[0] in CLOSES and at >= 0]
    events: list[str] = []
    for found in EVENT.finditer(printed):
        event = found.group(1)
        if event is None or event.startswith("state:Closed "):
            continue
        if event.startswith("state:Disconnected ") and ends and found.start() >= ends[0]:
            del ends[0]
            continue
        events.append(event)
    return events


class Normaliser:
    """Masks ids and times of one server's transcripts, which must all be shown to it before any is normalised."""

    def __init__(self, texts: Sequence[str]) -> None:
        zxids = sorted({int(found, 0) for text in texts for found in ZXID.findall(text)} | {0})
        self.ranks = {zxid: rank for rank, zxid in enumerate(zxids)}
        self.sessions: dict[str, str] = {"0x0": "0x0"}

    def normalise(self, text: str) -> str:
        """The text as any server would have printed it."""
        text = WHO_AM_I.sub(lambda found: "".join(sorted(found.group().splitlines(keepends=True))), text)
        text = ZXID.sub(lambda found: f"zxid#{self.ranks[int(found.group(), 0)]}", text)
        text = SESSION.sub(lambda found: self._session(found.group()), text)
        text = TIME.sub(lambda found: "epoch" if found.group() == EPOCH else "some time", text)
        return "\n".join(_sort_list(line) for line in text.split("\n"))

    def _session(self, session_id: str) -> str:
        return self.sessions.setdefault(session_id, f"session#{len(self.sessions)}")


def _sort_list(line: str) -> str:
    if line.startswith("[") and line.endswith("]"):
        return f"[{', '.join(sorted(line[1:-1].split(', ')))}]"
    return line
