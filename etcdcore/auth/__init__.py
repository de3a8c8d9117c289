"""Who may do what: users, roles, their permissions as intervals of keys, and the tokens that name a user.

`intervals`, `records` (etcd's own stored forms), `store` (the replicated state over the engine), `tokens` and
`jwt_tokens`. May import mvcc, errors, types. No clock, no IO, no randomness: time and random parts are arguments.
Invariants: the engine's auth tables are what etcd would have written; every member decides the same.
"""
