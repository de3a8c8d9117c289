"""kazoo's recipes used for real, across restarts of the server: sessions, locks and caches live through them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError, RolledBackError, RuntimeInconsistency
from kazoo.recipe.cache import TreeCache
from kazoo.retry import KazooRetry

from integration.peers.process import wait_until
from integration.peers.servers import ZooKeeperServer, target_class

pytestmark = pytest.mark.timeout(300)
WAIT_S = 30.0
# kazoo ships no types: its clients are Any at this edge.
Client = Any
Open = Callable[[], Client]


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeperServer]:
    """One server for all recipes; each test restarts it."""
    with target_class()(tmp_path_factory.mktemp("recipes") / "server") as server:
        yield server


@pytest.fixture
def connect(zookeeper: ZooKeeperServer, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens clients below a chroot of the test's own, and closes them."""
    chroot = "/" + request.node.name.replace("[", "-").replace("]", "")
    clients: list[Client] = []
    maker = KazooClient(zookeeper.address, timeout=20)
    maker.start(timeout=WAIT_S)
    maker.ensure_path(chroot)
    maker.stop()
    maker.close()

    def open_client() -> Client:
        retry = KazooRetry(max_tries=-1, delay=0.3, max_delay=0.5)
        client = KazooClient(zookeeper.address + chroot, timeout=20, connection_retry=retry, command_retry=retry)
        client.start(timeout=WAIT_S)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.stop()
        client.close()


def restart(zookeeper: ZooKeeperServer, *clients: Client) -> None:
    """Restart the server, and see every client go on with the session it had."""
    before = [client.client_id for client in clients]
    zookeeper.restart()
    for client in clients:
        wait_until(partial(_is_connected, client), WAIT_S, "a client reconnects")
        client.retry(client.exists, "/")
    assert [client.client_id for client in clients] == before, "a session was lost"


def _is_connected(client: Client) -> bool:
    return bool(client.connected)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Run something beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def signal_after(work: Callable[[], object], finished: threading.Event) -> threading.Thread:
    """Run something beside the test, and tell when it is through."""

    def work_and_tell() -> None:
        work()
        finished.set()

    return in_thread(work_and_tell)


