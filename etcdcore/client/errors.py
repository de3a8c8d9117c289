"""What a client's calls can end with, beside the refusals of `rpc.status`."""

from typing import Final

from etcdcore.errors import OUT_OF_RANGE
from etcdcore.rpc.status import EtcdError

NOT_FOUND: Final = 5


class WatchCompacted(EtcdError):
    """The history from which a watch was to go on is gone: read anew, then watch from there."""

    def __init__(self, compact_revision: int) -> None:
        super().__init__(OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted")
        self.compact_revision: Final = compact_revision
        """The first revision that can still be watched from."""


class LeaseLost(EtcdError):
    """A lease that was being kept alive is gone: it expired, or somebody revoked it."""

    def __init__(self, lease_id: int) -> None:
        super().__init__(NOT_FOUND, "etcdserver: requested lease not found")
        self.lease_id: Final = lease_id
