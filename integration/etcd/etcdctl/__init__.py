"""etcdctl 3.6, every subcommand that a server answers: one script on etcdcore and on the real etcd, the same output.

`transcript` runs the scripts and makes outputs comparable: what no two servers have in common (ids, addresses, times,
sizes, raft terms and indexes) is replaced there, in one place, and nothing else is.
"""
