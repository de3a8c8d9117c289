"""What operators ask of a member: alarms and quota, members of the cluster, hashes, defragmentation, moving leaders.

Cold paths: futures and tasks are allowed here. Refusals are raised as `CoreError`, everything else is a bug.

Invariants:
1. Whatever others must know too goes through the log; here is only who asks, and what is asked before.
2. Membership changes are made one after the other: the next is proposed when the one before is applied.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from re import compile as compile_pattern
from typing import Final, final

from etcdcore.apply.admin import (
    CHANGE_ADD,
    CHANGE_PROMOTE,
    CHANGE_REMOVE,
    CHANGE_UPDATE,
    AdminState,
    MemberChange,
)
from etcdcore.apply.admin_commands import (
    alarm_activate,
    alarm_deactivate,
    cluster_version,
    downgrade_info,
    member_attributes,
)
from etcdcore.apply.alarms import ALARM_NOSPACE, Alarm
from etcdcore.apply.commands import Command
from etcdcore.apply.members import ClusterMember, derive_member_id
from etcdcore.apply.results import AlarmResult, Outcome
from etcdcore.config import CLUSTER_VERSION, MemberConfig
from etcdcore.errors import (
    BadLeaderTransferee,
    ClusterVersionUnavailable,
    ConfChangeRefused,
    CoreError,
    DowngradeInProgress,
    DowngradeVersionFormatWrong,
    DowngradeVersionInvalid,
    LearnerNotReady,
    MemberNotFound,
    NoSpace,
    NotEnoughStartedMembers,
    NotLeader,
    ProposalDropped,
    RequestTimedOut,
    RequestTimedOutLeaderTransfer,
    UnhealthyCluster,
)
from etcdcore.member.driver import Driver
from etcdcore.member.proposals import Proposal
from etcdcore.mvcc.engine import META, SCAN_BYTES_MAX, TABLE_NAMES
from etcdcore.mvcc.hashing import KvHash, begin_hash, crc32c
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    ConfChange,
    ConfChangeV2,
)
from etcdcore.raft.messages import CHANGE_REMOVE as RAFT_REMOVE
from etcdcore.raft.messages import CHANGE_UPDATE as RAFT_UPDATE
from etcdcore.types import MemberId

DISK_TIMEOUT_S: Final = 5.0
"""What a request may take beyond two election timeouts before its fate is called unknown."""
LEARNER_READY: Final = 0.9
"""How much of the leader's log a learner must have before it may vote."""
HASH_STEP: Final = 1000
"""Records hashed in one go: about a millisecond."""
_NOT_HASHED: Final = ((META, b"consistent_index"), (META, b"term"), (META, b"storageVersion"))
_VERSION: Final = compile_pattern(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.[0-9]{1,9}(?:[-+].*)?)?")
_RAFT_KINDS: Final = {CHANGE_PROMOTE: CHANGE_ADD_VOTER, CHANGE_REMOVE: RAFT_REMOVE, CHANGE_UPDATE: RAFT_UPDATE}


