"""What a command costs against the quota: an estimate of what it adds to the store. Source: etcd storage/quota.go."""

from collections.abc import Sequence
from typing import Final

from etcdcore.apply.commands import Command, LeaseGrant, Op, Put, Txn

PUT_OVERHEAD: Final = 256
LEASE_COST: Final = 64


def cost_of(command: Command) -> int:
    """0 for what adds nothing; a transaction costs as much as its dearer branch."""
    if isinstance(command, Put):
        return PUT_OVERHEAD + len(command.key) + len(command.value)
    if isinstance(command, Txn):
        return max(_cost_of_branch(command.success), _cost_of_branch(command.failure))
    return LEASE_COST if isinstance(command, LeaseGrant) else 0


def _cost_of_branch(branch: Sequence[Op]) -> int:
    return sum(cost_of(op) for op in branch)
