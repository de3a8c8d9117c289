"""Endpoints from SRV records, asked of a name server that is really there."""

import asyncio
from collections.abc import Mapping
from typing import Final, cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from etcdcore.proxy.discovery import DiscoveryError, discover

PLAIN = "_etcd-client._tcp.example.org."
SECURE = "_etcd-client-ssl._tcp.example.org."


class NameServer(asyncio.DatagramProtocol):
    """Answers with these SRV records, and that there is no such name to all else."""

    def __init__(self, records: Mapping[str, tuple[str, ...]]) -> None:
        self._records: Final = records
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = dns.message.make_response(dns.message.from_wire(data))
        answer.flags |= dns.flags.RA
        records = self._records.get(answer.question[0].name.to_text())
        if records is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(dns.rrset.from_text(answer.question[0].name, 60, "IN", "SRV", *records))
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), address)


def find(records: Mapping[str, tuple[str, ...]], name: str = "", *, insecure: bool = True) -> list[tuple[object, ...]]:
    """What `discover` finds, as (address, priority, weight, is_secure)."""

    async def run() -> list[tuple[object, ...]]:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: NameServer(records), local_addr=("127.0.0.1", 0)
        )
        try:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers = ["127.0.0.1"]
            resolver.port = transport.get_extra_info("sockname")[1]
            found = await discover("example.org", name, insecure=insecure, resolver=resolver)
            return [(each.address, each.priority, each.weight, each.is_secure) for each in found]
        finally:
            transport.close()

    return asyncio.run(run())


BOTH = {PLAIN: ("5 7 2379 a.example.org.",), SECURE: ("1 2 2380 b.example.org.",)}


def test_those_with_tls_come_first_with_their_priority_and_weight() -> None:
    assert find(BOTH) == [("b.example.org:2380", 1, 2, True), ("a.example.org:2379", 5, 7, False)]


def test_those_without_tls_count_only_where_that_is_wished() -> None:
    assert find(BOTH, insecure=False) == [("b.example.org:2380", 1, 2, True)]
    with pytest.raises(DiscoveryError, match=r"_etcd-client-ssl\._tcp\.example\.org has no SRV record"):
        find({PLAIN: BOTH[PLAIN]}, insecure=False)


def test_the_names_suffix_is_part_of_the_service() -> None:
    records = {"_etcd-client-blue._tcp.example.org.": ("0 0 1 c.example.org.",), **BOTH}
    assert find(records, "blue") == [("c.example.org:1", 0, 0, False)]


def test_where_nothing_is_found_the_error_names_every_place() -> None:
    with pytest.raises(DiscoveryError, match=r"_etcd-client-ssl\._tcp\.example\.org .*; _etcd-client\._tcp\."):
        find({})
