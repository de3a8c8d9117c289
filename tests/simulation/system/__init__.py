"""A whole server from one seed, in one thread, on virtual time: the product's code among simulated disks and networks.

`world` owns time and chance: everything that happens is an event of its heap. `loop` is an asyncio event loop of one
process whose callbacks are such events, so tasks, timers and connections of the product run unchanged. `threads` runs
what the product gives to threads (the log's writer, executors) as greenlets that rest whenever they touch a disk.
`disk` is files with and without sync, `network` connections that are slow or cut, `server` one process of the product,
`client` a ZooKeeper client with a history, `checkers` what must be true of the histories, `scenario` load and faults.

Invariants:
1. The same seed gives the same events in the same order: all chance comes from the world's generator, and nothing asks
   the machine for the time.
2. A process that has died does nothing any more, and nothing that it has left reaches a disk or a connection.
3. No code of the product is written again here; what is simulated is what lies under its ports and calls.
"""
