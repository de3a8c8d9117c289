"""The end of the watch hub that a shell implements."""

from abc import ABC, abstractmethod

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class WatchOutlet(ABC):
    """Whoever sends what a stream has to say."""

    __slots__ = ()

    @abstractmethod
    def responses_ready(self) -> None:
        """The outbox was empty and is not any more. Must not call back into the hub."""
