"""Our HTTP/2 and gRPC server alone, with an echo service: grpcio's client, h2spec, raw sockets, and its speed.

The same calls run against both servers that carry gRPC. May import `integration.peers`.
"""
