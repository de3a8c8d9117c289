"""A ZooKeeper server whose tree lives in an etcd v3 keyspace."""

__version__ = "0.1.0"
