"""What the client offers does on every channel what it says; the same stories run against real etcd."""

import asyncio
import uuid

import pytest

from etcdcore.client import Client, EtcdError, LeaseLost, WatchCompacted
from etcdcore.client.requests import create_revision, delete, get, lease, mod_revision, put, txn, value, version
from etcdcore.errors import KeyNotProvided, LeaseNotFound, RevisionCompacted, RevisionInFuture
from integration.etcd.client.conftest import Play


def _room() -> str:
    """A prefix that no other story uses."""
    return f"{uuid.uuid4().hex}/"


def test_put_get_and_delete_answer_with_revisions_and_pairs(play: Play) -> None:
    async def story(client: Client) -> None:
        room = _room()
        first = await client.put(room + "a", b"\x00\xff")
        second = await client.put(room + "a", "2", prev_kv=True)
        assert second.header.revision == first.header.revision + 1
        assert second.prev_kv.value == b"\x00\xff"
        for number in range(5):
            await client.put(f"{room}b{number}", str(number))
        found = await client.get(room, prefix=True, limit=2, sort_order="DESCEND")
        assert [pair.key.decode() for pair in found.kvs] == [room + "b4", room + "b3"]
        assert (found.count, found.more) == (6, True)
        old = (await client.get(room + "a", revision=first.header.revision)).kvs[0]
        assert (old.value, old.version) == (b"\x00\xff", 1)
        assert (await client.get(room + "b3", from_key=True, count_only=True)).count >= 2
        assert (await client.get(room + "b1", range_end=room + "b3", keys_only=True)).kvs[0].value == b""
        gone = await client.delete(room + "b", prefix=True, prev_kv=True)
        assert gone.deleted == 5 and gone.prev_kvs[4].value == b"4"
        assert (await client.get(room, prefix=True)).count == 1

    play(story)


def test_a_transaction_takes_the_branch_that_its_compares_choose(play: Play) -> None:
    async def story(client: Client) -> None:
        key = _room() + "k"
        created = await client.txn([version(key, "==", 0)], [put(key, "1")], [get(key)])
        assert created.succeeded
        revision = created.header.revision
        known = [mod_revision(key, "==", revision), create_revision(key, ">", 0), value(key, "!=", "2")]
        assert not (await client.txn([*known, lease(key, ">", 0)])).succeeded
        nested = await client.txn(
            [*known, value(key, "<", "2", prefix=True)],
            [put(key, "2", prev_kv=True), txn([], [get(key)]), delete(key + "other")],
        )
        assert nested.succeeded
        assert nested.responses[0].response_put.prev_kv.value == b"1"
        assert nested.responses[1].response_txn.responses[0].response_range.kvs[0].value == b"2"
        assert nested.responses[2].response_delete_range.deleted == 0

    play(story)


def test_a_refusal_is_an_error_with_etcds_text_and_code(play: Play) -> None:
    async def story(client: Client) -> None:
        for call, kind in (
            (client.put("", "x"), KeyNotProvided),
            (client.put("k", "x", lease=4711), LeaseNotFound),
            (client.get("k", revision=1 << 40), RevisionInFuture),
        ):
            with pytest.raises(EtcdError) as caught:
                await call
            assert caught.value.is_(kind)
            assert caught.value.code == kind.grpc_code

    play(story)


def test_a_watch_sees_every_change_after_it_was_entered(play: Play) -> None:
    async def story(client: Client) -> None:
        room = _room()
        async with client.watch(room, prefix=True, prev_kv=True) as watch:
            await client.put(room + "a", "1")
            await client.put(room + "a", "2")
            await client.delete(room + "a")
            seen = []
            async for response in watch:
                seen += [(event.type, event.kv.value, event.prev_kv.value) for event in response.events]
                if len(seen) == 3:
                    break
        assert seen == [(0, b"1", b""), (0, b"2", b"1"), (1, b"", b"2")]

    play(story)


def test_a_watch_from_a_revision_sees_what_was_before_and_stops_when_closed(play: Play) -> None:
    async def story(client: Client) -> None:
        room = _room()
        first = (await client.put(room + "a", "1")).header.revision
        await client.put(room + "b", "2")
        async with client.watch(room, prefix=True, start_revision=first, filters=["NODELETE"]) as watch:
            values = [event.kv.value for event in (await anext(watch)).events]
            while len(values) < 2:
                values += [event.kv.value for event in (await anext(watch)).events]
            assert values == [b"1", b"2"]
            watch.close()
            assert [response async for response in watch] == []

    play(story)


