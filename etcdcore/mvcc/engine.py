"""The ordered key-value engine under the store: tables of bytes to bytes, one open write batch, one owner.

Invariants:
1. Everything that the owner reads includes what it wrote, committed or not.
2. `commit` makes the whole batch visible to `backup` and to a later open, or none of it.
3. What was committed when `sync` began is durable when it returns; `sync` and `backup` may run in another thread.
4. A view shows what was committed when it was opened, until it is closed; the engine closes those that are left.
"""

from abc import ABC, abstractmethod
from typing import Final

KEY: Final = 0
META: Final = 1
LEASE: Final = 2
ALARM: Final = 3
MEMBERS: Final = 4
MEMBERS_REMOVED: Final = 5
CLUSTER: Final = 6
AUTH: Final = 7
AUTH_USERS: Final = 8
AUTH_ROLES: Final = 9

TABLE_NAMES: Final = (
    b"key",
    b"meta",
    b"lease",
    b"alarm",
    b"members",
    b"members_removed",
    b"cluster",
    b"auth",
    b"authUsers",
    b"authRoles",
)
"""etcd's bucket names, in the order of the numbers above; the hash of a table begins with its name."""

SCAN_BYTES_MAX: Final = 1 << 20
"""Where a loop walks a whole table: how much one step reads, the pair that reaches this still among it."""


class EngineView(ABC):
    """All tables as of one commit, for one other thread to read. `close` may come from the owner, at any time."""

    @abstractmethod
    def page(self, table: int, start: bytes, limit: int, bytes_max: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` pairs with keys from `start` on, and none behind the one that reaches `bytes_max` bytes.

        The next page starts at the last key and a zero byte; an empty one is the end. Raises EngineError when closed.
        """

    @abstractmethod
    def close(self) -> None:
        """Waits for a page that is being read. Nothing the second time."""


class Engine(ABC):
    """One owner calls all methods but `sync` and `backup`. Failures of the environment raise EngineError."""

    @abstractmethod
    def get(self, table: int, key: bytes) -> bytes | None:
        """The value of `key`, or None."""

    @abstractmethod
    def put(self, table: int, key: bytes, value: bytes) -> None:
        """Sets `key`. Raises EngineFull when there is no room."""

    @abstractmethod
    def append(self, table: int, key: bytes, value: bytes) -> None:
        """As `put`, for a key that is greater than every key of the table. Raises EngineFull."""

    @abstractmethod
    def delete(self, table: int, key: bytes) -> bool:
        """Removes `key`; False when there was none."""

    @abstractmethod
    def scan(
        self, table: int, start: bytes, end: bytes, limit: int = 0, reverse: bool = False, bytes_max: int = 0
    ) -> list[tuple[bytes, bytes]]:
        """Pairs with start <= key < end, at most `limit` (0: all) of them. Empty `end`: no upper bound.

        None come behind the one that reaches `bytes_max` (0: any number) bytes of keys and values.

        `reverse` begins at the greatest. A long table is read page by page: the next page starts at the last key and a
        zero byte.
        """

    @abstractmethod
    def commit(self) -> None:
        """Ends the batch, unsynced, and opens the next. Raises EngineCommitFailed: then all of the batch is gone."""

    @abstractmethod
    def rollback(self) -> None:
        """Forgets everything since the last commit."""

    @abstractmethod
    def sync(self) -> None:
        """Makes durable what is committed. May be called from another thread."""

    @abstractmethod
    def backup(self, path: str) -> None:
        """Writes a consistent copy of what is committed into the new directory `path`. May run in another thread."""

    @abstractmethod
    def open_view(self) -> EngineView:
        """What is committed now. While it is open the engine's file can only grow, so nobody keeps one for long."""

    @property
    @abstractmethod
    def is_viewed(self) -> bool:
        """Whether a view is open: then there can be no `swap`."""

    @abstractmethod
    def rewrite(self) -> None:
        """Writes what is committed anew, without holes, beside the engine's file, durably. May run in another thread;
        nothing may be written until `swap`, or the next `rewrite`."""

    @abstractmethod
    def swap(self) -> None:
        """Goes on with the file that `rewrite` made, as after an open. Raises EngineSwapFailed."""

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Bytes allocated and bytes in use."""

    def open_read_count(self) -> int:
        """Read transactions that are open, each of which keeps the pages it sees from being used again."""
        return 0

    @abstractmethod
    def close(self) -> None:
        """Commits nothing: the open batch is dropped."""
