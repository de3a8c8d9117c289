"""Plain HTTP on the client port: what is not gRPC is handed to one handler, over HTTP/1.1 and HTTP/2 alike.

The handler (`etcdcore.web`) knows neither; the listener adapts aiohttp's server for HTTP/1.1, our own for HTTP/2.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    """Without the query, percent-decoded."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Lower-case names; of a repeated one the first."""
    body: AsyncIterator[bytes]
    """Pieces as they come; the handler bounds what it keeps."""
    peer: str
    is_secure: bool
    common_name: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""
    """Pieces are sent as they come; the iterator is closed when the client has gone."""


class HttpHandler(ABC):
    @abstractmethod
    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Runs in a task of the connection, which is cancelled when the client goes. Raises nothing for bad input."""

    def takes_websocket(self, request: HttpRequest) -> bool:
        """Whether this request, which asks for a websocket, gets one; otherwise it is handled as it is."""
        return False
