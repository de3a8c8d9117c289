"""The shell around the pure rooms: sockets, tasks, clocks, signals. Read `app` first.

May import every room of the bridge; only `cli` and `testing` import it. The bridge's loop owns replica, overlay,
sessions, watch tables and every connection; owners call each other directly, with no future or task per request.
Invariants: for each revision the tree changes, then events are queued, then answers; a client can end only itself.
"""
