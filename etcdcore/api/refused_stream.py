"""The listener of a stream that was refused when it was opened: nothing it hears matters any more."""

from typing import Final, final

from etcdcore.rpc.calls import CallListener


@final
class RefusedStream(CallListener):
    __slots__ = ()

    def message_received(self, message: bytes) -> None:
        return

    def input_ended(self) -> None:
        return

    def call_cancelled(self) -> None:
        return

    def writable(self) -> None:
        return


REFUSED: Final = RefusedStream()