def test_a_watch_whose_history_is_gone_says_from_where_it_can_go_on(play: Play) -> None:
    async def story(client: Client) -> None:
        room = _room()
        first = (await client.put(room + "a", "1")).header.revision
        last = (await client.put(room + "a", "2")).header.revision
        await client.compact(last)
        with pytest.raises(WatchCompacted) as caught:
            async with client.watch(room, prefix=True, start_revision=first) as watch:
                await anext(watch)
        assert caught.value.compact_revision == last
        with pytest.raises(EtcdError) as refused:
            await client.get(room + "a", revision=first)
        assert refused.value.is_(RevisionCompacted)

    play(story)


def test_progress_on_request_comes_when_all_is_seen(play: Play) -> None:
    async def story(client: Client) -> None:
        room = _room()
        async with client.watch(room, prefix=True) as watch:
            revision = (await client.put(room + "other", "")).header.revision
            while not (response := await anext(watch)).events:
                pass
            await watch.request_progress()
            response = await anext(watch)
            assert not response.events and response.header.revision >= revision

    play(story)


def test_a_lease_takes_its_keys_along_and_is_kept_while_somebody_keeps_it(play: Play) -> None:
    async def story(client: Client) -> None:
        key = _room() + "k"
        async with client.lease(2) as kept:
            await client.put(key, "x", lease=kept.lease_id)
            await asyncio.sleep(3)
            left = await client.lease_time_to_live(kept.lease_id, keys=True)
            assert left.TTL >= 0 and left.grantedTTL == 2 and list(left.keys) == [key.encode()]
            assert kept.lease_id in [one.ID for one in (await client.leases()).leases]
        assert not (await client.get(key)).kvs
        assert (await client.lease_time_to_live(kept.lease_id)).TTL == -1
        with pytest.raises(LeaseLost):
            await client.lease_keep_alive_once(kept.lease_id)

    play(story)


def test_losing_a_kept_lease_cancels_the_body_that_relies_on_it(play: Play) -> None:
    async def story(client: Client) -> None:
        with pytest.raises(LeaseLost):
            async with client.lease(2) as kept:
                await client.lease_revoke(kept.lease_id)
                await asyncio.sleep(30)

    play(story)


def test_a_lock_is_held_by_one_at_a_time(play: Play) -> None:
    async def story(client: Client) -> None:
        name = _room() + "lock"
        inside: list[int] = []
        order: list[int] = []

        async def work(number: int) -> None:
            async with client.lock(name, ttl_s=10) as key:
                assert inside == []
                inside.append(number)
                assert (await client.get(key)).count == 1
                await asyncio.sleep(0.05)
                inside.remove(number)
                order.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(work(number))
        assert sorted(order) == [0, 1, 2, 3]
        assert (await client.get(name, prefix=True)).count == 0

    play(story)


def test_an_election_has_one_leader_whom_everybody_sees(play: Play) -> None:
    async def story(client: Client) -> None:
        election = client.election(_room() + "office")
        with pytest.raises(EtcdError, match="election: no leader"):
            await election.leader()
        async with client.lease(10) as first, client.lease(10) as second:
            leader = await election.campaign("ann", first.lease_id)
            assert (await election.leader()).value == b"ann"
            async with asyncio.TaskGroup() as group:
                bob = group.create_task(election.campaign("bob", second.lease_id))
                await election.proclaim(leader, "ann again")
                seen = election.observe()
                assert (await anext(seen)).value == b"ann again"
                await election.resign(leader)
                await bob
                assert (await anext(seen)).value == b"bob"
                await seen.aclose()

    play(story)


def test_the_member_tells_of_itself(play: Play) -> None:
    async def story(client: Client) -> None:
        await client.put(_room(), "x")
        status = await client.maintenance.status()
        assert status.version.startswith("3.6.") and status.leader == status.header.member_id
        members = await client.members.list()
        assert [member.ID for member in members.members] == [status.leader]
        hashed = await client.maintenance.hash_kv()
        assert hashed.hash_revision == hashed.header.revision
        assert not (await client.maintenance.alarms()).alarms
        await client.maintenance.defragment()

    play(story)


def test_a_snapshot_ends_with_its_digest(play: Play) -> None:
    import hashlib

    async def story(client: Client) -> None:
        data = b"".join([piece async for piece in client.maintenance.snapshot()])
        assert len(data) % 512 == 32
        assert hashlib.sha256(data[:-32]).digest() == data[-32:]

    play(story)


def test_a_deadline_is_kept(play: Play) -> None:
    async def story(client: Client) -> None:
        name = _room() + "lock"
        async with client.lease(20) as first, client.lease(20) as second:
            election = client.election(name)
            await election.campaign("a", first.lease_id)
            with pytest.raises(EtcdError) as caught:
                await election.campaign("b", second.lease_id, timeout_s=0.3)
            assert caught.value.code == 4

    play(story)
