"""The core as an etcd server, beside the real one: real clients, real tools."""
