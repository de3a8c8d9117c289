"""Load and faults from one seed, and the judgement at the end.

    setup -> load with faults -> everything heals -> dead sessions expire -> judge -> stop and start -> judge again
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from etcdcore.errors import EngineError
from etcdcore.storage.errors import StorageError
from tests.simulation.system.checkers import check_acknowledged, check_all, check_final, write_count
from tests.simulation.system.client import SimClient
from tests.simulation.system.history import History
from tests.simulation.system.network import SimNetwork
from tests.simulation.system.server import PORT, START_LIMIT_S, Machine, simulated_system
from tests.simulation.system.world import World

REGISTERS: Final = tuple(f"/r{number}" for number in range(4))
CLIENTS: Final = 4
TIMEOUT_MS: Final = 900
LOAD_S: Final = 6.0
PENDING_MAX: Final = 8
HOUR_S: Final = 3600.0
SETTLE_LIMIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run was: for the runner's count, and to compare two runs of one seed."""

    seed: int
    digest: str
    faults: tuple[str, ...]
    writes: int
    events: int


class Scenario:
    """One run. `faults_wanted` is how many are tried; those without an effect are not counted."""

    def __init__(self, seed: int, faults_wanted: int | None = None) -> None:
        self.world: Final = World(seed)
        self.network: Final = SimNetwork(self.world)
        self.machine: Final = Machine(self.world, self.network)
        self.history: Final = History()
        self.clients: Final[list[SimClient]] = []
        self._value = 0
        self._is_loading = False
        self._client_count = 0
        rng = self.world.rng
        self._faults_wanted: Final = rng.randint(2, 6) if faults_wanted is None else faults_wanted
        self._faults: Final[list[Callable[[], None]]] = [
            self._kill,
            self._kill,
            self._lose_power,
            self._lose_power,
            self._pause,
            self._stop,
            self._slow_disk,
            self._stall_disk,
            self._fill_disk,
            self._fail_disk,
            self._jump_clock,
            self._cut_client,
            self._reset_client,
            self._kill_client,
            self._pause_client,
        ]

    # --- the run ---

    def run(self) -> Summary:
        """Raises what a checker, an invariant or an assertion of the product raises; the message has the seed."""
        with simulated_system(self.world):
            try:
                self._set_up()
                self._load()
                self._settle()
                self._judge()
                self._restart_and_compare()
            except BaseException as error:
                error.add_note(self.world.story())
                raise
            finally:
                self.machine.bury_all()
        world = self.world
        return Summary(world.seed, world.digest(), tuple(world.faults), write_count(self.history), world.event_count)

    def _set_up(self) -> None:
        self._start()
        first = self._add_client()
        self.world.run_until(lambda: first.is_connected, 30, "the first client connects")
        for path in (*REGISTERS, "/q", "/e"):
            first.create(path, b"")
        self.world.run_until(lambda: first.pending_count == 0, 30, "the scene is set")
        while len(self.clients) < CLIENTS:
            self._add_client()

    def _add_client(self) -> SimClient:
        self._client_count += 1
        name = f"client{self._client_count}"
        client = SimClient(self.world, self.network, self.history, name, PORT, TIMEOUT_MS)
        self.clients.append(client)
        self.world.after(0.01, lambda: self._act(client))
        return client

    def _load(self) -> None:
        world = self.world
        self._is_loading = True
        for number in range(self._faults_wanted):
            begins_s = LOAD_S * (number + world.rng.random()) / self._faults_wanted
            world.after(begins_s, self._inject)
        world.run_for(LOAD_S)
        self._is_loading = False

    def _settle(self) -> None:
        """Faults end, the server runs, live clients are connected and answered, dead sessions are gone."""
        world, disk = self.world, self.machine.disk
        disk.is_full = disk.is_failing = False
        disk.latency_s, disk.stalled_until_s = (0.0001, 0.002), 0.0
        for client in self.clients:
            if not client.is_over:
                self.network.heal(client.name)
                client.is_paused = False
        self.keep_running()
        # Before anybody waits for a client: one that has seen more than the server has is turned away for ever.
        check_acknowledged(self.history, self._tree())
        alive = [client for client in self.clients if not client.is_over]
        world.run_until(
            lambda: all(client.is_connected and client.pending_count == 0 for client in alive),
            SETTLE_LIMIT_S,
            "clients are connected and answered",
        )

        def only_live_sessions() -> bool:
            wanted = {client.session.session_id for client in alive if client.session is not None}
            return len(wanted) == len(alive) and self._sessions() == wanted

        world.run_until(only_live_sessions, SETTLE_LIMIT_S, "sessions without clients expire")

    def keep_running(self) -> None:
        """Starts the server if nothing runs, and sees that it does."""
        world = self.world

        def serves() -> bool:
            self._restart_if_ended()
            return self.machine.process is not None and self.machine.process.is_serving

        world.run_until(serves, START_LIMIT_S, "the server serves")

    def _judge(self) -> None:
        check_all(self.history)
        process = self.machine.running()
        assert not process.loop.errors, process.loop.errors[:3]
        bridge, member = process.bridge, process.member
        assert bridge is not None and member is not None
        bridge.replica.check_invariants()
        bridge.watches.check_invariants()
        member.store.check_invariants()
        check_final(self.history, self._tree(), self._sessions())

    def _restart_and_compare(self) -> None:
        """A replica that is loaded anew is the one that was there, stats included."""
        process = self.machine.running()
        for client in self.clients:
            client.stop()
        assert process.stop_wanted is not None
        process.loop.call_soon(process.stop_wanted.set)
        self.world.run_until(lambda: process.outcome is not None, 30, "the server stops")
        assert process.outcome == "stopped", process.outcome
        tree = self._tree()
        self.machine.retire()
        self._start()
        reloaded = self._tree()
        different = {
            path: (tree.get(path), reloaded.get(path))
            for path in sorted(tree.keys() | reloaded.keys())
            if tree.get(path) != reloaded.get(path)
        }
        assert not different, f"before and after a restart: {different}"

    # --- looking inside ---

    def _sessions(self) -> set[int]:
        bridge = self.machine.running().bridge
        assert bridge is not None
        return set(bridge.replica.sessions)

    def _tree(self) -> dict[str, tuple[bytes, int, int]]:
        bridge = self.machine.running().bridge
        assert bridge is not None
        znodes = bridge.replica.znodes
        return {path: (bytes(node.data or b""), node.mzxid, node.owner) for path, node in znodes.items()}

    # --- load ---

    def _act(self, client: SimClient) -> None:
        if client.is_over:
            return
        rng = self.world.rng
        if self._is_loading and client.is_connected and not client.is_paused and client.pending_count < PENDING_MAX:
            for _ in range(rng.choice((1, 1, 1, 3))):
                self._one_request(client)
        self.world.after(rng.uniform(0.001, 0.04), lambda: self._act(client))

    def _one_request(self, client: SimClient) -> None:
        rng = self.world.rng
        self._value += 1
        value = b"%d" % self._value
        path = rng.choice(REGISTERS)
        choice = rng.random()
        session = client.session
        if session is None:
            return
        if choice < 0.3:
            client.set(path, value)
        elif choice < 0.5:
            client.get(path, rng.random() < 0.5)
        elif choice < 0.58:
            client.sync_get(path)
        elif choice < 0.66:
            client.set_all(dict.fromkeys(rng.sample(REGISTERS, 2), value))
        elif choice < 0.78:
            client.create_sequential("/q/n-", value)
        elif choice < 0.9:
            client.create_ephemeral(f"/e/{client.name}-{rng.randint(0, 2)}", value)
        elif choice < 0.95:
            client.delete(f"/e/{client.name}-{rng.randint(0, 2)}")
        elif choice < 0.98:
            client.children("/e", rng.random() < 0.5)
        else:
            for number in range(rng.randint(0, 2)):
                client.create_ephemeral(f"/e/{client.name}-last{self._value}-{number}", value)
            client.close()

    # --- faults ---

    def _inject(self) -> None:
        self.world.rng.choice(self._faults)()

    def _in_flight(self) -> int:
        return sum(client.pending_count for client in self.clients)

    def _start(self) -> None:
        self.machine.start()
        self.world.run_until(lambda: self.machine.running().is_serving, START_LIMIT_S, "the server serves")

    def _restart_if_ended(self) -> None:
        machine = self.machine
        if machine.process is not None and machine.process.outcome is not None:
            machine.retire()
        if machine.process is None:
            try:
                machine.start()
            except (OSError, StorageError, EngineError) as error:
                # A disk that is full or fails may refuse the start, as long as it is so.
                assert machine.disk.is_full or machine.disk.is_failing, f"the start was refused: {error!r}"

    def _restart_later(self) -> None:
        self.world.after(self.world.rng.uniform(0.0, 0.6), self._restart_if_ended)

    def _kill(self) -> None:
        if self.machine.process is not None:
            if self._in_flight():
                self.world.fault(f"kill -9 with {self._in_flight()} requests in flight")
            self.machine.kill()
            self._restart_later()

    def _lose_power(self) -> None:
        if self.machine.process is not None:
            if self._in_flight():
                self.world.fault(f"power failure with {self._in_flight()} requests in flight")
            self.machine.lose_power()
            self._restart_later()

    def _pause(self) -> None:
        process = self.machine.process
        if process is not None:
            self.world.fault(f"the process is stopped with {self._in_flight()} requests in flight")
            process.loop.pause()
            self.world.after(self.world.rng.uniform(0.05, 1.8), process.loop.resume)

    def _stop(self) -> None:
        process = self.machine.process
        if process is not None and process.stop_wanted is not None:
            self.world.fault(f"SIGTERM with {self._in_flight()} requests in flight")
            process.loop.call_soon(process.stop_wanted.set)
            self._restart_when_ended()

    def _restart_when_ended(self) -> None:
        def look() -> None:
            if self.machine.process is not None and self.machine.process.outcome is None:
                self.world.after(0.05, look)
            else:
                self._restart_if_ended()

        self.world.after(0.05, look)

    def _slow_disk(self) -> None:
        disk = self.machine.disk
        self.world.fault("the disk is slow")
        disk.latency_s = (0.005, 0.08)
        self.world.after(self.world.rng.uniform(0.2, 1.5), lambda: setattr(disk, "latency_s", (0.0001, 0.002)))

    def _stall_disk(self) -> None:
        self.world.fault("the disk stalls")
        self.machine.disk.stalled_until_s = self.world.now_s + self.world.rng.uniform(0.1, 2.0)

    def _fill_disk(self) -> None:
        disk = self.machine.disk
        before = disk.refused_count
        disk.is_full = True

        def heal() -> None:
            disk.is_full = False
            if disk.refused_count > before:
                self.world.fault(f"the disk was full, {disk.refused_count - before} operations were refused")
            self._restart_if_ended()

        self.world.after(self.world.rng.uniform(0.1, 1.5), heal)

    def _fail_disk(self) -> None:
        disk = self.machine.disk
        before = disk.refused_count
        disk.is_failing = True

        def heal() -> None:
            disk.is_failing = False
            if disk.refused_count > before:
                self.world.fault("a sync failed")
            self._restart_when_ended()

        self.world.after(self.world.rng.uniform(0.02, 0.2), heal)

    def _jump_clock(self) -> None:
        process = self.machine.process
        jump_s = self.world.rng.choice((-1.0, 1.0)) * self.world.rng.uniform(1.0, 5 * HOUR_S)
        self.machine.wall_offset_s += jump_s
        if process is not None:
            process.loop.wall_offset_s = self.machine.wall_offset_s
            self.world.fault(f"the wall clock jumps by {jump_s:.0f} s")

    def _some_client(self) -> SimClient | None:
        alive = [client for client in self.clients if not client.is_over]
        return self.world.rng.choice(alive) if alive else None

    def _cut_client(self) -> None:
        client = self._some_client()
        if client is not None and self.network.cut(client.name):
            self.world.fault(f"{client.name} is cut off with {client.pending_count} requests in flight")
            self.world.after(self.world.rng.uniform(0.1, 3.0), lambda: self.network.heal(client.name))

    def _reset_client(self) -> None:
        client = self._some_client()
        if client is not None and client.is_connected:
            self.world.fault(f"{client.name}'s connection is reset with {client.pending_count} requests in flight")
            self.network.reset(client.name)

    def _kill_client(self) -> None:
        client = self._some_client()
        if client is not None:
            self.world.fault(f"{client.name} dies with {client.pending_count} requests in flight")
            if self.world.rng.random() < 0.5:
                client.stop()
            else:
                client.leave()
            self._add_client()

    def _pause_client(self) -> None:
        client = self._some_client()
        if client is not None:
            self.world.fault(f"{client.name} sends nothing with {client.pending_count} requests in flight")
            client.is_paused = True
            self.world.after(self.world.rng.uniform(0.1, 3.0), lambda: setattr(client, "is_paused", False))


def run_seed(seed: int) -> Summary:
    """One run of a seed."""
    return Scenario(seed).run()
