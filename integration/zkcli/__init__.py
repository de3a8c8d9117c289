"""zkCli, ZooKeeper's own command line client, unchanged: one transcript on two servers.

The script lives in `script`, running and normalising in `transcript`. May import `integration.peers`.
Invariants: the client is Java's ZooKeeperMain from the published jar; what differs between two servers by nature (ids,
zxids, times, ports) is masked by kind or replaced by its rank, and nothing else is.
"""
