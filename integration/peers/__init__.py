"""The real things the suites compare with and drive: ZooKeeper, etcd, Kafka, kazoo's own tests, and our own servers.

Everything downloaded lives in a cache outside the repository and comes through the ordinary package clients.
Servers run as child processes on free loopback ports with their data in temporary directories on disk.
Invariants: a peer that is missing skips a test on a developer's machine and fails it where CI=true; every
process started here ends with the `with` block that started it, or at the latest with the interpreter.
"""
