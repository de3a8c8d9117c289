"""Files: write-ahead log, snapshot markers, data directory, and the engines that hold the store (shell).

May import mvcc.engine, raft.messages, types, errors. Invariants: nothing is reported durable before its sync returned;
a failed sync is final; a torn tail is cut and reported, damage before it is refused with file and offset; names are
durable before what they hold counts; one process holds a data directory.
"""
