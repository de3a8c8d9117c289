"""What the monitoring ports ask of the server, beyond what the four-letter words do."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from zkbridge.protocol.four_letter import FourLetterFacts
from zkbridge.protocol.monitor import Metric
from zkbridge.tree.acl import Acl


@dataclass(frozen=True, slots=True)
class LeaderPlaces:
    """Where a server that shows itself as a leader would be found by others. `addresses`: (host, quorum port, election
    port)."""

    server_id: int
    addresses: tuple[tuple[str, int, int], ...]
    client_address: str


class AdminFacts(FourLetterFacts):
    """Listings that may be long come step by step: the server's tables change between two steps, so a long answer is of
    no single moment."""

    @abstractmethod
    def own_metrics(self, with_process: bool) -> list[Metric]:
        """What ZooKeeper has no name for: of the bridge, of the store, and, if asked for, of the process."""

    @abstractmethod
    def leader(self) -> LeaderPlaces | None:
        """None: this server is standalone."""

    @abstractmethod
    def last_snapshot(self) -> tuple[int, int]:
        """(zxid, Unix time in seconds) of the store's last checkpoint; -1 for both before there is one."""

    @abstractmethod
    def initial_configuration(self) -> str:
        """What the server was started with, in the form of a zoo.cfg."""

    @abstractmethod
    def root_acl(self) -> Acl: ...

    @abstractmethod
    def watches_by_session(self) -> Iterator[tuple[int, Iterator[str]]]:
        """(session id, paths) of the data table."""

    @abstractmethod
    def watches_by_path(self) -> Iterator[tuple[str, list[int]]]:
        """(path, session ids) of the data table."""
