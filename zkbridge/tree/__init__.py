"""The tree of znodes as this bridge sees it: the replica, the pending view over it, reads, ACLs and paths.

Pure: no clock, no I/O. May import jute.records, types and errors. Invariants:
1. The replica changes only by `Replica.apply`, one whole revision at a time, in the order of the revision's changes.
2. Every znode but `/` has its parent in the tree, and is in exactly one set of children: its parent's.
3. A znode's cached Stat is None or is what packing its fields would give.
"""
