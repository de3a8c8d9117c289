"""The echo service as a process: `python -m integration.etcd.http2.echo_server --carrier ours URL`.

Prints the port it got, then serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from typing import final

import structlog
import uvloop

from etcdcore.rpc.grpcio_server import GrpcioServer
from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse
from etcdcore.rpc.limits import RpcLimits
from etcdcore.rpc.listener import ALPN_PROTOCOLS, Listener
from integration.etcd.http2.echo_service import echo_table

STOP_GRACE_S = 3.0
"""By default."""


@final
class EchoHttp(HttpHandler):
    """Tells what it was asked; `/slow` never answers, `/raise` is a bug, `/pieces` answers bit by bit."""

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/slow":
            await asyncio.Event().wait()
        if request.path == "/raise":
            raise ValueError("a bug of the handler")
        body = b"".join([piece async for piece in request.body])
        told = f"{request.method} {request.path} {dict(request.query)} {request.common_name} {len(body)}\n".encode()
        if request.path == "/pieces":
            return HttpResponse(200, {"Content-Type": "text/plain"}, _pieces(told))
        return HttpResponse(200, {"Content-Type": "text/plain"}, told)


async def _pieces(told: bytes) -> AsyncIterator[bytes]:
    for _ in range(1000):
        yield told * 10


async def serve_grpcio(url: str, limits: RpcLimits, grace_s: float) -> None:
    """grpcio's server, until standard input ends."""
    server = GrpcioServer(echo_table(), limits)
    (port,) = await server.start([url])
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await server.stop(grace_s)


async def serve_ours(url: str, limits: RpcLimits, grace_s: float, tls: ssl.SSLContext | None) -> None:
    """Ours, until standard input ends."""
    async with asyncio.TaskGroup() as group:
        listener = Listener(group, echo_table(), EchoHttp(), limits)
        print(await listener.start(url, tls), flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)
        await listener.stop(grace_s)


def tls_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """A server's, which asks for a certificate if there is an authority to verify it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(list(ALPN_PROTOCOLS))
    if authority:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def main() -> None:
    """One server of either kind."""
    # Standard output is for the port alone: nobody reads what else came there.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    parser = argparse.ArgumentParser()
    parser.add_argument("--carrier", choices=["ours", "grpcio"], required=True)
    parser.add_argument("--streams-max", type=int, default=RpcLimits().streams_max)
    parser.add_argument("--ping-interval", type=float, default=RpcLimits().ping_interval_s)
    parser.add_argument("--ping-timeout", type=float, default=RpcLimits().ping_timeout_s)
    parser.add_argument("--stop-grace", type=float, default=STOP_GRACE_S)
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "AUTHORITY"))
    parser.add_argument("url")
    arguments = parser.parse_args()
    limits = RpcLimits(
        streams_max=arguments.streams_max,
        ping_interval_s=arguments.ping_interval,
        ping_timeout_s=arguments.ping_timeout,
    )
    if arguments.carrier == "grpcio":
        uvloop.run(serve_grpcio(arguments.url, limits, arguments.stop_grace))
    else:
        tls = tls_context(*arguments.tls) if arguments.tls else None
        uvloop.run(serve_ours(arguments.url, limits, arguments.stop_grace, tls))


if __name__ == "__main__":
    main()
