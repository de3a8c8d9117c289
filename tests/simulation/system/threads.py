"""Threads of a simulated process: greenlets, which run until they rest, wait for a queue or come to their end.

The product's thread code runs here as it is. Other threads and the loop go on whenever one rests, and it rests wherever
it touches a disk; so every interleaving that the disk's slowness can bring about comes up from some seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any, Final

from greenlet import GreenletExit, getcurrent, greenlet

from tests.simulation.system.world import World

START_S: Final = (5e-6, 200e-6)
"""From a thread's start, or from the moment that it may go on, until the system lets it run: least and most."""
_current: list[SimThreads | None] = [None]


def current_threads() -> SimThreads | None:
    """Whose thread runs now; None on a loop and in the world itself."""
    return _current[0]


class SimThreads:
    """All threads of one process."""

    def __init__(self, world: World) -> None:
        self.world: Final = world
        self._main: Final = getcurrent()
        self._waiting: Final[list[greenlet]] = []
        self._is_paused = False
        self._is_dead = False
        self._held: Final[list[greenlet]] = []

    def spawn(self, work: Callable[[], None]) -> greenlet:
        """Starts a thread."""
        thread = greenlet(work, parent=self._main)
        self._go_on(thread)
        return thread

    def rest(self, duration_s: float) -> None:
        """The running thread does nothing for so long."""
        thread = getcurrent()
        self.world.after(duration_s, lambda: self._enter(thread))
        self._leave()

    def wait(self) -> None:
        """The running thread waits until somebody wakes it."""
        self._leave()

    def wake(self, thread: greenlet) -> None:
        """A thread that waits may go on."""
        self._go_on(thread)

    def pause(self) -> None:
        """No thread runs until `resume`."""
        self._is_paused = True

    def resume(self) -> None:
        """They go on."""
        self._is_paused = False
        held, self._held[:] = list(self._held), []
        for thread in held:
            self._go_on(thread)

    def kill(self) -> None:
        """No thread runs any more."""
        self._is_dead = True

    def _go_on(self, thread: greenlet) -> None:
        self.world.after(self.world.rng.uniform(*START_S), lambda: self._enter(thread))

    def _enter(self, thread: greenlet) -> None:
        if self._is_dead or thread.dead:
            return
        if self._is_paused:
            self._held.append(thread)
            return
        _current[0] = self
        thread.parent = getcurrent()
        try:
            thread.switch()
        finally:
            _current[0] = None

    def _leave(self) -> None:
        _current[0] = None
        thread = getcurrent()
        assert thread.parent is not None
        thread.parent.switch()
        if self._is_dead:
            raise GreenletExit


class SimThread:
    """In the place of `threading.Thread`."""

    def __init__(self, threads: SimThreads, target: Callable[[], None]) -> None:
        self._threads: Final = threads
        self._target: Final = target

    def start(self) -> None:
        self._threads.spawn(self._target)

    def join(self) -> None:
        """Its work is over when the product joins it."""


class SimpleQueue:
    """In the place of `queue.SimpleQueue`: one thread waits, others put."""

    def __init__(self, threads: SimThreads) -> None:
        self._threads: Final = threads
        self._items: Final[deque[object]] = deque()
        self._waiting: greenlet | None = None

    def put(self, item: object) -> None:
        self._items.append(item)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._threads.wake(waiting)

    def get(self, timeout: float | None = None) -> object:
        if not self._items:
            mine = self._waiting = getcurrent()
            if timeout is not None:

                def time_is_up() -> None:
                    if self._waiting is mine:
                        self._waiting = None
                        self._threads.wake(mine)

                self._threads.world.after(timeout, time_is_up)
            self._threads.wait()
        if not self._items:
            raise Empty
        return self._items.popleft()


class SimExecutor:
    """In the place of `ThreadPoolExecutor(1)`: one piece of work after the other."""

    def __init__(self, threads: SimThreads) -> None:
        self._threads: Final = threads
        self._work: Final[deque[Callable[[], None]]] = deque()
        self._is_busy = False

    def submit(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._work.append(lambda: work(*arguments))
        if not self._is_busy:
            self._is_busy = True
            self._threads.spawn(self._run)

    def _run(self) -> None:
        while self._work:
            self._work.popleft()()
        self._is_busy = False

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """What was submitted before is still done, as the product wants it."""
