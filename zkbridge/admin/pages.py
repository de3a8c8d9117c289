"""What an HTTP port asks for its pages, and gets."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

METHODS: Final = "GET, HEAD, POST, TRACE, OPTIONS"
"""What a servlet of ZooKeeper's says that it allows; TRACE is refused there all the same."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`path` without the query and percent-decoded; header names in lower case. No page reads a body."""

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    peer_host: str = ""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """`pieces` come one at a time: each costs the bridge's loop a moment, and clients have their turn in between."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Pages(ABC):
    """What is served on one port."""

    @abstractmethod
    def answer(self, request: PageRequest) -> PageAnswer:
        """Raises nothing for what a client may send."""


def page(status: int, content_type: str = "", body: bytes = b"", **headers: str) -> PageAnswer:
    """One that is there at once."""
    shown = {"Content-Type": content_type} if content_type else {}
    return PageAnswer(status, {**shown, **headers}, iter((body,)))


def not_found() -> PageAnswer:
    """As Jetty answers, which says more than anybody asked for."""
    headers = {"Content-Type": "text/html;charset=iso-8859-1", "Cache-Control": "must-revalidate,no-cache,no-store"}
    return PageAnswer(404, headers, iter((_NOT_FOUND,)))


_NOT_FOUND: Final = b"""<html>
<head><title>Error 404 Not Found</title></head>
<body><h2>HTTP ERROR 404 Not Found</h2></body>
</html>
"""


def unserved_method(method: str) -> PageAnswer | None:
    """The answer to a method that no page serves, as ZooKeeper's servlets give it."""
    if method in ("GET", "HEAD", "POST"):
        return None
    if method == "OPTIONS":
        return page(200, Allow=METHODS)
    if method == "TRACE":
        return page(403)
    return page(405 if method in ("PUT", "DELETE") else 501)
