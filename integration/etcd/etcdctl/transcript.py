"""Scripts for etcdctl, and their output without what differs between any two servers."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from integration.peers.etcd import Answer, Etcdctl, EtcdServer
from integration.peers.process import wait_until

FORMATS = ("simple", "json", "fields", "table")
OUTPUT_TIMEOUT_S = 20.0
# The leases of these scripts are granted for this long; what is left of it is about the same.
TTL_S = 600
# Borders of tables, and the client's own log, which has its addresses in memory.
DROPPED = r"\+[-+]+\+$|\{\"level\":"
RULES: list[tuple[str, str]] = [
    # What is left of a lease, and times that a client measured.
    (rf"\b(?:{TTL_S}|{TTL_S - 10}|{TTL_S // 10 - 1}\d)(?=s?\b)", "<ttl>"),
    (r"\b\d[\d.]*(?:ns|µs|ms|s)\b|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)", "<time>"),
    # Sizes of files, in bytes and for people.
    (r"\b\d+(\.\d+)? [kMG]?B\b|\b\d+%", "<size>"),
    (r"(\"(?:dbSize|dbSizeInUse|DBSize|DBSizeInUse)\" ?: ?)\d+", r"\1<size>"),
    # Raft's own figures.
    (r"(\"(?:raft_term|raftTerm|RaftTerm|raftIndex|RaftIndex|raftAppliedIndex|RaftAppliedIndex)\" ?: ?)\d+", r"\1<n>"),
    # Of them in `endpoint status`: after whether it leads and whether it learns.
    (r"(?:true|false)(, | \| +)(?:true|false)\1\d+\1\d+\1\d+", r"<leads>\1<learns>\1<n>\1<n>\1<n>"),
    # The patch release.
    (r"\b3\.6\.[1-9]\d*\b", "3.6.x"),
]


@dataclass(frozen=True, slots=True)
class Line:
    """One command and how it ended."""

    command: str
    status: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"$ etcdctl {self.command}\n{self.output}{self.errors}exit {self.status}"


class Normaliser:
    """Replaces what is one server's own; the same id always by the same label, in the order of their appearance."""

    def __init__(self, server: EtcdServer) -> None:
        self._server = server
        self._labels: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        for own, label in ((self._server.address, "<client>"), (self._server.peer_url, "<peer>")):
            text = text.replace(own, label)
        text = text.replace(str(self._server.folder), "<folder>")
        # An id is any 64 bits: leading zeros are not printed, and some lines fill them up with blanks (%16x).
        text = re.sub(r"(?<= ) *(?=\b[0-9a-f]{12,15}\b)", "", text)
        text = re.sub(r"\b(?:[0-9a-f]{12,16}|\d{15,20})\b", self._label, text)
        # A subcommand of etcdctl's that panics tells on which stack.
        text = re.sub(r"\[signal SIG.*|goroutine \d+ \[running\].*", "<stack>", text, flags=re.DOTALL)
        text = "".join(f"{_untable(line)}\n" for line in text.splitlines() if not re.match(DROPPED, line))
        for pattern, replacement in RULES:
            text = re.sub(pattern, replacement, text)
        return text

    def _label(self, found: re.Match[str]) -> str:
        return self._labels.setdefault(found[0], f"<id {len(self._labels) + 1}>")


def _untable(line: str) -> str:
    """A row of a table without the blanks that its widest cell asks for."""
    return " | ".join(cell.strip() for cell in line.split("|")).strip() if line.startswith("|") else line


class Session:
    """One server's side of a script: runs commands, keeps what they brought, remembers ids for later ones.

    A command is one line as for a shell, without `etcdctl`. `{name}` in it stands for something remembered. With `*` in
    front it is run in each output format.
    """

    def __init__(self, server: EtcdServer) -> None:
        self.server = server
        self.names = {"client": server.client_url, "folder": str(server.folder)}
        self.lines: list[Line] = []
        self._normalise = Normaliser(server)

    def run(self, command: str, stdin: str = "", remember: str = "", pattern: str = "") -> Answer:
        """Run to the end. With `remember`, the pattern's first group in the output gets that name."""
        formats: Sequence[str] = FORMATS if command.startswith("* ") else ("",)
        for name in formats:
            line = f"{command.removeprefix('* ')} -w {name}" if name else command
            arguments = shlex.split(line)
            answer = Etcdctl.of(self.server).run(*(part.format(**self.names) for part in arguments), stdin=stdin)
            self.note(line, answer.status, answer.output, answer.errors)
        if remember:
            found = re.search(pattern, answer.output)
            assert found is not None, f"{command}: no {pattern!r} in {answer.output!r} {answer.errors!r}"
            self.names[remember] = found[1]
        return answer

    def note(self, command: str, status: int, output: str, errors: str = "") -> None:
        """Put a line into the transcript."""
        self.lines.append(Line(command, status, self._normalise(output), self._normalise(errors)))

    def background(self, command: str, *, stdin: bool = False) -> Running:
        """Start a command that goes on until it is ended."""
        arguments = [part.format(**self.names) for part in shlex.split(command)]
        return Running(self, command, Etcdctl.of(self.server).command(*arguments), stdin)


class Running:
    """A command in the background, its output in files; ended at the latest with the `with` block."""

    def __init__(self, session: Session, text: str, command: list[str], has_stdin: bool) -> None:
        self.session = session
        self.text = text
        number = len(list(session.server.folder.glob("background*")))
        self._output_path = session.server.folder / f"background{number}.out"
        self._errors_path = session.server.folder / f"background{number}.err"
        with open(self._output_path, "wb") as output, open(self._errors_path, "wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                # A shell's background job ignores it, and etcdctl would do so too.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def output(self) -> str:
        """What it wrote to stdout so far."""
        return self._output_path.read_text(errors="backslashreplace")

    def wait_output(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait until the pattern is in the output so many times; the last of them."""
        matches: list[re.Match[str]] = []

        def has_come() -> bool:
            matches[:] = re.finditer(pattern, self.output())
            return len(matches) >= count

        wait_until(has_come, OUTPUT_TIMEOUT_S, f"{self.text}: {pattern!r}, have {self.output()!r}")
        return matches[-1]

    def type(self, line: str) -> None:
        """One line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def finish(self, signal_number: int | None = None) -> None:
        """Wait for its end, after a signal if one is given, and note what it wrote."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        status = self.process.wait(OUTPUT_TIMEOUT_S)
        errors = self._errors_path.read_text(errors="backslashreplace")
        self.session.note(self.text, status, self.output(), errors)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def commands_of(text: str) -> Iterator[str]:
    """The commands of a script, one a line; lines that start with # head its sections."""
    for line in text.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def play_text(text: str) -> Callable[[Session], None]:
    """A script that is nothing but commands."""

    def play(session: Session) -> None:
        for command in commands_of(text):
            session.run(command)

    return play


def check_same(servers: Sequence[EtcdServer], play: Callable[[Session], None]) -> None:
    """Plays on all servers at once; fails with every line whose output is not the first server's."""
    sessions = [Session(server) for server in servers]
    with ThreadPoolExecutor(len(sessions)) as pool:
        for done in [pool.submit(play, session) for session in sessions]:
            done.result()
    real, ours = (session.lines for session in sessions)
    assert [line.command for line in real] == [line.command for line in ours]
    pairs = [(expected, found) for expected, found in zip(real, ours, strict=True) if expected != found]
    report = "\n\n".join(f"{servers[0].kind}: {expected}\n{servers[1].kind}: {found}" for expected, found in pairs)
    assert not pairs, f"{len(pairs)} of {len(real)} commands differ\n\n{report}"
