"""What the services are told at their start: frozen, valid once built."""

from dataclasses import dataclass
from typing import Final

from etcdcore.config import ConfigError

OVERHEAD_BYTES: Final = 512 * 1024
"""What a gRPC message may be larger than a request: a response of a watch that asked for fragments is cut there."""
PROGRESS_INTERVAL_MIN_S: Final = 0.1
LEASE_TTL_MIN_S: Final = 1


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """etcd's names are in the comments of `etcdcore.flags`; its defaults are these. Raises ConfigError."""

    request_bytes_max: int = 1_572_864
    transaction_operations_max: int = 128
    progress_interval_s: float = 600.0
    """Of watches that asked for progress; a tenth of it more at random."""
    lease_ttl_min_s: int = 2
    """One and a half election timeouts in whole seconds, rounded up: below it a lease could not outlive an election."""
    election_timeout_s: float = 1.0
    request_timeout_s: float = 7.0
    """Five seconds for the disk, and two election timeouts."""

    stop_on_defrag: bool = False
    """Health checks are told that the member does not serve while it defragments (gate StopGRPCServiceOnDefrag)."""
    client_cert_auth: bool = False
    """The name in a client's certificate is its user, if it sends no token."""

    def __post_init__(self) -> None:
        if self.request_bytes_max < 1 or self.transaction_operations_max < 1:
            raise ConfigError("request_bytes_max and transaction_operations_max must be at least 1")
        if self.progress_interval_s < PROGRESS_INTERVAL_MIN_S:
            raise ConfigError(f"progress_interval_s must be at least {PROGRESS_INTERVAL_MIN_S}")
        if self.lease_ttl_min_s < LEASE_TTL_MIN_S:
            raise ConfigError(f"lease_ttl_min_s must be at least {LEASE_TTL_MIN_S}")
