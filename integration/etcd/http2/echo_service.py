"""A service with one method for each thing a carrier has to get right."""

from __future__ import annotations

import asyncio
import json
from typing import Final, final

from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod, UnaryMethod

SERVICE: Final = "/test.Echo/"


@final
class Echo(UnaryMethod):
    def call(self, request: bytes, call: Call) -> None:
        call.reply(request)


@final
class EchoLater(UnaryMethod):
    """Answers in a later turn of the loop."""

    def call(self, request: bytes, call: Call) -> None:
        asyncio.get_running_loop().call_later(0.01, call.reply, request)


@final
class Fail(UnaryMethod):
    """The request is `code text`."""

    def call(self, request: bytes, call: Call) -> None:
        code, _, text = request.decode().partition(" ")
        call.fail(int(code), text)


@final
class Raise(UnaryMethod):
    def call(self, request: bytes, call: Call) -> None:
        raise ValueError("a bug of the service")


@final
class Large(UnaryMethod):
    """The request is the size of the answer."""

    def call(self, request: bytes, call: Call) -> None:
        call.reply(bytes(int(request)))


@final
class Describe(UnaryMethod):
    """Metadata, peer and certificate name as JSON."""

    def call(self, request: bytes, call: Call) -> None:
        told = {"metadata": dict(call.metadata), "peer": call.peer, "common_name": call.common_name}
        call.reply(json.dumps(told).encode())


@final
class Tally:
    """What the silent methods have seen."""

    def __init__(self) -> None:
        self.cancelled_count = 0
        self.sent_count = 0


@final
class CountCancelled(UnaryMethod):
    def __init__(self, path: str, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def call(self, request: bytes, call: Call) -> None:
        call.reply(b"%d" % self._tally.cancelled_count)


@final
class Silent(UnaryMethod):
    """Never answers; counts those who give up."""

    def __init__(self, path: str, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def call(self, request: bytes, call: Call) -> None:
        call.listener = SilentListener(self._tally)


@final
class SilentListener(CallListener):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def message_received(self, message: bytes) -> None:
        """Nothing is said about it."""

    def input_ended(self) -> None:
        """Nor about this."""

    def call_cancelled(self) -> None:
        self._tally.cancelled_count += 1

    def writable(self) -> None:
        raise AssertionError("nothing was sent")


@final
class SilentStream(StreamMethod):
    def __init__(self, path: str, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def open(self, call: Call) -> CallListener:
        return SilentListener(self._tally)


@final
class EchoStream(StreamMethod):
    """Every message comes back; the end as well."""

    def open(self, call: Call) -> CallListener:
        return _EchoStreamListener(call)


@final
class _EchoStreamListener(CallListener):
    def __init__(self, call: Call) -> None:
        self._call = call

    def message_received(self, message: bytes) -> None:
        if message == b"fail":
            self._call.fail(9, "as asked")
        else:
            self._call.send(message)

    def input_ended(self) -> None:
        self._call.finish()

    def call_cancelled(self) -> None:
        """Nothing is held."""

    def writable(self) -> None:
        """Echoes are not held back: a client that sends without reading is the carrier's to bound."""


@final
class Collect(StreamMethod):
    """All messages in one, when the client has ended."""

    def open(self, call: Call) -> CallListener:
        return _CollectListener(call)


@final
class _CollectListener(CallListener):
    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces: list[bytes] = []

    def message_received(self, message: bytes) -> None:
        self._pieces.append(message)

    def input_ended(self) -> None:
        self._call.reply(b"".join(self._pieces))

    def call_cancelled(self) -> None:
        self._pieces.clear()

    def writable(self) -> None:
        """One answer is never held back."""


@final
class Flood(StreamMethod):
    """The request is `count size`: so many messages, numbered, as fast as the client takes them."""

    def __init__(self, path: str, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def open(self, call: Call) -> CallListener:
        return _FloodListener(call, self._tally)


@final
class _FloodListener(CallListener):
    def __init__(self, call: Call, tally: Tally) -> None:
        self._call = call
        self._tally = tally
        self._next = 0
        self._count = 0
        self._padding = b""

    def message_received(self, message: bytes) -> None:
        count, size = message.split()
        self._count, self._padding = int(count), bytes(int(size))

    def input_ended(self) -> None:
        self.writable()

    def call_cancelled(self) -> None:
        self._tally.cancelled_count += 1

    def writable(self) -> None:
        while self._call.is_writable and self._next < self._count:
            self._call.send(b"%08d" % self._next + self._padding)
            self._next += 1
            self._tally.sent_count += 1
        if self._next == self._count and not self._call.is_done:
            self._call.finish()


@final
class CountSent(UnaryMethod):
    def __init__(self, path: str, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def call(self, request: bytes, call: Call) -> None:
        call.reply(b"%d" % self._tally.sent_count)


def echo_table() -> MethodTable:
    """All of them."""
    table, tally = MethodTable(), Tally()
    for method in (Echo, EchoLater, Fail, Raise, Large, Describe):
        table.add(method(f"{SERVICE}{method.__name__}"))
    table.add(Silent(f"{SERVICE}Silent", tally))
    table.add(CountCancelled(f"{SERVICE}CountCancelled", tally))
    table.add(CountSent(f"{SERVICE}CountSent", tally))
    table.add(SilentStream(f"{SERVICE}SilentStream", tally))
    table.add(EchoStream(f"{SERVICE}EchoStream"))
    table.add(Collect(f"{SERVICE}Collect"))
    table.add(Flood(f"{SERVICE}Flood", tally))
    return table
