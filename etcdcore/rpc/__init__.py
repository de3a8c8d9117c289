"""How calls reach the services: what a service sees of one (`calls`, `http`), and the servers that carry them.

Two servers carry gRPC, our own over `etcdcore.http2` and grpcio's; the JSON gateway and the in-process client carry the
same calls without gRPC. Services are written against `calls` alone, so the same tests run on each of them.
Imports http2, errors and types; knows nothing of members or stores.
"""
