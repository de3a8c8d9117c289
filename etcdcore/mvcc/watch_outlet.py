"""The end of the watch hub that a shell implements; alone here: interpreted classes cannot extend compiled ones."""

from abc import ABC, abstractmethod


class WatchOutlet(ABC):
    """Whoever sends what a stream has to say."""

    @abstractmethod
    def responses_ready(self) -> None:
        """The outbox was empty and is not any more. Must not call back into the hub."""
