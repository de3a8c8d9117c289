"""Deletes containers and TTL znodes whose time has come.

Source: ZooKeeper ContainerManager; reference section 4.4.
"""

from __future__ import annotations

import asyncio
from typing import Final, final

import structlog

from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.keyspace.keys import Keyspace
from zkbridge.plan.delete import plan_delete_container
from zkbridge.plan.plan import Plan, PlanContext
from zkbridge.server.clock import wall_ms
from zkbridge.tree.acl import Credentials
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica
from zkbridge.tree.znode import ttl_of

_log = structlog.get_logger()


@final
class Reaper:
    """One scan for each interval; at most `per_minute_max` deletions a minute, spread evenly."""

    def __init__(
        self,
        committer: OrderedCommitter,
        overlay: Overlay,
        replica: Replica,
        keyspace: Keyspace,
        interval_ms: int,
        per_minute_max: int,
        never_used_ms_max: int,
    ) -> None:
        self._committer: Final = committer
        self._overlay: Final = overlay
        self._replica: Final = replica
        self._keyspace: Final = keyspace
        self._interval_ms: Final = interval_ms
        self._pause_s: Final = 60 / max(per_minute_max, 1)
        self._never_used_ms_max: Final = never_used_ms_max

    async def serve(self) -> None:
        """Long-lived."""
        while True:
            await asyncio.sleep(self._interval_ms / 1000)
            for path in self.candidates(wall_ms()):
                self._reap(path)
                await asyncio.sleep(self._pause_s)

    def candidates(self, now_ms: int) -> list[str]:
        """Childless containers that once had a child, and childless TTL znodes that were not written for their TTL."""
        znodes = self._replica.znodes
        due: list[str] = []
        for path in self._replica.containers:
            znode = znodes[path]
            if znode.children:
                continue
            is_outdated = self._never_used_ms_max > 0 and now_ms - znode.mtime > self._never_used_ms_max
            if znode.created_count > 0 or is_outdated:
                due.append(path)
        for path in self._replica.ttl_znodes:
            znode = znodes[path]
            if not znode.children and now_ms - znode.mtime > ttl_of(znode.owner):
                due.append(path)
        return due

    def _reap(self, path: str) -> None:
        if not self._committer.can_submit:
            return  # the next scan finds it again
        plan = plan_delete_container(path, self._overlay, PlanContext(self._keyspace, 0, _NOBODY, wall_ms()))
        if isinstance(plan, Plan):
            _log.info("znode_reaped", path=path)
            self._committer.submit(plan)


_NOBODY: Final = Credentials()
