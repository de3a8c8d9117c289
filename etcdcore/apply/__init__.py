"""Committed commands change the state, the same way on every member.

Here live `commands` (payload of a log entry and its bytes), `results`, `checks` (what can be refused before the log),
`txn` (compare, then, else) and `applier`, which owns store and lessor together so that neither needs the other.
May import mvcc, lease, types, errors. No clock, no IO, no randomness.
Invariants: one request is at most one main revision; a refused command leaves no trace; check first, then execute.
"""
