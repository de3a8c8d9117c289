"""The way to a server: bytes of one message in, bytes of one message out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping


class Stream(ABC):
    """A call with any number of messages both ways."""

    @abstractmethod
    async def send(self, message: bytes) -> None:
        """Waits while the server does not take more. Raises EtcdError."""

    @abstractmethod
    async def receive(self) -> bytes | None:
        """The next message; None when the server has ended the call well. Raises EtcdError."""

    @abstractmethod
    def end_input(self) -> None:
        """No more messages will be sent."""

    @abstractmethod
    def cancel(self) -> None:
        """Ends the call; may be called again, and after its end."""


class Channel(ABC):
    """One server, or several that are one cluster."""

    @abstractmethod
    async def unary(self, path: str, request: bytes, metadata: Mapping[str, str], timeout_s: float | None) -> bytes:
        """Raises EtcdError. Cancelling the caller cancels the call."""

    @abstractmethod
    def stream(self, path: str, metadata: Mapping[str, str]) -> Stream:
        """A new call."""

    @abstractmethod
    def try_another(self) -> None:
        """The next call should go to another server, if there are several."""

    @abstractmethod
    async def close(self) -> None:
        """Calls in progress are cancelled. May be called again."""
