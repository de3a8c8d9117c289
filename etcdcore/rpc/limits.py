"""What a server of the client port allows: etcd's defaults, each settable by its flag."""

from dataclasses import dataclass
from typing import Final

REQUEST_BYTES_MAX: Final = 1_572_864
GRPC_OVERHEAD_BYTES: Final = 524_288


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """Source: etcd server/embed/config.go, server/etcdserver/api/v3rpc/grpc.go."""

    receive_bytes_max: int = REQUEST_BYTES_MAX + GRPC_OVERHEAD_BYTES
    """Of one gRPC message; a longer one is answered RESOURCE_EXHAUSTED."""
    streams_max: int = 0xFFFFFFFF
    """Calls at once on one connection that its client is told of (`--max-concurrent-streams`)."""
    ping_interval_min_s: float = 5.0
    """A client that pings more often is sent away (`--grpc-keepalive-min-time`); 0 allows any number."""
    ping_interval_s: float = 7200.0
    """A connection silent for so long is pinged (`--grpc-keepalive-interval`); 0 turns it off."""
    ping_timeout_s: float = 20.0
    """Such a ping is answered within this time, or the connection is cut (`--grpc-keepalive-timeout`)."""
    slow_call_s: float = 0.3
    """A unary call that takes longer is logged (`--warning-unary-request-duration`)."""
