"""zkCli says the same on the bridge as on ZooKeeper 3.9 (issue 3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.peers.servers import RealZooKeeper, ZooKeeperServer, target_class
from integration.zkcli.script import ARGUMENTS, FIRST, REFUSED, SECOND, SUPER_DIGEST, commands
from integration.zkcli.transcript import Normaliser, Said, ZkCli

SETTINGS = {"DigestAuthenticationProvider.superDigest": SUPER_DIGEST, "znode.container.checkIntervalMs": "3600000"}


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything zkCli said on one server, normalised."""

    said: list[Said]
    events: list[str]
    executed: list[Said]


def converse(server: ZooKeeperServer, folder: Path) -> Conversation:
    """The whole script on a fresh server."""
    cli = ZkCli(folder, server.address)
    with server:
        transcripts = [cli.converse(commands(text, server.address)) for text in (FIRST, SECOND)]
        refused = cli.converse(commands(REFUSED, server.address), last_event="state:AuthFailed")
        executed = [Said(" ".join(arguments), cli.execute(arguments)) for arguments in ARGUMENTS]
    said = [entry for transcript in transcripts for entry in transcript.said]
    events = [event for transcript in [*transcripts, refused] for event in transcript.events]
    normaliser = Normaliser([*(entry.text for entry in said), *events])
    return Conversation(
        [Said(entry.command.replace(server.address, "ADDRESS"), normaliser.normalise(entry.text)) for entry in said],
        [normaliser.normalise(event) for event in events],
        executed,
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Conversation, Conversation]:
    """The conversation with ZooKeeper and the one with the target under test."""
    folder = tmp_path_factory.mktemp("zkcli")
    servers = [RealZooKeeper(folder / "zookeeper", SETTINGS), target_class()(folder / "target", SETTINGS)]
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(converse, server, folder / f"cli{n}") for n, server in enumerate(servers)]
        return running[0].result(), running[1].result()


def differences(real: list[Said], ours: list[Said]) -> list[str]:
    """Each command whose output is not the same."""
    assert [entry.command for entry in real] == [entry.command for entry in ours]
    pairs = zip(real, ours, strict=True)
    return [f"> {a.command}\nZooKeeper: {a.text}\nours:      {b.text}" for a, b in pairs if a.text != b.text]


def test_the_script_reaches_its_end_and_most_commands_succeed(both: tuple[Conversation, Conversation]) -> None:
    """The comparison is not one of two error messages: the script was played to its last line on ZooKeeper."""
    said = both[0].said
    assert said[-1].command in {"close", "ls /", "quit"}
    assert len(said) > 200
    assert not [entry for entry in said if "ConnectionLoss" in entry.text or "Unknown error" in entry.text]


def test_every_command_prints_what_it_prints_on_zookeeper(both: tuple[Conversation, Conversation]) -> None:
    """Answers and error messages, Stat by Stat."""
    found = differences(both[0].said, both[1].said)
    assert not found, "\n\n".join(found)


def test_the_same_events_are_printed_in_the_same_order(both: tuple[Conversation, Conversation]) -> None:
    """What the watches of -w and addWatch bring."""
    assert both[0].events == both[1].events
    assert len(both[0].events) > 20


def test_commands_given_as_arguments_print_and_exit_alike(both: tuple[Conversation, Conversation]) -> None:
    """Scripts use zkCli so, and look at its exit status."""
    found = differences(both[0].executed, both[1].executed)
    assert not found, "\n\n".join(found)
    assert {entry.text.splitlines()[-1] for entry in both[0].executed} == {"exit status 0", "exit status 1"}
