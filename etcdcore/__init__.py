"""An etcd v3 server in Python: Raft, write-ahead log, MVCC store, leases, watches and etcd's gRPC API.

It knows nothing of ZooKeeper. The names imported here are the whole door to the package; `zkbridge` reaches it through
`zkbridge.backend.embedded` and nothing else. Each is imported when it is asked for: `etcdcore --version` does not wait
for a store, nor a member without ports for gRPC, HTTP and TLS.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from etcdcore.apply.commands import Command as Command
    from etcdcore.apply.commands import Compaction as Compaction
    from etcdcore.apply.commands import Compare as Compare
    from etcdcore.apply.commands import DeleteRange as DeleteRange
    from etcdcore.apply.commands import LeaseGrant as LeaseGrant
    from etcdcore.apply.commands import LeaseRevoke as LeaseRevoke
    from etcdcore.apply.commands import Op as Op
    from etcdcore.apply.commands import Put as Put
    from etcdcore.apply.commands import Range as Range
    from etcdcore.apply.commands import Txn as Txn
    from etcdcore.apply.results import CompactionResult as CompactionResult
    from etcdcore.apply.results import DeleteRangeResult as DeleteRangeResult
    from etcdcore.apply.results import LeaseGrantResult as LeaseGrantResult
    from etcdcore.apply.results import LeaseRevokeResult as LeaseRevokeResult
    from etcdcore.apply.results import Outcome as Outcome
    from etcdcore.apply.results import PutResult as PutResult
    from etcdcore.apply.results import RangeResult as RangeResult
    from etcdcore.apply.results import TxnResult as TxnResult
    from etcdcore.config import ConfigError as ConfigError
    from etcdcore.config import MemberConfig as MemberConfig
    from etcdcore.config import ServerConfig as ServerConfig
    from etcdcore.embed import Etcd as Etcd
    from etcdcore.embed import start_etcd as start_etcd
    from etcdcore.errors import CoreError as CoreError
    from etcdcore.errors import EngineError as EngineError
    from etcdcore.errors import NoSpace as NoSpace
    from etcdcore.errors import ServerStopped as ServerStopped
    from etcdcore.member.member import Member as Member
    from etcdcore.member.proposals import Proposal as Proposal
    from etcdcore.member.proposals import RevisionListener as RevisionListener
    from etcdcore.member.recovery import RecoveryReport as RecoveryReport
    from etcdcore.ports import StartError as StartError
    from etcdcore.server import EtcdServer as EtcdServer
    from etcdcore.storage.errors import StorageError as StorageError
    from etcdcore.types import KeyEvent as KeyEvent
    from etcdcore.types import KeyValue as KeyValue
    from etcdcore.types import prefix_end as prefix_end

_HOMES: Final = {
    "Command": "etcdcore.apply.commands",
    "Compaction": "etcdcore.apply.commands",
    "Compare": "etcdcore.apply.commands",
    "DeleteRange": "etcdcore.apply.commands",
    "LeaseGrant": "etcdcore.apply.commands",
    "LeaseRevoke": "etcdcore.apply.commands",
    "Op": "etcdcore.apply.commands",
    "Put": "etcdcore.apply.commands",
    "Range": "etcdcore.apply.commands",
    "Txn": "etcdcore.apply.commands",
    "CompactionResult": "etcdcore.apply.results",
    "DeleteRangeResult": "etcdcore.apply.results",
    "LeaseGrantResult": "etcdcore.apply.results",
    "LeaseRevokeResult": "etcdcore.apply.results",
    "Outcome": "etcdcore.apply.results",
    "PutResult": "etcdcore.apply.results",
    "RangeResult": "etcdcore.apply.results",
    "TxnResult": "etcdcore.apply.results",
    "ConfigError": "etcdcore.config",
    "MemberConfig": "etcdcore.config",
    "ServerConfig": "etcdcore.config",
    "Etcd": "etcdcore.embed",
    "start_etcd": "etcdcore.embed",
    "CoreError": "etcdcore.errors",
    "EngineError": "etcdcore.errors",
    "NoSpace": "etcdcore.errors",
    "ServerStopped": "etcdcore.errors",
    "Member": "etcdcore.member.member",
    "Proposal": "etcdcore.member.proposals",
    "RevisionListener": "etcdcore.member.proposals",
    "RecoveryReport": "etcdcore.member.recovery",
    "StartError": "etcdcore.ports",
    "EtcdServer": "etcdcore.server",
    "StorageError": "etcdcore.storage.errors",
    "KeyEvent": "etcdcore.types",
    "KeyValue": "etcdcore.types",
    "prefix_end": "etcdcore.types",
}
"""Where each name is defined."""


def __getattr__(name: str) -> object:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(module), name)
    globals()[name] = found
    return found


__version__ = "0.1.0"
