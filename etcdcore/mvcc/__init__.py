"""The multi-version store: every key at every revision that is not compacted.

Here live `engine` (the ABC of an ordered key-value engine with one open batch), `revision` (etcd's record encoding),
`key_index` and `sorted_keys` (what is kept in memory), `store`, `compaction`, `hashing` and `watchers`.
May import types and errors. No clock, no IO but through the engine. `engine` and `watch_outlet` stay interpreted in the
compiled build, since shells extend their classes.
Invariants: revisions never go back; a record, once written, is never changed, only removed by compaction.
"""
