"""Leases: which there are, which keys hang on them, and when they run out.

Here live `lessor` and `expiry_queue`. May import mvcc.engine, types and errors.
No clock: the shell says what the time is, in milliseconds of a monotonic clock.
Invariants: only the primary (beside the raft leader) lets leases expire; none expires before its time to live is over
since the last renewal; nothing here deletes a key, the applier does.
"""