@final
class Waiter(Proposal):
    """A proposal as a future, for those who have the time: its result, or what it was refused or dropped for."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Final[asyncio.Future[Outcome | int]] = asyncio.get_running_loop().create_future()

    def applied(self, result: Outcome | int) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        if not self.future.done():
            self.future.set_result(error)


@final
class Administration:
    """One for each member, as `member.admin`; used on the member's loop."""

    __slots__ = (
        "_alarm_raised",
        "_changing",
        "_config",
        "_driver",
        "_grown_count",
        "_rewrite_engine",
        "_state",
        "is_learner",
        "quota_bytes",
        "timeout_s",
    )

    def __init__(self, driver: Driver, config: MemberConfig, rewrite_engine: Callable[[], Awaitable[None]]) -> None:
        self._driver: Final = driver
        self._config: Final = config
        self._state: Final = driver.state
        self._rewrite_engine: Final = rewrite_engine
        self.quota_bytes: Final = config.quota_bytes
        """0 for none."""
        self._changing: Final = asyncio.Lock()
        self._alarm_raised: Waiter | None = None
        """This member's own alarm, on its way through the log."""
        self._grown_count = 0
        """Puts and grants up to the last commit."""
        self.is_learner = False
        """Asked for each call."""
        self.note_change()
        self.timeout_s: Final = DISK_TIMEOUT_S + 2 * config.tick_ms * config.election_ticks / 1000

    @property
    def state(self) -> AdminState:
        """Auth, alarms and members as they are now; not to be kept, since a failed commit makes a new one."""
        return self._state.applier.admin

    async def decide(self, command: Command) -> Outcome:
        """What became of a command. Raises the refusal, or RequestTimedOut."""
        waiter = Waiter()
        self._driver.submit(command, waiter)
        return await self._wait(waiter)

    async def read_index(self) -> int:
        """The revision at which a linearizable read may be made. Raises NoLeader, RequestTimedOut, ..."""
        waiter = Waiter()
        self._driver.read_index(waiter)
        try:
            async with asyncio.timeout(self.timeout_s):
                result = await waiter.future
        except TimeoutError as error:
            self._state.counts.read_indexes_slow += 1
            raise RequestTimedOut from error
        if isinstance(result, CoreError):
            raise result
        assert isinstance(result, int), "a read index is answered by a revision"
        return result

    async def _wait(self, waiter: Waiter) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout_s):
                result = await waiter.future
        except TimeoutError as error:
            self._state.counts.proposals_failed += 1
            raise RequestTimedOut from error
        if isinstance(result, CoreError):
            raise result
        assert not isinstance(result, int), "a command is answered by its result"
        return result

    # Alarms and quota.

    async def activate_alarm(self, member_id: int, kind: int) -> list[Alarm]:
        """Raises an alarm on all members; tells it, new or not."""
        return _alarms_of(await self.decide(alarm_activate(member_id, kind)))

    async def deactivate_alarm(self, member_id: int, kind: int) -> list[Alarm]:
        """Takes back exactly this alarm; member 0 is nobody."""
        return _alarms_of(await self.decide(alarm_deactivate(member_id, kind)))

    def check_quota(self, cost: int) -> CoreError | None:
        """Whether there is room for what costs so much (`apply.costs`). Refuses NoSpace, and raises the alarm."""
        quota = self.quota_bytes
        if not quota or not cost or self._state.size()[0] + cost < quota:
            return None
        self._raise_alarm()
        return NoSpace()

    def note_commit(self) -> None:
        """The engine has committed. What grew it since the last time may have gone past the quota, whoever wrote it.

        Nothing else raises the alarm: a store that is past its quota takes deletions, compactions and the end of the
        alarm itself, and stays without one until somebody wants it to grow.
        """
        quota = self.quota_bytes
        if not quota:
            return
        counts = self._state.store.counts
        grown_count = counts.put_count + counts.lease_granted_count
        has_grown = grown_count != self._grown_count
        self._grown_count = grown_count
        if has_grown and self._state.size()[0] >= quota and not self.state.alarms.is_full:
            self._raise_alarm()

    async def settle_alarm(self) -> None:
        """Until the alarm that a refusal has raised is there: whoever was refused finds it listed."""
        raised = self._alarm_raised
        if raised is not None:
            await asyncio.wait([raised.future], timeout=self.timeout_s)

    def _raise_alarm(self) -> None:
        raised = self._alarm_raised
        if (raised is None or raised.future.done()) and not self.state.alarms.is_full:
            self._alarm_raised = Waiter()
            self._driver.submit(alarm_activate(self._driver.raft.member_id, ALARM_NOSPACE), self._alarm_raised)

    # The cluster.

    def members(self) -> list[ClusterMember]:
        """As applied here, in order of their ids."""
        return self.state.members.listed()

    def note_change(self) -> None:
        """The table of members is another one, or has changed."""
        own = self.state.members.members.get(self._driver.raft.member_id)
        self.is_learner = own is not None and own.is_learner

    async def add_member(self, peer_urls: Sequence[str], is_learner: bool, now_s: int) -> ClusterMember:
        """The new member, whose id is made of its URLs and the time, in seconds.

        Refuses NotEnoughStartedMembers and UnhealthyCluster (the strict check), MemberExists, PeerUrlsExist,
        TooManyLearners.
        """
        added = ClusterMember(derive_member_id(peer_urls, "", now_s), "", peer_urls, (), is_learner)
        change = MemberChange(CHANGE_ADD, added, self._config.learners_max)
        async with self._changing:
            if self._config.strict_reconfig_check:
                if not is_learner and not self.state.members.can_add_voter():
                    raise NotEnoughStartedMembers
                # Differs: etcd lets a second voter join an only one unseen. Nobody could reach it from here, and
                # without it the cluster would have no quorum any more.
                voters = len(self.state.members.voters())
                if (voters > 1 or not is_learner) and self._active_count() < (voters + 1) // 2 + 1:
                    error = self.state.check_change(change) if voters == 1 else None
                    raise error or UnhealthyCluster
            await self._change(change)
        return added

    async def remove_member(self, member_id: int) -> None:
        """Refuses MemberNotFound, NotEnoughStartedMembers, UnhealthyCluster."""
        async with self._changing:
            if self._config.strict_reconfig_check:
                member = self.state.members.members.get(member_id)
                if member is None or not member.is_learner:
                    if not self.state.members.can_remove(member_id):
                        raise NotEnoughStartedMembers
                    voters = len(self.state.members.voters())
                    if self._is_active(member_id) and self._active_count() - 1 < 1 + (voters - 1) // 2:
                        raise UnhealthyCluster
            await self._change(MemberChange(CHANGE_REMOVE, _named(member_id)))

    async def update_member(self, member_id: int, peer_urls: Sequence[str]) -> None:
        """Other URLs for its peers. Refuses MemberNotFound, PeerUrlsExist."""
        async with self._changing:
            changed = ClusterMember(member_id, "", peer_urls, (), False)
            await self._change(MemberChange(CHANGE_UPDATE, changed))

    async def promote_member(self, member_id: int) -> None:
        """A learner becomes a voter. Refuses NotLeader, MemberNotFound, LearnerNotReady, NotLearner, ..."""
        async with self._changing:
            progress = self._driver.raft.status().progress
            if not progress:
                raise NotLeader
            own = progress[self._driver.raft.member_id]
            learner = progress.get(MemberId(member_id))
            if learner is None:
                raise MemberNotFound
            if learner.match < own.match * LEARNER_READY:
                raise LearnerNotReady
            if self._config.strict_reconfig_check and not self.state.members.can_promote():
                raise NotEnoughStartedMembers
            await self._change(MemberChange(CHANGE_PROMOTE, _named(member_id)))

    async def _change(self, change: MemberChange) -> None:
        error = self.state.check_change(change)
        if error is not None:
            raise error
        kind = _RAFT_KINDS.get(change.kind)
        if kind is None:
            kind = CHANGE_ADD_LEARNER if change.member.is_learner else CHANGE_ADD_VOTER
        single = ConfChange(kind, MemberId(change.member.member_id))
        waiter = Waiter()
        try:
            self._driver.propose_conf_change(ConfChangeV2((single,), context=change.encode()), waiter)
        except ConfChangeRefused as refused:
            # The last voter cannot go; the strict check says so before, where it is on.
            raise NotEnoughStartedMembers from refused
        except ProposalDropped as dropped:
            raise NotLeader from dropped
        await self._wait(waiter)

    def _is_active(self, member_id: int) -> bool:
        """Whether the leader has heard of a member of late."""
        known = self._driver.raft.status().progress.get(MemberId(member_id))
        return known is not None and known.is_recently_active

    def _active_count(self) -> int:
        return sum(1 for voter in self.state.members.voters() if self._is_active(voter.member_id))

    async def move_leader(self, target_id: int) -> None:
        """Hands leadership to a voter. Refuses NotLeader, BadLeaderTransferee, RequestTimedOutLeaderTransfer."""
        if not self._driver.raft.is_leader:
            raise NotLeader
        target = self.state.members.members.get(target_id)
        if target is None or target.is_learner:
            raise BadLeaderTransferee
        self._driver.transfer_leadership(MemberId(target_id))
        try:
            async with asyncio.timeout(self.timeout_s):
                while self._driver.raft.leader_id != target_id:  # noqa: ASYNC110  # raft tells nobody
                    await asyncio.sleep(self._config.tick_ms / 1000)
        except TimeoutError as error:
            raise RequestTimedOutLeaderTransfer from error

    async def publish(self) -> None:
        """Tells the cluster this member's name and client URLs, if they are news, and what version it is of."""
        own = self.state.members.members.get(self._driver.raft.member_id)
        config = self._config
        if own is not None and (own.name, own.client_urls) != (config.name, config.client_urls):
            await self.decide(member_attributes(own.member_id, config.name, config.client_urls))
        await self.update_version()

    async def update_version(self) -> None:
        """The cluster's version, decided by the leader: its own, or the one that the cluster is on its way down to."""
        members = self.state.members
        wanted = members.downgrade_target or CLUSTER_VERSION
        if self._driver.raft.is_leader and members.cluster_version != wanted:
            await self.decide(cluster_version(wanted))

    # Versions.

    async def validate_downgrade(self, version: str) -> str:
        """The cluster's version, if it may go down to that one.

        Refuses DowngradeVersionFormatWrong, ClusterVersionUnavailable, DowngradeVersionInvalid, DowngradeInProgress.
        """
        target = _minor_of(version)
        if target is None:
            raise DowngradeVersionFormatWrong
        if not self.state.members.cluster_version:
            raise ClusterVersionUnavailable
        await self.read_index()
        members = self.state.members
        current = _minor_of(members.cluster_version)
        if current is None or target != (current[0], current[1] - 1):
            raise DowngradeVersionInvalid
        if members.downgrade_target:
            raise DowngradeInProgress
        return _shown(members.cluster_version)

    async def enable_downgrade(self, version: str) -> str:
        """Announces it; refuses as `validate_downgrade`."""
        current = await self.validate_downgrade(version)
        target = _minor_of(version)
        assert target is not None, "the version was valid a moment ago"
        await self.decide(downgrade_info(f"{target[0]}.{target[1]}.0"))
        return current

    async def cancel_downgrade(self) -> str:
        """As etcd does, answered alike whether there was one or not."""
        await self.read_index()
        if self.state.members.downgrade_target:
            await self.decide(downgrade_info(""))
        return _shown(self.state.members.cluster_version)

    # The store.

    async def hash_kv(self, revision: int) -> KvHash:
        """The hash over the history up to a revision, 0 for the current one. Refuses RevisionCompacted, ...InFuture."""
        kept = self._state.hashes.find(revision)
        if kept is not None:
            return kept
        run = begin_hash(self._state.store, revision)
        if isinstance(run, CoreError):
            raise run
        while not run.done:
            error = run.step(HASH_STEP)
            if error is not None:
                raise error
            await asyncio.sleep(0)
        return run.result()

    async def hash_all(self) -> int:
        """CRC-32C over every table but for the positions in the log; of what is written meanwhile, some or all."""
        engine = self._state.engine
        crc = 0
        for table in sorted(range(len(TABLE_NAMES)), key=TABLE_NAMES.__getitem__):
            crc = crc32c(TABLE_NAMES[table], crc)
            start = b""
            while True:
                page = engine.scan(table, start, b"", HASH_STEP, bytes_max=SCAN_BYTES_MAX)
                for key, value in page:
                    if (table, key) not in _NOT_HASHED:
                        crc = crc32c(value, crc32c(key, crc))
                if not page:
                    break
                start = page[-1][0] + b"\0"
                await asyncio.sleep(0)
        return crc

    async def defragment(self) -> None:
        """Rewrites the engine's file without its holes. Reads go on meanwhile; writes are logged, and applied after."""
        await self._rewrite_engine()


def _named(member_id: int) -> ClusterMember:
    return ClusterMember(member_id, "", (), (), False)


def _alarms_of(result: Outcome) -> list[Alarm]:
    assert isinstance(result, AlarmResult), "an alarm command is answered by alarms"
    return result.alarms


def _minor_of(version: str) -> tuple[int, int] | None:
    """Major and minor of `3.5`, `3.5.0` or `3.5.0-rc.1`; None for anything else."""
    found = _VERSION.fullmatch(version)
    return None if found is None else (int(found[1]), int(found[2]))


def _shown(version: str) -> str:
    """Major and minor, as answers have it."""
    return ".".join(version.split(".")[:2])
