"""Puts the Lock and Election services into a table, over whatever channel leads to KV, Watch and Lease."""

from etcdcore.api.election import CAMPAIGN, LEADER, OBSERVE, PROCLAIM, RESIGN, ElectionService
from etcdcore.api.lock import LOCK, UNLOCK, LockService
from etcdcore.api.tasks import CallTasks, TaskMethod, TaskServerStreamMethod
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.channel import Channel


def add_contests(table: MethodTable, tasks: CallTasks, channel: Channel) -> None:
    locks = LockService(channel)
    elections = ElectionService(channel)
    for path, handler in (
        (LOCK, locks.lock),
        (UNLOCK, locks.unlock),
        (CAMPAIGN, elections.campaign),
        (PROCLAIM, elections.proclaim),
        (LEADER, elections.leader),
        (RESIGN, elections.resign),
    ):
        table.add(TaskMethod(path, tasks, handler))
    table.add(TaskServerStreamMethod(OBSERVE, tasks, elections.observe))
