"""One client's stream of watchers, and the bounded outbox between the hub and whoever sends.

Invariants:
1. The outbox keeps order: created first, then events by revision; a progress response never overtakes events.
2. At most RESPONSES_MAX event responses, or EVENT_BYTES_MAX of events, wait, and one more response; past that a watcher
   falls back to history, so nothing is lost or held.
"""

from collections import deque
from typing import Final, final

from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.types import KeyEvent

INVALID_WATCH_ID: Final = -1
RESPONSES_MAX: Final = 128
"""etcd's channel of a stream: a client that does not read costs no more memory than this many responses."""
EVENT_BYTES_MAX: Final = 4 << 20
"""...nor more than this, and one response: values may be large."""

FORM_NO_PUT: Final = 1
FORM_NO_DELETE: Final = 2
FORM_PREV_KV: Final = 4


@final
class WatchResponse:
    """One message to the client. `revision` is the header's; `watch_id` -1 is the whole stream or a refused watcher.

    Watchers that are told the same in the same form share one list of events, so that it need be encoded but once.
    """

    __slots__ = (
        "can_fragment",
        "canceled",
        "compact_revision",
        "created",
        "event_bytes",
        "events",
        "reason",
        "revision",
        "watch_id",
    )

    def __init__(
        self,
        watch_id: int,
        revision: int,
        events: list[KeyEvent],
        created: bool = False,
        canceled: bool = False,
        compact_revision: int = 0,
        reason: str = "",
        event_bytes: int = 0,
        can_fragment: bool = False,
    ) -> None:
        self.watch_id: Final = watch_id
        self.revision: Final = revision
        self.events: Final = events
        self.created: Final = created
        self.canceled: Final = canceled
        self.compact_revision: Final = compact_revision
        self.reason: Final = reason
        self.event_bytes: Final = event_bytes
        self.can_fragment: Final = can_fragment


@final
class Watcher:
    """One watched key or interval (`end` empty: the one key; None: no upper bound). Owned by the hub.

    `next_revision` is the first that was not delivered yet; for a synced watcher, the first it wants at all. `form` is
    what becomes of an event before it is told: those of the FORM bits.
    """

    __slots__ = (
        "can_fragment",
        "end",
        "form",
        "is_synced",
        "key",
        "next_revision",
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
        form: int,
        progress_notify: bool,
        can_fragment: bool,
    ) -> None:
        self.stream: Final = stream
        self.watch_id: Final = watch_id
        self.key: Final = key
        self.end: Final = end
        self.next_revision = next_revision
        self.form: Final = form
        self.progress_notify: Final = progress_notify
        self.can_fragment: Final = can_fragment
        self.is_synced = False
        self.sent_since_progress = False

    def covers(self, key: bytes) -> bool:
        end = self.end
        if end is None:
            return key >= self.key
        return self.key <= key < end if end else key == self.key


@final
class WatchStream:
    """Made by the hub (`open_stream`). The sender drains it with `take_responses`."""

    __slots__ = ("_event_bytes", "_outbox", "_outlet", "next_id", "watchers")

    def __init__(self, outlet: WatchOutlet) -> None:
        self._outlet: Final = outlet
        self._outbox: Final[deque[WatchResponse]] = deque()
        self._event_bytes = 0
        self.watchers: Final[dict[int, Watcher]] = {}
        self.next_id = 0

    @property
    def is_full(self) -> bool:
        return len(self._outbox) >= RESPONSES_MAX or self._event_bytes >= EVENT_BYTES_MAX

    def pending_event_count(self) -> int:
        return sum(len(response.events) for response in self._outbox)

    @property
    def waiting_count(self) -> int:
        """Responses of all kinds in the outbox."""
        return len(self._outbox)

    def send(self, response: WatchResponse) -> None:
        """Puts a response into the outbox, even past its bound: the caller of event responses asks `is_full` first."""
        self._outbox.append(response)
        self._event_bytes += response.event_bytes
        if len(self._outbox) == 1:
            self._outlet.responses_ready()

    def take_response(self) -> WatchResponse | None:
        """The one that has waited longest."""
        if not self._outbox:
            return None
        response = self._outbox.popleft()
        self._event_bytes -= response.event_bytes
        return response

    def take_responses(self) -> list[WatchResponse]:
        """Everything that waits, in order."""
        taken = list(self._outbox)
        self._outbox.clear()
        self._event_bytes = 0
        return taken
