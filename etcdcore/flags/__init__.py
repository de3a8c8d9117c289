"""Every flag of etcd 3.6, and how a command line, the environment or a file becomes a `ServerConfig`.

`table` lists the flags with what becomes of each: it works, there is nothing for it to do here, or it is refused with
the reason and the way out. `values` reads their values as Go's flag package does, `command_line` and `config_file` read
the three sources. Imports config only.

Invariants:
1. No flag of `etcd --help` is unknown, and none is taken in silence without doing what it says.
2. A setting comes from one source: flag and environment together are refused, a file excludes both.
"""
