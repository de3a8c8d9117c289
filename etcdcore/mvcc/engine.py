"""The ordered key-value engine under the store: tables of bytes to bytes, one open write batch, one owner.

Invariants:
1. Everything that the owner reads includes what it wrote, committed or not.
2. `commit` makes the whole batch visible to `backup` and to a later open, or none of it.
3. What was committed when `sync` began is durable when it returns; `sync` and `backup` may run in another thread.
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
        self, table: int, start: bytes, end: bytes, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Pairs with start <= key < end, at most `limit` (0: all) of them. Empty `end`: no upper bound.

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
    def size(self) -> tuple[int, int]:
        """Bytes allocated and bytes in use."""

    @abstractmethod
    def close(self) -> None:
        """Commits nothing: the open batch is dropped."""
