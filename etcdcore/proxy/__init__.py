"""What stands in front of a cluster: `gateway` (bytes only) and `grpc-proxy` (merges watches, caches, renews once).

Both are processes of their own without any data. May import the client, the carriers and api's pure parts; knows
nothing of members or stores. Read `grpc_proxy` for the wiring.
"""
