"""The bridge's one view of a store, and the stores behind it.

`interface` is pure: the `Backend` ABC, its values and the `RevisionSink` it feeds; every other room of the bridge sees
only that. `embedded` is a shell: an `etcdcore` member in the same process and event loop, and the only importer of
`etcdcore` (only of the names that `etcdcore/__init__.py` exports).
Invariants: one write is one transaction, hence one revision; revisions reach the sink in order, each once.
"""
