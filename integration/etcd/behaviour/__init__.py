"""What a client sees of KV, Watch and Lease: each script runs on our server and on the real etcd, and both must pass.

The client speaks plain grpcio with our generated classes, so that every field is seen as it came. Sections named in
docstrings are those of the reference; names beginning with V3 are etcd's own integration tests.
"""
