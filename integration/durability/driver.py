"""The process that gets killed: opens a member, says what it holds, then writes as fast as it is answered.

One caller submits puts with ascending sequence numbers, number n to key n mod KEYS. So after any crash the store must
hold a prefix of the numbers submitted, at least as long as what was acknowledged.
frame to the parent: kind u64 | a u64 | b u64. HELD: key, number; OPENED: revision, milliseconds until writable; ACK:
number, revision; DROPPED: number, 1 if it surely has no effect.
"""

import asyncio
import os
import struct
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, final

from etcdcore import CoreError, Member, MemberConfig, Outcome, Proposal, Put, PutResult, Range

FRAME: Final = struct.Struct("<QQQ")
ACK: Final = 1
HELD: Final = 2
OPENED: Final = 3
DROPPED: Final = 4
KEYS: Final = 200
IN_FLIGHT: Final = 64
VALUE: Final = bytes(200)


def restless_config(data_dir: Path) -> MemberConfig:
    """Everything that happens in seconds or megabytes happens all the time, so that kills hit it."""
    return MemberConfig(
        data_dir=data_dir,
        commit_interval_ms=5,
        commit_operations=100,
        checkpoint_interval_s=0.03,
        checkpoint_bytes=1 << 16,
        kept_entries=8,
        segment_bytes=1 << 17,
        compaction_retention_s=0,
        compaction_revisions_max=500,
    )


@final
class _Numbered(Proposal):
    __slots__ = ("sequence", "writer")

    def __init__(self, writer: "Writer", sequence: int) -> None:
        self.writer = writer
        self.sequence = sequence

    def applied(self, result: Outcome | int) -> None:
        assert isinstance(result, PutResult), result
        self.writer.tell(ACK, self.sequence, result.revision)
        self.writer.submit_next()

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.writer.tell(DROPPED, self.sequence, int(is_decided))


@final
class Writer:
    def __init__(self, member: Member, descriptor: int, sequence: int) -> None:
        self.member = member
        self.descriptor = descriptor
        self.sequence = sequence

    def tell(self, kind: int, a: int, b: int) -> None:
        os.write(self.descriptor, FRAME.pack(kind, a, b))

    def submit_next(self) -> None:
        self.sequence += 1
        number = self.sequence
        key = b"k%05d" % (number % KEYS)
        self.member.submit(Put(key, struct.pack("<Q", number) + VALUE), _Numbered(self, number))

    def tell_held(self) -> None:
        """Everything in the store, and take up the numbers behind it."""
        result = self.member.range(Range(b"k", b"l"))
        assert not isinstance(result, CoreError), result
        for kv in result.kvs:
            (number,) = struct.unpack_from("<Q", kv.value)
            self.tell(HELD, int(kv.key[1:]), number)
            self.sequence = max(self.sequence, number)


async def write_until_killed(data_dir: Path, descriptor: int) -> None:
    started = time.monotonic()
    member = Member.open(restless_config(data_dir))
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        writer = Writer(member, descriptor, 0)
        writer.tell_held()
        writer.tell(OPENED, member.revision(), int((time.monotonic() - started) * 1000))
        for _ in range(IN_FLIGHT):
            writer.submit_next()


def run(data_dir: str, pipe: Connection) -> None:
    """Entry point of the child process: never returns by itself."""
    asyncio.run(write_until_killed(Path(data_dir), pipe.fileno()))
