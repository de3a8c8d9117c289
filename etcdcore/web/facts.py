"""What the pages ask of the server behind them."""

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, final

from etcdcore.apply.commands import Range
from etcdcore.errors import CoreError, RequestTimedOut
from etcdcore.member.member import Member
from etcdcore.member.proposals import Proposal

if TYPE_CHECKING:
    from etcdcore.apply.results import Outcome

READ_TIMEOUT_S: Final = 7.0
"""A request's time: 5 s and two election timeouts."""
_PROBE: Final = b"\0"
ALARM_NOSPACE: Final = 1
ALARM_CORRUPT: Final = 2


class ServerFacts(ABC):
    """Fakes of the tests implement it too."""

    @abstractmethod
    def alarms(self) -> tuple[int, ...]:
        """The types of the alarms that are raised, of whichever member."""

    @abstractmethod
    def has_leader(self) -> bool:
        """Whether a leader is known."""

    @abstractmethod
    def is_learner(self) -> bool:
        """Whether this member is one without a vote."""

    @abstractmethod
    def is_auth_enabled(self) -> bool:
        """Whether callers have to say who they are."""

    @abstractmethod
    def auth_revision(self) -> int:
        """Of users, roles and permissions; 1 while there has never been any."""

    @abstractmethod
    def versions(self) -> tuple[str, str]:
        """Of the cluster and of the storage; empty while undecided."""

    @abstractmethod
    async def check_read(self, is_serializable: bool) -> CoreError | None:
        """Why a key can't be read now, from here alone or with the cluster's word that it is up to date."""


@final
class _Barrier(Proposal):
    """A read index that a task waits for."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Final[asyncio.Future[CoreError | None]] = asyncio.get_running_loop().create_future()

    def applied(self, result: "Outcome | int") -> None:
        self._end(None)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self._end(error)

    def _end(self, error: CoreError | None) -> None:
        if not self.error.done():
            self.error.set_result(error)


@final
class MemberFacts(ServerFacts):
    def __init__(self, member: Member) -> None:
        self._member: Final = member

    def alarms(self) -> tuple[int, ...]:
        return tuple(alarm.kind for alarm in self._member.admin_state.alarms.listed())

    def has_leader(self) -> bool:
        return self._member.has_leader

    def is_learner(self) -> bool:
        return self._member.admin.is_learner

    def is_auth_enabled(self) -> bool:
        return self._member.admin_state.auth.is_enabled

    def auth_revision(self) -> int:
        return self._member.admin_state.auth.revision

    def versions(self) -> tuple[str, str]:
        cluster_version = self._member.admin_state.members.cluster_version
        return cluster_version, cluster_version

    async def check_read(self, is_serializable: bool) -> CoreError | None:
        if not is_serializable:
            barrier = _Barrier()
            self._member.read_index(barrier)
            try:
                async with asyncio.timeout(READ_TIMEOUT_S):
                    error = await barrier.error
            except TimeoutError:
                error = RequestTimedOut()
            if error is not None:
                return error
        found = self._member.range(Range(_PROBE, keys_only=True, limit=1))
        return found if isinstance(found, CoreError) else None
