"""One process of the product on a simulated machine: an embedded member and a bridge, as `zkbridge.server.app` wires
them, on a loop, threads, files and an engine of the simulator's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from etcdcore.config import MemberConfig
from etcdcore.member.member import Member
from tests.simulation.system.disk import SimDisk, SimEngine, SimFileOps
from tests.simulation.system.loop import SimLoop
from tests.simulation.system.network import SimNetwork
from tests.simulation.system.threads import SimExecutor, SimpleQueue, SimThread, SimThreads
from tests.simulation.system.world import World
from zkbridge.backend.embedded import EmbeddedBackend
from zkbridge.config import Config
from zkbridge.server.app import Bridge

TICK_MS: Final = 100
PORT: Final = 2181
DATA_DIR: Final = Path("/nowhere/simulated")
START_LIMIT_S: Final = 60.0


class Process:
    """From its start to its death or its end. A machine has one at a time."""

    def __init__(self, machine: Machine, number: int) -> None:
        world = machine.world
        self.machine: Final = machine
        self.loop: Final = SimLoop(world, f"{machine.name}.{number}")  # type: ignore[abstract]  # the rest raises
        self.loop.listen = machine.network.listen(self.loop)
        self.file_ops: Final = SimFileOps(machine.disk)
        self.engine: Final = SimEngine(machine.disk)
        self.stop_wanted: asyncio.Event | None = None
        self.bridge: Bridge | None = None
        self.member: Member | None = None
        self.outcome: BaseException | str | None = None
        self.loop.wall_offset_s = machine.wall_offset_s
        self.loop.run(self._open)

    def _open(self) -> None:
        machine = self.machine
        config = MemberConfig(
            DATA_DIR,
            tick_ms=50,
            commit_interval_ms=machine.commit_interval_ms,
            segment_bytes=1 << 14,
            checkpoint_interval_s=machine.checkpoint_interval_s,
            kept_entries=4,
        )
        rng = random.Random(machine.world.rng.random())
        self.member = Member.open(config, self.file_ops, self.engine, rng)
        self.bridge = Bridge(machine.config, EmbeddedBackend(self.member))
        self.stop_wanted = asyncio.Event()
        self.loop.create_task(self._serve(), name="serve")

    async def _serve(self) -> None:
        assert self.bridge is not None and self.stop_wanted is not None
        try:
            await self.bridge.serve(self.stop_wanted)
        except BaseException as error:
            self.outcome = error
            raise
        self.outcome = "stopped"

    @property
    def is_serving(self) -> bool:
        """Whether clients can connect."""
        return self.bridge is not None and self.bridge.listener.port != 0 and self.outcome is None

    def kill(self) -> None:
        self.file_ops.is_dead = True
        self.engine.is_dead = True
        self.loop.kill()
        self.machine.network.process_died(self.loop)


class Machine:
    """A disk, a clock that people set, and the process that runs on it."""

    def __init__(self, world: World, network: SimNetwork, name: str = "one") -> None:
        self.world: Final = world
        self.network: Final = network
        self.name: Final = name
        self.disk: Final = SimDisk(world)
        self.wall_offset_s = 1_700_000_000.0
        self.commit_interval_ms = world.rng.choice((20, 100, 400))
        self.checkpoint_interval_s = world.rng.choice((0.2, 1.0, 5.0))
        self.config: Final = Config(
            DATA_DIR, client_port=PORT, tick_time_ms=TICK_MS, min_session_timeout_ms=2 * TICK_MS
        )
        self.process: Process | None = None
        self._number = 0
        self._dead: Final[list[Process]] = []

    def start(self) -> None:
        """A new process on what the disk holds; it serves some time later."""
        assert self.process is None, "one process at a time"
        self._number += 1
        self.process = Process(self, self._number)
        self.world.note(f"{self.name} starts")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self._dead.append(self.process)
        self.process = None
        self.disk.kill()

    def lose_power(self) -> None:
        """The process dies, and what was not synced with it."""
        assert self.process is not None
        self.process.kill()
        self._dead.append(self.process)
        self.process = None
        self.disk.lose_power()

    def running(self) -> Process:
        """The process; there must be one."""
        assert self.process is not None
        return self.process

    def retire(self) -> None:
        """The process has ended by itself; the machine is free for the next."""
        assert self.process is not None and self.process.outcome is not None
        self.process.kill()
        self._dead.append(self.process)
        self.process = None
        self.disk.kill()

    def bury_all(self) -> None:
        """At the very end: see `SimLoop.bury`."""
        if self.process is not None:
            self.process.kill()
            self._dead.append(self.process)
            self.process = None
        for process in self._dead:
            process.loop.run(process.loop.bury)
        self._dead.clear()


@contextmanager
def simulated_system(world: World) -> Iterator[None]:
    """Clocks, threads and randomness, where the product takes them from, are the world's within the block.

    Which process asks is told by the loop that runs.
    """

    def now_s() -> float:
        return world.now_s

    def monotonic_ns() -> int:
        return int(world.now_s * 1e9)

    def time_ns() -> int:
        loop = _loop()
        return int((world.now_s + (loop.wall_offset_s if loop is not None else 0.0)) * 1e9)

    def thread(*, target: Any, name: str, daemon: bool) -> SimThread:
        return SimThread(_threads(), target)

    replaced: dict[str, object] = {
        "etcdcore.member.clock.monotonic": now_s,
        "etcdcore.member.applied_state.perf_counter": now_s,
        "etcdcore.member.checkpoint.perf_counter": now_s,
        "etcdcore.member.routine.perf_counter": now_s,
        "etcdcore.member.routine.thread_time": now_s,
        "etcdcore.storage.wal_writer.perf_counter": now_s,
        "etcdcore.storage.wal_writer.threading.Thread": thread,
        "etcdcore.storage.wal_writer.SimpleQueue": lambda: SimpleQueue(_threads()),
        "etcdcore.storage.wal_writer.ThreadPoolExecutor": lambda count, name: SimExecutor(_threads()),
        "etcdcore.storage.datadir._lock": lambda path: -1,
        "etcdcore.storage.datadir.DataDir.close": lambda self: None,
        "zkbridge.server.clock.monotonic_ns": monotonic_ns,
        "zkbridge.server.clock.time_ns": time_ns,
        "os.urandom": lambda count: world.rng.randbytes(count),
    }
    with ExitStack() as stack:
        for name, value in replaced.items():
            stack.enter_context(patch(name, value))
        yield


def _loop() -> SimLoop | None:
    loop = asyncio._get_running_loop()
    return loop if isinstance(loop, SimLoop) else None


def _threads() -> SimThreads:
    loop = _loop()
    assert loop is not None, "a thread is started by a process's loop"
    return loop.threads
