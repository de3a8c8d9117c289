"""The client of `etcdcore.client`: one suite over the channel in this process, over gRPC to ours, and to real etcd."""
