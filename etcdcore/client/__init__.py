"""An etcd client for asyncio: one interface over two channels, a server in this process and any etcd over gRPC.

`client` (read it first) has the calls; `requests` builds what they send; `watch`, `lease`, `concurrency` and `admin`
are its parts. Below them `caller` decides what is tried again and renews tokens, over a channel (`rpc.channel`):
`rpc.local` hands bytes to a table of methods in this process, `remote` to grpcio. Responses are etcd's own messages.

Imports rpc, pb, errors; knows no member and no server.
"""

from etcdcore.client.client import Client as Client
from etcdcore.client.concurrency import Election as Election
from etcdcore.client.errors import LeaseLost as LeaseLost
from etcdcore.client.errors import WatchCompacted as WatchCompacted
from etcdcore.client.lease import KeptLease as KeptLease
from etcdcore.client.remote import ClientTls as ClientTls
from etcdcore.client.remote import connect as connect
from etcdcore.client.watch import Watch as Watch
from etcdcore.rpc.status import EtcdError as EtcdError
