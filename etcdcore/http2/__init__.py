"""The server's side of HTTP/2 (RFC 9113) as a pure machine: bytes in, requests out; responses in, bytes out.

`connection` is the facade; `stream`, `header_decoder`, `header_encoder`, `request_head`, `frames` are its parts. Header
compression takes its tables from the `hpack` package. Imports nothing of ours.
Invariants: nothing that a client sends raises out of `Connection.receive_bytes`; every queue and count that it can fill
has a bound; no stream ever sends past its window or the connection's.
"""
