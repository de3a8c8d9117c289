"""The two HTTP ports for monitoring: ZooKeeper's AdminServer and its Prometheus metrics. `http_port` is the shell.

May import protocol and config, and aiohttp in `http_port` alone; `server` wires it, and imports it only when a port is
asked for. Invariants: what pages need they ask `AdminFacts`; a page of any length is made in small steps on the
bridge's loop, so that no reader of it holds clients up; connections, heads and times are bounded.
"""
