"""An asyncio event loop of one simulated process. Each callback is one event of the world, so a crash or a pause can
come between any two; timers count the world's time."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.system.threads import SimThreads
from tests.simulation.system.world import World

if TYPE_CHECKING:
    from tests.simulation.system.network import SimServer

TURN_S: Final = (1e-6, 30e-6)
"""How long one callback keeps the loop, least and most."""
CLOSE_TRIES: Final = 50
"""A coroutine awaits something at its end a few times at most."""


class _Timer(asyncio.TimerHandle):
    """Knows nothing of a heap: a canceled one does nothing when its time comes."""

    def cancel(self) -> None:
        asyncio.Handle.cancel(self)


class SimLoop(asyncio.AbstractEventLoop):
    """`network` opens ports and connections; `errors` gets what no task has caught."""

    def __init__(self, world: World, name: str) -> None:
        self.world: Final = world
        self.name: Final = name
        self.threads: Final = SimThreads(world)
        self.errors: Final[list[dict[str, Any]]] = []
        self.tasks: Final[list[asyncio.Task[Any]]] = []
        self.listen: Callable[[Callable[[], asyncio.Protocol], str, int], SimServer] | None = None
        self._ready: Final[deque[asyncio.Handle]] = deque()
        self._is_step_due = False
        self._is_paused = False
        self.is_dead = False
        self.wall_offset_s = 0.0
        """What the process's wall clock shows beyond the world's time; people set it."""

    # --- running ---

    def time(self) -> float:
        return self.world.now_s

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.is_dead

    def is_closed(self) -> bool:
        return self.is_dead

    def pause(self) -> None:
        """The process is stopped, as by SIGSTOP."""
        self._is_paused = True
        self.threads.pause()

    def resume(self) -> None:
        """It goes on."""
        self._is_paused = False
        self.threads.resume()
        self._step_soon()

    def kill(self) -> None:
        """Nothing of the process runs any more."""
        self.is_dead = True
        self._ready.clear()
        self.threads.kill()

    def bury(self) -> None:
        """Ends the dead process's coroutines, which would otherwise complain when they are collected."""
        for task in self.tasks:
            _close(task.get_coro())
        self.tasks.clear()
        self._ready.clear()

    def _step_soon(self) -> None:
        if self._ready and not self._is_step_due and not self._is_paused and not self.is_dead:
            self._is_step_due = True
            self.world.after(self.world.rng.uniform(*TURN_S), self._step)

    def _step(self) -> None:
        self._is_step_due = False
        if self.is_dead or self._is_paused:
            return
        if self._ready:
            handle = self._ready.popleft()
            if not handle.cancelled():
                self.run(handle._run)
        self._step_soon()

    def run(self, act: Callable[[], None]) -> None:
        """Runs something as one callback of this loop, now."""
        asyncio._set_running_loop(self)
        try:
            act()
        finally:
            asyncio._set_running_loop(None)

    # --- callbacks ---

    def call_soon(  # type: ignore[override]  # arguments of any types, as in practice
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self.is_dead:
            self._ready.append(handle)
            self._step_soon()
        return handle

    def call_soon_threadsafe(  # type: ignore[override]  # arguments of any types, as in practice
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]  # arguments of any types, as in practice
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # arguments of any types, as in practice
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)

        def due() -> None:
            if not timer.cancelled() and not self.is_dead:
                self._ready.append(timer)
                self._step_soon()

        self.world.after(max(when - self.world.now_s, 0.0), due)
        return timer

    # --- tasks ---

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # eager starts and other options are asked for by nobody here
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]  # a future is awaitable
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """In a simulated thread."""
        future = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as error:
                self.call_soon(_fail, future, error)
            else:
                self.call_soon(_succeed, future, result)

        self.threads.spawn(work)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self.errors.append(context)

    # --- network ---

    async def create_server(  # type: ignore[override]  # only what the product gives it
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str | None, port: int, *, backlog: int = 100
    ) -> SimServer:
        assert self.listen is not None, f"{self.name} has no network"
        return self.listen(protocol_factory, host or "0.0.0.0", port)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _succeed(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)




def _close(coro: object) -> None:
    """The innermost first: one whose end awaits something would be left behind by those around it."""
    if not isinstance(coro, CoroutineType):
        return
    _close(coro.cr_await)
    for _ in range(CLOSE_TRIES):
        try:
            coro.close()
        except BaseException:  # what a dead process meets while it is taken apart is nobody's
            continue
        return
