"""The Raft consensus algorithm as a pure state machine: messages and ticks in, a Ready out.

May import types and errors only: no clock, socket, logging or asyncio; randomness is a seeded generator passed in.
`raw_node` is the facade, `machine` the roles, `messages` what crosses disk and wire.
Invariants: at most one leader a term; a leader never rewrites its log; commit and applied never go back; nothing is
promised to a peer (vote, append response) before the shell has made it durable; applied <= stable, applied <= commit.
"""
