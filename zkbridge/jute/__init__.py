"""The jute codec: every record of the ZooKeeper client port, as plain typed classes, usable by itself.

What lives here: `wire` (the only file that packs integers), `schema` (reads `proto/zookeeper.jute`), `generate`
(writes `records` from it), `records` (generated, one class per record), `multi` (the two list-shaped requests and
their answer, written by hand), `frames` (a byte stream cut into length-prefixed frames).
May import: the standard library, nothing of ours outside this room.

Invariants:
1. Decoding any bytes gives a record or raises JuteError; no other exception, and no allocation beyond the frame's size.
2. What encode wrote, decode reads back equal; what does not fit its wire type raises JuteError on encode.
3. `records.py` is what `python -m zkbridge.jute.generate` writes; nobody edits it.
4. Records are values: no field is assigned after construction, so they may be shared.
"""
