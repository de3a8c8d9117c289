"""Snapshots between etcdcore and a real etcd: each one's file is the other's, judged by etcd's own tools."""
