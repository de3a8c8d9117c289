"""The member: the loop that owns raft, apply and store, and performs each Ready in its documented order (shell).

May import everything below it: raft, apply, mvcc, lease, storage, transport, types, errors, config.
Invariants: an entry is applied only once it is durable here (the single member's quorum) and each exactly once;
every revision reaches the listeners in order, before the proposal that caused it is answered; each proposal gets
exactly one answer; the applied index is committed to the engine in the same batch as the effects up to it.
"""
