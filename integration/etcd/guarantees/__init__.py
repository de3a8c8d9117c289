"""What etcd promises of watches and of single keys, checked on recorded histories of concurrent clients and kill -9.

`history` (what is recorded), `replay` (the order in which everything happened), `watch_checks`, `linearizability`,
`traffic` (who records it). The checkers know nothing of servers; `test_checkers` shows that each one finds what it is
there for. The idea and the names of the promises are etcd's robustness suite's; the code is our own.
"""
