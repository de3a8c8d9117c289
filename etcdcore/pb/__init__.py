"""Generated classes of etcd's messages (`rpc_pb2`, `kv_pb2`, ...), from proto/etcd by `python -m etcdcore.pb.generate`.

They live in a descriptor pool of their own (`pool`), so that a process may also import another etcd client's classes,
which claim the same full names in protobuf's default pool. For what runs for each request there are codecs by hand in
`etcdcore.api`. Imports nothing of ours.
"""
