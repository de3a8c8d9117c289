"""The whole state as a file: etcd's snapshot, made of a member, judged, and turned into a data directory.

`schema` (what etcd keeps in which bucket beside the tables as they are), `export` (a view of the state to a bbolt
file), `snapshot_file` (the file with its digest), `status`, `restore`. Shell, blocking: run in threads or by commands.
May import member and everything below it.
Invariants: a snapshot of ours is one for etcd's own tools, and theirs is one for ours; nothing is held in memory but a
page of records.
"""
