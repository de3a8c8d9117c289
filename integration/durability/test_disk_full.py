"""A disk that really fills up: writes are refused, reads go on, it recovers when there is room, nothing is lost."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from etcdcore import Member, MemberConfig, NoSpace, Put, PutResult
from integration.durability.small_disk import mounted
from tests.unit.etcdcore.member.fakes import Answer, Recorder, contents, on_loop, running, submit, until

DISK_MIB: Final = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", DISK_MIB) as path:
        yield path


def _config(data_dir: Path) -> MemberConfig:
    return MemberConfig(
        data_dir, commit_interval_ms=20, checkpoint_interval_s=0.2, segment_bytes=1 << 20, kept_entries=16
    )


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        stats = os.statvfs(ballast)
        os.posix_fallocate(file.fileno(), 0, max(stats.f_bavail * stats.f_frsize, 1))


class Puts:
    """Writes until it is refused, and knows what was answered; what waits on the full disk is collected later."""

    def __init__(self) -> None:
        self.number = 0
        self.waiting: list[tuple[bytes, bytes, Answer]] = []
        self.answered: dict[bytes, bytes] = {}

    async def put(self, member: Member, recorder: Recorder, value_bytes: int = 3000) -> None:
        self.number += 1
        key, value = b"k%04d" % (self.number % 500), b"%d " % self.number + bytes(value_bytes)
        answer = submit(member, Put(key, value))
        self.waiting.append((key, value, answer))
        await until(lambda: answer.future.done() or recorder.write_states[-1] == NoSpace())
        self.collect()

    def collect(self) -> None:
        while self.waiting and self.waiting[0][2].future.done():
            key, value, answer = self.waiting.pop(0)
            if isinstance(answer.future.result(), PutResult):
                self.answered[key] = value

    async def put_until_refused(self, member: Member, recorder: Recorder) -> None:
        while recorder.write_states[-1] != NoSpace():
            await self.put(member, recorder)


@pytest.mark.timeout(120)
@on_loop
async def test_a_full_disk_refuses_writes_and_recovers_with_every_answered_write(small_disk: Path) -> None:
    config = _config(small_disk / "data")
    ballast = small_disk / "ballast"
    puts = Puts()
    async with running(config) as (member, recorder):
        for _ in range(3):
            _fill(ballast)
            await puts.put_until_refused(member, recorder)
            refused = submit(member, Put(b"refused", b""))
            assert refused.future.result() == NoSpace() and refused.is_decided
            puts.collect()
            assert contents(member) == puts.answered, "reads go on and show what was answered"
            ballast.unlink()
            await member.wait_writable()
            await puts.put(member, recorder)
            assert not puts.waiting, "what had to wait for room was answered in its turn"
        assert recorder.write_states.count(NoSpace()) >= 3
        assert recorder.revisions == sorted(set(recorder.revisions)), "no revision was told twice"
    assert not recorder.failures
    async with running(config) as (member, _):
        assert contents(member) == puts.answered


@pytest.mark.timeout(120)
@on_loop
async def test_a_member_stopped_on_a_full_disk_starts_again_with_every_answered_write(small_disk: Path) -> None:
    config = _config(small_disk / "data")
    ballast = small_disk / "ballast"
    puts = Puts()
    async with running(config) as (member, recorder):
        _fill(ballast)
        await puts.put_until_refused(member, recorder)
    ballast.unlink()
    puts.collect()
    async with running(config) as (member, _):
        held = contents(member)
        assert {key: held.get(key) for key in puts.answered} == puts.answered
