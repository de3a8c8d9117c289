"""Same answers: seeded random requests on etcdcore and on etcd 3.6, none of the answers different (issue 4).

Each script runs on fresh servers, which must come back with equal contents when they have been ended. A failing seed is
printed with the few steps of its script that it takes; `pytest integration/etcd/conformance --seed N` replays it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from etcdcore.pb import rpc_pb2 as rpc
from integration.etcd.conformance import steps
from integration.etcd.conformance.player import Player, Record
from integration.etcd.conformance.script import ScriptMaker
from integration.etcd.conformance.shrink import shrink
from integration.etcd.conformance.steps import Settle, Step, Unary, WatchCancel, WatchClose, describe
from integration.peers.etcd import TARGETS, RealEtcd, target_names

REQUESTS = 100_000
REQUESTS_PER_SCRIPT = 5_000
FIRST_SEED = 4000
SHRINK_TRIES_MAX = 60
SHOWN_BYTES_MAX = 3000
# What servers hold in the end.
CONTENTS: list[Step] = [
    Unary(steps.RANGE, rpc.RangeRequest(key=b"\x00", range_end=b"\x00")),
    Unary(steps.LEASES, rpc.LeaseLeasesRequest()),
    Unary(steps.HASH_KV, rpc.HashKVRequest()),
]


class Pair:
    """Both servers, fresh; used for one script. With ZKBRIDGE_TEST_ETCD=etcd two real ones: the script's own test."""

    def __init__(self, folder: Path) -> None:
        ours = TARGETS[target_names()[0]]
        self.servers = [RealEtcd(folder / "etcd"), ours(folder / "ours")]

    def play(self, script: Sequence[Step]) -> list[Record]:
        """What both answered, and what they hold after they were ended and started again: ours by kill -9."""
        try:
            for server in self.servers:
                server.child.spawn()
            records = self._play_on_both(script)
            # etcd is stopped as it should be: after a crash it replays its log without ranges, and with them goes the
            # reason why a transaction was refused that reads at a revision to come, so that it takes place after all.
            self.servers[0].stop()
            self.servers[1].kill()
            for server in self.servers:
                server.child.spawn()
            for record, contents in zip(records, self._play_on_both(CONTENTS), strict=True):
                record += contents
            return records
        finally:
            for server in self.servers:
                server.kill()

    def _play_on_both(self, script: Sequence[Step]) -> list[Record]:
        for server in self.servers:
            server.wait_serving()

        async def play() -> list[Record]:
            return await asyncio.gather(*(Player(server.address).play(script) for server in self.servers))

        records = asyncio.run(play())
        for server in self.servers:
            assert server.child.is_running(), f"{server.kind} ended:\n{server.child.log_tail()}"
        return records


def first_difference(real: Record, ours: Record) -> int | None:
    """The number of the first step that brought different things."""
    for number, (expected, found) in enumerate(zip(real, ours, strict=True)):
        if expected != found:
            return number
    return None


def show(step: Step, answer: str | bytes) -> str:
    """An answer as one can read it."""
    if isinstance(answer, bytes):
        message = step.method.response if isinstance(step, Unary) else rpc.LeaseKeepAliveResponse
        answer = str(message.FromString(answer)).strip()
    return answer if len(answer) <= SHOWN_BYTES_MAX else f"{answer[:SHOWN_BYTES_MAX]} ... and so on"


class Search:
    """Plays scripts, each on fresh servers in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folders: Iterator[Path] = (folder / str(number) for number in itertools.count())

    def difference(self, script: Sequence[Step]) -> tuple[int, Record, Record] | None:
        """Where a script makes a difference, and what both answered."""
        real, ours = Pair(next(self._folders)).play(script)
        number = first_difference(real, ours)
        return None if number is None else (number, real, ours)

    def report(self, script: Sequence[Step], number: int) -> str:
        """The shortest script found that makes a difference, and which one."""
        whole = [*script, *CONTENTS]
        # Later steps have no part in it, unless it was seen only by who looked at the end.
        failing = whole[: number + 1] if number < len(script) else list(script)
        if not isinstance(failing[-1], Settle | WatchClose | WatchCancel):
            failing = shrink(failing, lambda part: self.difference(part) is not None, SHRINK_TRIES_MAX)
        else:
            last = failing[-1]
            failing = shrink(failing[:-1], lambda part: self.difference([*part, last]) is not None, SHRINK_TRIES_MAX)
            failing.append(last)
        found = self.difference(failing)
        lines = [f"  {place}: {describe(step)}" for place, step in enumerate(failing)]
        if found is None:
            return "\n".join([*lines, "  and now no difference: it depends on time"])
        place, real, ours = found
        step = [*failing, *CONTENTS][place]
        lines += [f"step {place}: {describe(step)}", f"  etcd: {show(step, real[place])}"]
        return "\n".join([*lines, f"  etcdcore: {show(step, ours[place])}"])


@pytest.mark.timeout(1800)
def test_the_same_requests_get_the_same_answers_from_both_servers(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Responses field by field, error codes and texts, what watchers get, revisions and HashKV."""
    seed_asked: int | None = pytestconfig.getoption("--seed", None)
    operations: int = pytestconfig.getoption("--operations", None) or REQUESTS
    size = min(operations, REQUESTS_PER_SCRIPT)
    seeds = [seed_asked] if seed_asked is not None else [FIRST_SEED + number for number in range(operations // size)]
    search = Search(tmp_path)
    for seed in seeds:
        script = ScriptMaker(seed).script(size)
        found = search.difference(script)
        if found is not None:
            number, real, ours = found
            step = [*script, *CONTENTS][number]
            first = f"step {number}: {describe(step)}\n  etcd: {show(step, real[number])}"
            first += f"\n  etcdcore: {show(step, ours[number])}"
            pytest.fail(f"--seed {seed}\n{first}\nshrunk:\n{search.report(script, number)}", pytrace=False)
