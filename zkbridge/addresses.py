"""The addresses that the server listens on."""

import contextlib
import re
import socket

from zkbridge.flags import FLAG_BY_KEY
from zkbridge.membership import ServerLine
from zkbridge.sources import Sources

__all__ = ["client_address", "etcd_address", "every_interface", "flag_address"]


def flag_address(sources: Sources, flag_key: str, example_port: int) -> tuple[str, int] | None:
    """Host and port of a flag `HOST:PORT`; None if nobody gave it."""
    address = sources.text(flag_key, None, "")
    if not address:
        return None
    match = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]*)):(\d{1,5})", address)
    if match is None or int(match[3]) > 65535:
        sources.errors.append(
            f"--{FLAG_BY_KEY[flag_key].name} {address}: expected HOST:PORT, "
            f"as in 127.0.0.1:{example_port} or [::1]:{example_port}"
        )
        return "", 0
    return match[1] or match[2], int(match[3])


def every_interface(host: str) -> str:
    """Empty for the two addresses that mean every interface to Java, each for IPv4 and IPv6 together. A socket of ours
    that is bound to one of them would take that family alone."""
    return "" if host in ("0.0.0.0", "::", "[::]") else host


def client_address(sources: Sources, member: ServerLine | None, my_id: int | None) -> tuple[str, int]:
    """By the flag, else clientPort, else the server.N line. ZooKeeper opens no client port at all if the file myid is
    missing and only the line has one; a server that nobody can reach is of no use, so the line counts here."""
    address = flag_address(sources, "client_addr", 2181)
    if address is not None:
        return address
    if not sources.has_file:
        return "127.0.0.1", 2181
    host = sources.text(None, "clientPortAddress", "")
    port = sources.number(None, "clientPort", -1, least=0, most=65535)
    client = None if member is None or my_id not in (None, member.server_id) else member.client
    if port >= 0:
        if client is None or my_id is None:
            return every_interface(host), port
        if port != client[1] or (every_interface(host) and not _is_same_host(host, client[0])):
            sources.errors.append(
                f"{sources.path}: clientPort: {host or '*'}:{port} is not the client address of the server.{my_id} "
                f"line, {client[0]}:{client[1]}; keep one of the two"
            )
        return every_interface(client[0]), client[1]
    if host:
        sources.errors.append(f"{sources.path}: clientPortAddress: needs clientPort; add it")
    elif client is not None:
        return every_interface(client[0]), client[1]
    elif member is not None and member.client is not None:
        sources.errors.append(
            f"{sources.path}: server.{member.server_id}: the file myid says {my_id}, so this line's client port is not "
            "this server's, and no client could connect; make the two agree, or add clientPort"
        )
    elif not sources.errors:
        sources.errors.append(f"{sources.path}: no clientPort, so no client could connect; add it or --client-addr")
    return "", 0


def _is_same_host(one: str, other: str) -> bool:
    """Whether two names or addresses mean one address, as Java compares them: after asking the resolver."""

    def address_of(host: str) -> str:
        with contextlib.suppress(OSError):
            return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        return host

    return address_of(one) == address_of(other)


def etcd_address(sources: Sources) -> str:
    address = sources.text("etcd_addr", "etcdAddress", "")
    match = re.fullmatch(r"(?:\[[^\]]+\]|[^:\[\]]*):(\d{1,5})", address)
    if address and (match is None or int(match[1]) > 65535):
        sources.errors.append(f"--etcd-addr {address}: expected HOST:PORT, as in 127.0.0.1:2379 or [::1]:2379")
    return address
