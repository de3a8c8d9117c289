"""Whether a quota stands against a create or a setData. Source: ZooKeeper ZooKeeperServer.checkQuota."""

from zkbridge.errors import OK
from zkbridge.tree.quota import LIMITS_NAME, QUOTA_PATH, STATS_NAME, namespace_of
from zkbridge.tree.replica import Replica


def check_quota(replica: Replica, path: str, added: int, new_data: bytes | None, old_data: bytes | None) -> int:
    """OK, QUOTA_EXCEEDED, or MARSHALLING_ERROR where limits or stats can't be read.

    The tree as applied decides, so plans in flight and the rest of a multi may go past a limit, as in ZooKeeper.
    """
    quotas = replica.quotas
    over = quotas.path_over(path)
    if over == "":
        return OK
    limits = replica.znodes[f"{QUOTA_PATH}{over}/{LIMITS_NAME}"]
    stats = replica.znodes.get(f"{QUOTA_PATH}{over}/{STATS_NAME}")
    added_bytes = (0 if new_data is None else len(new_data)) - (0 if old_data is None else len(old_data))
    return quotas.check(
        over,
        namespace_of(path),
        limits.data,
        None if stats is None else stats.data,
        stats is not None,
        added,
        added_bytes,
    )
