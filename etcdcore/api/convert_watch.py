"""Responses of watches to bytes. What many watchers are told is encoded once: events, and whole lists of them.

`WatchResponse: header | watch_id | created | canceled | compact_revision | cancel_reason | fragment | events`, zero
fields omitted.
"""

from typing import Final, final

from etcdcore.api.convert_kv import encode_pair
from etcdcore.api.header import Headers
from etcdcore.mvcc.revision import varint
from etcdcore.mvcc.watch_stream import WatchResponse
from etcdcore.types import KeyEvent

_FRAGMENT: Final = b"\x38\x01"


def encode_event(event: KeyEvent) -> bytes:
    """An Event with its tag in the response."""
    pair = encode_pair(event.kv)
    body = b"\x12" + varint(len(pair)) + pair
    if event.kind:
        body = b"\x08\x01" + body
    if event.prev_kv is not None:
        former = encode_pair(event.prev_kv)
        body = body + b"\x1a" + varint(len(former)) + former
    return b"\x5a" + varint(len(body)) + body


@final
class WatchEncoder:
    """Keeps what it encoded until `forget`, which is called after each round of sending: then nobody wants it again."""

    __slots__ = ("_events", "_fragment_bytes_max", "_header", "_headers", "_lists", "_revision")

    def __init__(self, headers: Headers, fragment_bytes_max: int) -> None:
        self._headers: Final = headers
        self._fragment_bytes_max: Final = fragment_bytes_max
        self._revision = -1
        self._header = b""
        # By identity; the value keeps what is identified alive.
        self._events: Final[dict[int, tuple[KeyEvent, bytes]]] = {}
        self._lists: Final[dict[int, tuple[list[KeyEvent], bytes]]] = {}

    def forget(self) -> None:
        self._revision = -1  # the term may change
        if self._lists:
            self._lists.clear()
            self._events.clear()

    def encode(self, response: WatchResponse) -> bytes:
        if response.revision != self._revision:
            self._revision = response.revision
            self._header = self._headers.encode(response.revision)
        head = self._header
        watch_id = response.watch_id
        events = response.events
        if events:
            found = self._lists.get(id(events))
            encoded = self._encode_list(events) if found is None else found[1]
            return head + b"\x10" + varint(watch_id) + encoded if watch_id else head + encoded
        if watch_id:
            head = head + b"\x10" + varint(watch_id)
        if response.created:
            head += b"\x18\x01"
        if response.canceled:
            head += b"\x20\x01"
        if response.compact_revision:
            head += b"\x28" + varint(response.compact_revision)
        if response.reason:
            reason = response.reason.encode()
            head += b"\x32" + varint(len(reason)) + reason
        return head

    def fragments(self, response: WatchResponse) -> list[bytes]:
        """One message, or several within the limit, all but the last of which say so; one large event is not cut."""
        whole = self.encode(response)
        if len(whole) <= self._fragment_bytes_max or len(response.events) < 2:
            return [whole]
        head = self._headers.encode(response.revision)
        if response.watch_id:
            head = head + b"\x10" + varint(response.watch_id)
        head_bytes = len(head) + len(_FRAGMENT)
        messages: list[bytes] = []
        parts: list[bytes] = []
        size = head_bytes
        for event in response.events:
            encoded = self._encode_shared(event)
            if parts and size + len(encoded) >= self._fragment_bytes_max:
                messages.append(head + _FRAGMENT + b"".join(parts))
                parts = []
                size = head_bytes
            parts.append(encoded)
            size += len(encoded)
        messages.append(head + b"".join(parts))
        return messages

    def _encode_list(self, events: list[KeyEvent]) -> bytes:
        if len(events) == 1:
            encoded = self._encode_shared(events[0])
        else:
            encoded = b"".join([self._encode_shared(event) for event in events])
        self._lists[id(events)] = (events, encoded)
        return encoded

    def _encode_shared(self, event: KeyEvent) -> bytes:
        found = self._events.get(id(event))
        if found is not None:
            return found[1]
        encoded = encode_event(event)
        self._events[id(event)] = (event, encoded)
        return encoded
