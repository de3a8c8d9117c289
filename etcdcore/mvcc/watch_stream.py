"""One client's stream of watchers, and the bounded outbox between the hub and whoever sends.

Invariants:
1. The outbox keeps order: created first, then events by revision; a progress response never overtakes events.
2. At most RESPONSES_MAX event responses wait; past that a watcher falls back to history, so nothing is lost or held.
"""

from typing import Final, final

from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.types import KeyEvent

INVALID_WATCH_ID: Final = -1
RESPONSES_MAX: Final = 128
"""etcd's channel of a stream: a client that does not read costs no more memory than this many responses."""


@final
class WatchResponse:
    """One message to the client. `revision` is the header's; `watch_id` -1 is the whole stream or a refused watcher."""

    __slots__ = ("canceled", "compact_revision", "created", "events", "reason", "revision", "watch_id")

    def __init__(
        self,
        watch_id: int,
        revision: int,
        events: list[KeyEvent],
        created: bool = False,
        canceled: bool = False,
        compact_revision: int = 0,
        reason: str = "",
    ) -> None:
        self.watch_id: Final = watch_id
        self.revision: Final = revision
        self.events: Final = events
        self.created: Final = created
        self.canceled: Final = canceled
        self.compact_revision: Final = compact_revision
        self.reason: Final = reason


@final
class Watcher:
    """One watched key or interval (`end` empty: the one key; None: no upper bound). Owned by the hub.

    `next_revision` is the first that was not delivered yet; for a synced watcher, the first it wants at all.
    """

    __slots__ = (
        "end",
        "is_synced",
        "key",
        "next_revision",
        "no_delete",
        "no_put",
        "prev_kv",
        "progress_notify",
        "sent_since_progress",
        "stream",
        "watch_id",
    )

    def __init__(
        self,
        stream: "WatchStream",
        watch_id: int,
        key: bytes,
        end: bytes | None,
        next_revision: int,
        no_put: bool,
        no_delete: bool,
        prev_kv: bool,
        progress_notify: bool,
    ) -> None:
        self.stream: Final = stream
        self.watch_id: Final = watch_id
        self.key: Final = key
        self.end: Final = end
        self.next_revision = next_revision
        self.no_put: Final = no_put
        self.no_delete: Final = no_delete
        self.prev_kv: Final = prev_kv
        self.progress_notify: Final = progress_notify
        self.is_synced = False
        self.sent_since_progress = False

    def covers(self, key: bytes) -> bool:
        end = self.end
        if end is None:
            return key >= self.key
        return self.key <= key < end if end else key == self.key

    def wants(self, event: KeyEvent) -> bool:
        """By its kind; a DELETE is any kind but 0."""
        return not (self.no_delete if event.kind else self.no_put)


@final
class WatchStream:
    """Made by the hub (`open_stream`). The sender drains it with `take_responses`."""

    __slots__ = ("_outbox", "_outlet", "next_id", "watchers")

    def __init__(self, outlet: WatchOutlet) -> None:
        self._outlet: Final = outlet
        self._outbox: list[WatchResponse] = []
        self.watchers: Final[dict[int, Watcher]] = {}
        self.next_id = 0

    @property
    def is_full(self) -> bool:
        return len(self._outbox) >= RESPONSES_MAX

    def send(self, response: WatchResponse) -> None:
        """Puts a response into the outbox, even past its bound: the caller of event responses asks `is_full` first."""
        self._outbox.append(response)
        if len(self._outbox) == 1:
            self._outlet.responses_ready()

    def take_responses(self) -> list[WatchResponse]:
        """Everything that waits, in order."""
        taken = self._outbox
        self._outbox = []
        return taken
