"""How many puts a second one member decides, with the real log and real syncs; run by hand.

python -m integration.bench.member_throughput DATA_DIR [--seconds 5] [--in-flight 1000] [--value-bytes 256] [--profile]
"""

import argparse
import asyncio
import cProfile
import pstats
import time
from pathlib import Path
from typing import Final, final

import uvloop

from etcdcore import CoreError, Member, MemberConfig, Outcome, Proposal, Put

KEYS: Final = 10_000


@final
class Load:
    def __init__(self, member: Member, value_bytes: int) -> None:
        self.member = member
        self.value = bytes(value_bytes)
        self.keys = [b"/zk/n/bench/%06d" % number for number in range(KEYS)]
        self.answered = 0
        self.is_over = False
        self.put = OnePut(self)

    def submit_next(self) -> None:
        self.member.submit(Put(self.keys[self.answered % KEYS], self.value), self.put)


@final
class OnePut(Proposal):
    """Answered: the next one goes out. One object serves all, as it holds nothing of its own."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def applied(self, result: Outcome | int) -> None:
        load = self.load
        load.answered += 1
        if not load.is_over:
            load.submit_next()

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        raise error


async def measure(arguments: argparse.Namespace) -> None:
    member = Member.open(MemberConfig(arguments.data_dir))
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        load = Load(member, arguments.value_bytes)
        profile = cProfile.Profile() if arguments.profile else None
        if profile is not None:
            profile.enable()
        started, cpu = time.monotonic(), time.thread_time()
        for _ in range(arguments.in_flight):
            load.submit_next()
        for _ in range(arguments.seconds):
            before = load.answered
            await asyncio.sleep(1)
            print(f"{load.answered - before} puts in a second")
        load.is_over = True
        elapsed, cpu = time.monotonic() - started, time.thread_time() - cpu
        if profile is not None:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        rate = load.answered / elapsed
        print(
            f"{rate:.0f} puts/s of {arguments.value_bytes} bytes, {cpu / load.answered * 1e6:.2f} us of loop CPU each"
        )
        await member.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=1000)
    parser.add_argument("--value-bytes", type=int, default=256)
    parser.add_argument("--profile", action="store_true")
    uvloop.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
