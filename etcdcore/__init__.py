"""An etcd v3 server in Python: Raft, write-ahead log, MVCC store, leases, watches and etcd's gRPC API.

It knows nothing of ZooKeeper. The names imported here are the whole door to the package; `zkbridge` reaches it through
`zkbridge.backend.embedded` and nothing else.
"""
