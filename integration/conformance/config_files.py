"""Configuration files as an operator has them, for our server and for ZooKeeper's: written, started, parsed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from integration.peers import maven
from integration.peers.build import our_python
from integration.peers.process import ChildProcess, ask_four_letters, free_port, wait_until
from integration.peers.requirements import require_java
from integration.peers.servers import LOG4J, START_TIMEOUT_S, ZOOKEEPER_JARS

PARSER = Path(__file__).parent / "ParseConfig.java"


@dataclass(frozen=True)
class ConfigFile:
    """A zoo.cfg with room for {data} (its directory), {folder} (of the file itself) and free ports {port}, {quorum},
    {election}, {other}. `my_id`: the content of the file myid, None for no such file; `more`: files beside it."""

    text: str
    my_id: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)


class Written:
    """A configuration file on the disk."""

    def __init__(self, config: ConfigFile, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "zoo.cfg"
        data = folder / "data"
        data.mkdir(parents=True)
        self.port = free_port()
        self.fields = {"data": data, "folder": folder, "port": self.port}
        self.fields |= {name: free_port() for name in ("quorum", "election", "other")}
        self.path.write_text(config.text.format(**self.fields))
        for name, text in config.more.items():
            (folder / name).write_text(text.format(**self.fields))
        if config.my_id is not None:
            (data / "myid").write_text(config.my_id)

    def files(self) -> dict[str, bytes]:
        """What lies beside the configuration file, itself included."""
        paths = [path for path in self.folder.iterdir() if path.suffix != ".log" and path.is_file()]
        return {path.name: path.read_bytes() for path in paths}


class Started:
    """A server that was given nothing but a configuration file."""

    def __init__(self, kind: str, written: Written) -> None:
        self.written = written
        log = written.folder / "server.log"
        if kind == "bridge":
            command = [*our_python(), "-m", "zkbridge", "serve", "--config", str(written.path)]
        else:
            jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
            log4j = written.folder / "log4j.log"
            log4j.write_text(LOG4J)
            command = [require_java(), "-Xmx300m", f"-Dlog4j.configuration=file:{log4j}", "-cp", maven.classpath(jars)]
            command += ["org.apache.zookeeper.server.quorum.QuorumPeerMain", str(written.path)]
        self.child = ChildProcess(command, log)

    def __enter__(self) -> Started:
        self.child.spawn()

        def serves() -> bool:
            assert self.child.is_running(), self.child.log_tail()
            return "Mode:" in ask_four_letters(self.written.port, "srvr")

        wait_until(serves, START_TIMEOUT_S, "the server answers")
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()

    def ask(self, word: str) -> str:
        """A four-letter word's answer."""
        return ask_four_letters(self.written.port, word)


def zookeepers_verdicts(paths: Sequence[Path]) -> dict[Path, str]:
    """`taken` or `refused: …` for each file, of ZooKeeper's parser."""
    jars = maven.install_jars("zookeeper", ZOOKEEPER_JARS)
    command = [require_java(), "-cp", maven.classpath(jars), str(PARSER), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = [line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line]
    verdicts = {Path(path): verdict for path, verdict in lines}
    assert verdicts.keys() == set(paths), done.stderr[-2000:]
    return verdicts
