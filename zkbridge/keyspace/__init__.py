"""The store's keys and values: znode, children and session records, and back from events to changes.

Pure. May import tree, types, errors, and its own generated messages. Invariants:
1. No value holds the revision at which it is written; overrides hold older, known ones only.
2. The hand-written encoders give the bytes of the generated ones.
3. A zxid is a revision, converted in `zxid.py` and nowhere else.
"""
