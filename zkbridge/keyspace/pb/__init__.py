"""Messages generated from proto/zkbridge/keyspace.proto, by `python -m zkbridge.keyspace.generate`: do not edit."""
