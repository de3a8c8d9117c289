"""Endpoints from DNS: `_etcd-client._tcp.<domain>` and, for those with TLS, `_etcd-client-ssl._tcp.<domain>`."""

from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.resolver


class DiscoveryError(Exception):
    """No endpoint was found; the text says where was looked."""


@dataclass(frozen=True, slots=True)
class FoundEndpoint:
    host: str
    port: int
    priority: int
    weight: int
    is_secure: bool

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


async def discover(
    domain: str, name: str = "", *, insecure: bool = True, resolver: dns.asyncresolver.Resolver | None = None
) -> list[FoundEndpoint]:
    """All endpoints, those with TLS first. `name` is a suffix of the service's name, as in etcd.

    Without `insecure` only endpoints with TLS count. Raises DiscoveryError.
    """
    found: list[FoundEndpoint] = []
    suffix = f"-{name}" if name else ""
    services = [(f"_etcd-client-ssl{suffix}._tcp.{domain}", True)]
    if insecure:
        services.append((f"_etcd-client{suffix}._tcp.{domain}", False))
    asked = resolver or dns.asyncresolver.get_default_resolver()
    causes: list[str] = []
    for service, is_secure in services:
        try:
            answer = await asked.resolve(service, "SRV")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            causes.append(f"{service} has no SRV record")
        except dns.exception.DNSException as error:
            causes.append(f"{service}: {error}")
        else:
            for record in answer:
                host = record.target.to_text(omit_final_dot=True)
                found.append(FoundEndpoint(host, record.port, record.priority, record.weight, is_secure))
    if not found:
        raise DiscoveryError(f"no endpoints of {domain}: {'; '.join(causes)}")
    return found
