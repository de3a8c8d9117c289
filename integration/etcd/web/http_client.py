"""A bare HTTP client for both servers, and what is the same in their answers."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from integration.peers.etcd import EtcdServer

TIMEOUT_S = 20.0
_IDS = ("cluster_id", "member_id", "raft_term")
_POSITION = re.compile(r"\(line \d+:\d+\): |\xa0")
SHOWN_HEADERS = (
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "allow",
    "content-type",
    "grpc-metadata-content-type",
    "location",
    "www-authenticate",
    "x-content-type-options",
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def comparable(self) -> tuple[int, dict[str, str], object]:
        """What has to be equal on both servers."""
        headers = {name: value for name, value in self.headers.items() if name in SHOWN_HEADERS}
        return self.status, headers, without_ids(self.body)


def without_ids(body: bytes) -> object:
    """The JSON of a body or its lines, without what differs from server to server; else its text."""
    try:
        return _mask(json.loads(body))
    except ValueError:
        text = body.decode()
    try:
        return [_mask(json.loads(line)) for line in text.splitlines()]
    except ValueError:
        return text


def _mask(value: object) -> object:
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, dict):
        return {name: "masked" if name in _IDS else _mask(item) for name, item in value.items()}
    if isinstance(value, str):
        return _POSITION.sub("", value).replace("proto:", "proto: ").replace("proto:  ", "proto: ")
    return value


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class HttpClient:
    """One connection a request: what one of them breaks, no other sees."""

    def __init__(self, server: EtcdServer) -> None:
        self.server = server
        self.token = ""

    def request(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.client_port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body or None, {**self._identity(), **(headers or {})})
            response = connection.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return HttpAnswer(response.status, answered, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> HttpAnswer:
        return self.request("GET", path)

    def post(self, path: str, body: object = None) -> HttpAnswer:
        return self.request("POST", path, json.dumps({} if body is None else body))

    def call(self, path: str, body: object = None) -> dict[str, object]:
        """The JSON of an answer that has to be good."""
        answer = self.post(path, body)
        assert answer.status == 200, (path, answer.status, answer.body)
        found = json.loads(answer.body)
        assert isinstance(found, dict)
        return found

    def _identity(self) -> dict[str, str]:
        return {"Authorization": self.token} if self.token else {}

    @contextmanager
    def stream(self, path: str, *messages: object) -> Iterator[LineStream]:
        """A request whose body is these messages and has ended; its lines as they come."""
        body = "".join(json.dumps(message) for message in messages)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.client_port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, body, self._identity())
            yield LineStream(connection)
        finally:
            connection.close()


class LineStream:
    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response: http.client.HTTPResponse | None = None

    def next_line(self) -> object:
        """Waits for it. None at the end."""
        if self._response is None:
            self._response = self._connection.getresponse()
            assert self._response.status == 200, self._response.status
        line = self._response.readline()
        return without_ids(line) if line else None

    def is_silent(self, for_s: float) -> bool:
        """Whether nothing comes for so long. No more can be read after it."""
        assert self._response is not None and self._connection.sock is not None
        self._connection.sock.settimeout(for_s)
        try:
            return not self._response.readline()
        except TimeoutError:
            return True
