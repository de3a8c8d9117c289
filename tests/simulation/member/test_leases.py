"""Leases under the member's real clock: a second is the shortest there is."""

import asyncio
from pathlib import Path

from etcdcore import LeaseGrant, LeaseRevoke, LeaseRevokeResult, Put
from tests.unit.etcdcore.member.fakes import contents, decide, on_loop, quick_config, running, until


@on_loop
async def test_an_expired_lease_is_revoked_unless_the_listener_takes_care_of_it(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, recorder):
        recorder.keeps.add(8)
        await decide(member, LeaseGrant(7, 1))
        await decide(member, LeaseGrant(8, 1))
        await decide(member, Put(b"seven", b"", 7))
        await decide(member, Put(b"eight", b"", 8))
        await until(lambda: b"seven" not in contents(member))
        assert sorted(set(recorder.expired)) == [7, 8]
        assert contents(member) == {b"eight": b""}
        assert isinstance(await decide(member, LeaseRevoke(8)), LeaseRevokeResult)
        assert contents(member) == {}


@on_loop
async def test_a_renewed_lease_does_not_expire(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, recorder):
        await decide(member, LeaseGrant(7, 1))
        for _ in range(15):
            await asyncio.sleep(0.1)
            member.renew_leases([7, 99])
        assert recorder.expired == []
        assert member.lease_time_to_live(7)[1] == 1
