"""Who is at the other end of a transport."""

import asyncio


def peer_of(transport: asyncio.BaseTransport | None) -> str:
    """`host:port`, or `unix` for who came by a path."""
    return peer_of_address(None if transport is None else transport.get_extra_info("peername"))


def peer_of_address(name: object) -> str:
    """The same of a socket's address."""
    if isinstance(name, tuple) and len(name) >= 2:
        host = f"[{name[0]}]" if ":" in str(name[0]) else name[0]
        return f"{host}:{name[1]}"
    return "unix"


def common_name_of(transport: asyncio.BaseTransport | None) -> str:
    """Of the certificate that the client showed and our TLS context verified; empty without one."""
    certificate = None if transport is None else transport.get_extra_info("peercert")
    if not certificate:
        return ""
    for names in certificate.get("subject", ()):
        for kind, value in names:
            if kind == "commonName":
                return str(value)
    return ""
