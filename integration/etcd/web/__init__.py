"""Plain HTTP beside the real etcd: the JSON gateway, its streams and websockets, health pages, metrics; and fuzz.

One script, two targets, the same answers but for ids. May import `integration.peers`.
"""
