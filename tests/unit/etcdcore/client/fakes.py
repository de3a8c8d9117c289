"""A channel whose answers the test has written down."""

from collections import deque
from collections.abc import Mapping

from etcdcore.rpc.channel import Channel, Stream
from etcdcore.rpc.status import EtcdError

Answer = bytes | EtcdError | None


class ScriptedStream(Stream):
    """Answers one after the other; None is the end."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = deque(answers)
        self.sent: list[bytes] = []
        self.is_cancelled = False

    async def send(self, message: bytes) -> None:
        self.sent.append(message)

    async def receive(self) -> bytes | None:
        answer = self._answers.popleft()
        if isinstance(answer, EtcdError):
            raise answer
        return answer

    def end_input(self) -> None:
        """Nobody listens."""

    def cancel(self) -> None:
        self.is_cancelled = True


class ScriptedChannel(Channel):
    """Unary answers and streams in the order in which they are asked for."""

    def __init__(self, answers: list[Answer] | None = None, streams: list[ScriptedStream] | None = None) -> None:
        self._answers = deque(answers or [])
        self._streams = deque(streams or [])
        self.calls: list[tuple[str, str]] = []
        """Path, and token."""
        self.turns = 0

    async def unary(self, path: str, request: bytes, metadata: Mapping[str, str], timeout_s: float | None) -> bytes:
        self.calls.append((path.rpartition("/")[2], metadata.get("token", "")))
        answer = self._answers.popleft()
        if isinstance(answer, EtcdError):
            raise answer
        assert answer is not None
        return answer

    def stream(self, path: str, metadata: Mapping[str, str]) -> Stream:
        self.calls.append((path.rpartition("/")[2], metadata.get("token", "")))
        return self._streams.popleft()

    def try_another(self) -> None:
        self.turns += 1

    async def close(self) -> None:
        """Nothing is open."""