def test_a_lock_is_held_across_a_restart_and_then_passes_on(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """The holder's ephemeral node lives as long as its session, not its connection."""
    first, second = connect(), connect()
    lock, waiting = first.Lock("/lock", "first"), second.Lock("/lock", "second")
    assert lock.acquire(timeout=WAIT_S)
    restart(zookeeper, first, second)
    assert not waiting.acquire(blocking=False)
    assert lock.contenders() == ["first"]
    acquired = threading.Event()
    thread = signal_after(waiting.acquire, acquired)
    wait_until(lambda: lock.contenders() == ["first", "second"], WAIT_S, "the second one waits")
    assert not acquired.is_set()
    lock.release()
    assert acquired.wait(WAIT_S)
    thread.join(WAIT_S)
    waiting.release()


def test_a_lock_waited_for_across_a_restart_is_got(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """The waiter's place in the queue is kept while the server is away."""
    first, second = connect(), connect()
    lock, waiting = first.Lock("/lock", "first"), second.Lock("/lock", "second")
    assert lock.acquire(timeout=WAIT_S)
    acquired = threading.Event()
    signal_after(waiting.acquire, acquired)
    wait_until(lambda: len(lock.contenders()) == 2, WAIT_S, "the second one waits")
    restart(zookeeper, first, second)
    assert not acquired.is_set()
    lock.release()
    assert acquired.wait(WAIT_S)
    waiting.release()


def test_readers_share_a_lock_that_a_writer_has_alone(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """ReadLock and WriteLock."""
    one, two, three = connect(), connect(), connect()
    readers = [one.ReadLock("/shared", "one"), two.ReadLock("/shared", "two")]
    writer = three.WriteLock("/shared", "three")
    assert all(reader.acquire(timeout=WAIT_S) for reader in readers)
    restart(zookeeper, one, two, three)
    assert not writer.acquire(blocking=False)
    for reader in readers:
        reader.release()
    assert writer.acquire(timeout=WAIT_S)
    assert not readers[0].acquire(blocking=False)
    writer.release()


def test_a_semaphore_counts_its_leases_across_a_restart(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Two of three get in, the third one when a place is free."""
    clients = [connect() for _ in range(3)]
    semaphores = [client.Semaphore("/semaphore", f"c{number}", 2) for number, client in enumerate(clients)]
    assert semaphores[0].acquire(timeout=WAIT_S)
    assert semaphores[1].acquire(timeout=WAIT_S)
    restart(zookeeper, *clients)
    assert not semaphores[2].acquire(blocking=False)
    assert sorted(semaphores[0].lease_holders()) == ["c0", "c1"]
    semaphores[0].release()
    assert semaphores[2].acquire(timeout=WAIT_S)


def test_an_election_has_one_leader_and_the_next_one_follows(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Leadership survives a restart and passes on when the leader leaves."""
    first, second = connect(), connect()
    elections = [first.Election("/election", "first"), second.Election("/election", "second")]
    leading = [threading.Event(), threading.Event()]
    leave = [threading.Event(), threading.Event()]

    def lead(number: int) -> None:
        leading[number].set()
        leave[number].wait()

    threads = [in_thread(lambda: elections[0].run(lead, 0))]
    assert leading[0].wait(WAIT_S)
    threads.append(in_thread(lambda: elections[1].run(lead, 1)))
    wait_until(lambda: elections[0].contenders() == ["first", "second"], WAIT_S, "both stand")
    restart(zookeeper, first, second)
    assert not leading[1].is_set()
    leave[0].set()
    assert leading[1].wait(WAIT_S)
    leave[1].set()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_queues_keep_their_entries_and_their_order(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Queue with priorities, LockingQueue with an entry held across the restart."""
    first, second = connect(), connect()
    queue = first.Queue("/queue")
    for value, priority in ((b"late", 200), (b"first", 1), (b"middle", 100)):
        queue.put(value, priority)
    locking = first.LockingQueue("/locking")
    locking.put_all([b"a", b"b"])
    assert locking.get(timeout=WAIT_S) == b"a"
    restart(zookeeper, first, second)
    assert [second.Queue("/queue").get() for _ in range(4)] == [b"first", b"middle", b"late", None]
    other = second.LockingQueue("/locking")
    assert locking.holds_lock()
    assert locking.consume()
    assert other.get(timeout=WAIT_S) == b"b"
    assert other.consume()
    assert len(other) == 0


def test_a_counter_counts_every_change_of_many(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Compare-and-set on the version, four clients at once and a restart among them."""
    clients = [connect() for _ in range(4)]

    def count(client: Client) -> None:
        counter = client.Counter("/counter")
        for _ in range(25):
            counter += 1

    threads = [in_thread(partial(count, client)) for client in clients]
    for thread in threads:
        thread.join(WAIT_S)
    restart(zookeeper, *clients)
    counter = clients[0].Counter("/counter")
    assert counter.value == 100
    counter -= 1
    assert clients[1].Counter("/counter").value == 99


def test_barriers_hold_and_let_go(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Barrier across a restart, DoubleBarrier for two in and two out."""
    first, second = connect(), connect()
    barrier = first.Barrier("/barrier")
    barrier.create()
    passed = threading.Event()
    restart(zookeeper, first, second)
    # kazoo sets no watch anew after a reconnect, so a wait from before the restart would never end, here as elsewhere.
    signal_after(second.Barrier("/barrier").wait, passed)
    assert not passed.wait(0.5)
    barrier.remove()
    assert passed.wait(WAIT_S)
    doubles = [client.DoubleBarrier("/double", 2, f"d{n}") for n, client in enumerate((first, second))]
    threads = [in_thread(double.enter) for double in doubles]
    for thread in threads:
        thread.join(WAIT_S)
    assert all(double.participating for double in doubles)
    threads = [in_thread(double.leave) for double in doubles]
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(double.participating for double in doubles)


def test_a_party_knows_its_members(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """Party and ShallowParty; who leaves is gone, who is only disconnected is not."""
    first, second = connect(), connect()
    parties = [first.Party("/party", "one"), second.Party("/party", "two")]
    for party in parties:
        party.join()
    restart(zookeeper, first, second)
    assert sorted(parties[0]) == ["one", "two"]
    parties[1].leave()
    assert list(parties[0]) == ["one"]
    shallow = first.ShallowParty("/shallow", "s")
    shallow.join()
    assert list(second.ShallowParty("/shallow", "t")) == ["s"]


def test_a_set_is_partitioned_among_those_who_are_there(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """SetPartitioner: each piece has one owner, also after somebody joins and after a restart."""
    clients = [connect(), connect()]
    pieces = tuple(range(6))

    def settle(partitioners: list[Any]) -> list[set[int]]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for partitioner in partitioners:
                if partitioner.release:
                    partitioner.release_set()
                elif partitioner.allocating:
                    partitioner.wait_for_acquire(0.2)
            if all(partitioner.acquired for partitioner in partitioners):
                owned = [set(partitioner) for partitioner in partitioners]
                if sum(map(len, owned)) == len(pieces) and set.union(*owned) == set(pieces):
                    return owned
            time.sleep(0.05)
        raise AssertionError(f"never settled: {[partitioner.state for partitioner in partitioners]}")

    partitioners = [
        client.SetPartitioner("/pieces", set=pieces, time_boundary=0.3, identifier=f"p{number}")
        for number, client in enumerate(clients)
    ]
    assert [len(owned) for owned in settle(partitioners)] == [3, 3]
    restart(zookeeper, *clients)
    clients.append(connect())
    partitioners.append(clients[2].SetPartitioner("/pieces", set=pieces, time_boundary=0.3, identifier="p2"))
    # kazoo gives a partition up for good when its connection was suspended while it held one: begin again then.
    for number, partitioner in enumerate(partitioners):
        if partitioner.failed:
            partitioner.finish()
            partitioners[number] = clients[number].SetPartitioner(
                "/pieces", set=pieces, time_boundary=0.3, identifier=f"p{number}"
            )
    assert [len(owned) for owned in settle(partitioners)] == [2, 2, 2]


def test_a_tree_cache_follows_the_tree_through_a_restart(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """TreeCache sees what changes before and after."""
    watcher, writer = connect(), connect()
    writer.ensure_path("/cached/a")
    cache = TreeCache(watcher, "/cached")
    cache.start()
    try:
        writer.create("/cached/a/b", b"1")
        wait_until(lambda: cache.get_data("/cached/a/b") is not None, WAIT_S, "the new node is cached")
        restart(zookeeper, watcher, writer)
        writer.set("/cached/a/b", b"2")
        writer.create("/cached/a/c", b"3")
        wait_until(lambda: getattr(cache.get_data("/cached/a/b"), "data", None) == b"2", WAIT_S, "the change is cached")
        wait_until(lambda: cache.get_children("/cached/a") == {"b", "c"}, WAIT_S, "both children are cached")
        writer.delete("/cached/a", recursive=True)
        wait_until(lambda: cache.get_data("/cached/a") is None, WAIT_S, "the deletion is cached")
    finally:
        cache.close()


def test_data_and_children_watches_fire_before_and_after_a_restart(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """DataWatch and ChildrenWatch report the last state they are behind of."""
    watcher, writer = connect(), connect()
    data: list[bytes | None] = []
    children: list[list[str]] = []
    writer.create("/watched", b"0")
    watcher.DataWatch("/watched", lambda value, stat: data.append(value))
    watcher.ChildrenWatch("/watched", lambda names: children.append(sorted(names)))
    writer.set("/watched", b"1")
    writer.create("/watched/a")
    wait_until(lambda: data == [b"0", b"1"] and children == [[], ["a"]], WAIT_S, "the first changes")
    restart(zookeeper, watcher, writer)
    writer.set("/watched", b"2")
    writer.create("/watched/b")
    wait_until(lambda: data[-1] == b"2" and children[-1] == ["a", "b"], WAIT_S, "the changes after the restart")
    writer.delete("/watched", recursive=True)
    wait_until(lambda: data[-1] is None, WAIT_S, "the deletion")


def test_transactions_are_all_or_nothing(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """A committed transaction outlives a restart, a refused one leaves nothing and names what failed."""
    client = connect()
    transaction = client.transaction()
    transaction.create("/one", b"1")
    transaction.create("/one/two", b"2")
    transaction.set_data("/one", b"1b")
    transaction.check("/one/two", 0)
    results = transaction.commit()
    assert results[:2] == ["/one", "/one/two"]
    assert results[2].version == 1
    assert results[3] is True
    transaction = client.transaction()
    transaction.create("/three")
    transaction.check("/one", 7)
    transaction.delete("/one/two")
    results = transaction.commit()
    assert [type(result) for result in results] == [RolledBackError, BadVersionError, RuntimeInconsistency]
    restart(zookeeper, client)
    assert client.exists("/three") is None
    assert client.get("/one")[0] == b"1b"
    assert client.get_children("/one") == ["two"]


def test_commands_are_retried_until_the_server_is_back(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """client.retry on a server that is away."""
    client = connect()
    client.create("/retried", b"before")
    zookeeper.stop()
    done = threading.Event()
    signal_after(partial(client.retry, client.set, "/retried", b"after"), done)
    zookeeper.start()
    assert done.wait(WAIT_S)
    assert client.get("/retried")[0] == b"after"
    with pytest.raises(NodeExistsError):
        client.create("/retried")


def test_an_ephemeral_node_outlives_kill_9_but_not_its_session(zookeeper: ZooKeeperServer, connect: Open) -> None:
    """A chrooted client's node is there after kill -9 of the server, and gone when the client stops."""
    owner, other = connect(), connect()
    owner.create("/mine", ephemeral=True)
    zookeeper.kill()
    zookeeper.start()
    wait_until(lambda: bool(owner.connected and other.connected), WAIT_S, "both are back")
    stat = other.retry(other.exists, "/mine")
    assert stat is not None
    assert stat.ephemeralOwner == owner.client_id[0]
    gone = threading.Event()
    assert other.exists("/mine", watch=lambda event: gone.set()) is not None
    owner.stop()
    assert gone.wait(WAIT_S)
    assert other.exists("/mine") is None
    path = Path(other.create("/sequence-", sequence=True))
    assert path.name == "sequence-0000000001"
