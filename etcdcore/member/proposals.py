"""Who is told of a command's fate, and who is told of every revision: the ABCs that a member's user subclasses."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from etcdcore.errors import CoreError
from etcdcore.types import KeyEvent

if TYPE_CHECKING:
    from etcdcore.apply.results import Outcome


@mypyc_attr(allow_interpreted_subclasses=True)
class Proposal(ABC):
    """One command in flight. Exactly one of `applied`, `written` and `dropped` is called, on the member's loop; it must
    not raise or await."""

    __slots__ = ()

    def is_brief(self) -> bool:
        """Whether `written` will do for a transaction of plain puts and deletes that took its success branch: then
        neither its result nor, if no listener wants them, its events are built."""
        return False

    def written(self, revision: int) -> None:
        """The transaction of a brief proposal took its success branch; this is the store's revision after it."""
        raise AssertionError("only a brief proposal is answered by a revision alone")

    @abstractmethod
    def applied(self, result: "Outcome | int") -> None:
        """The command was applied; a CoreError is its answer (such as an unknown lease), not a failure. A read index
        is answered by the revision."""

    @abstractmethod
    def dropped(self, error: CoreError, is_decided: bool) -> None:
        """The command was not applied here. `is_decided`: it never will be; else its fate is unknown."""


@mypyc_attr(allow_interpreted_subclasses=True)
class RevisionListener(ABC):
    """Told of all that happens to the store, by direct call from the apply loop. An exception stops the member."""

    __slots__ = ()

    def wants_brief(self) -> bool:
        """Asked before each log entry is applied: False if revisions of brief proposals are nothing to this listener,
        which then does not hear of them."""
        return True

    @abstractmethod
    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        """Every revision, in order, before `proposal.applied`; the proposal is the local one that caused it, if any."""

    @abstractmethod
    def batch_applied(self) -> None:
        """Nothing more comes for now."""

    @abstractmethod
    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        """Called on the leader. Returns those the listener takes care of; the member revokes the rest."""

    @abstractmethod
    def write_state_changed(self, error: CoreError | None) -> None:
        """Commands are dropped with this error from now on; None: they are taken again."""

    @abstractmethod
    def member_failed(self, error: BaseException) -> None:
        """The member has stopped and will not come back; what was in flight has been dropped."""
