"""The client port without its sockets: opcodes, frames to requests, replies to bytes, four-letter words.

Pure: may import `jute`, `types` and `errors` of ours, no IO, clock or asyncio.

Invariants:
1. A connection yields whole frames in the order in which they arrived, or raises ProtocolError and yields no more.
2. Nothing is allocated for a frame beyond the bytes that have arrived; a length above the limit ends the connection.
"""
