"""What the client port's listener calls for all that is not gRPC: who may come in at all, then the page or the gateway.

Order of the rules, as in etcd server/embed/serve.go: `/v3beta/` becomes `/v3/`; a plain connection must name a host of
the whitelist (DNS rebinding); a secure one whose certificate names a user may not use the gateway while authentication
is on, since that name would not be heeded; CORS headers, and OPTIONS ends there.
"""

import asyncio
import posixpath
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, final

from etcdcore.config import ServerConfig
from etcdcore.member.member import Member
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse
from etcdcore.rpc.limits import GRPC_OVERHEAD_BYTES
from etcdcore.web import pages
from etcdcore.web.facts import ServerFacts
from etcdcore.web.gateway import Gateway
from etcdcore.web.health import CHECKS, HealthPages
from etcdcore.web.metrics import MetricsPage

_GATEWAY_PREFIX: Final = "/v3/"
_BETA_PREFIX: Final = "/v3beta/"
_CORS_HEADERS: Final = {
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PUT, DELETE",
    "Access-Control-Allow-Headers": "accept, content-type, authorization",
}
_NAMED_CERTIFICATE: Final = (
    "CommonName of client sending a request against gateway will be ignored and not used as expected"
)


def _wrong_host_text(host: str) -> str:
    return f"""
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist "{host}"

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
"""


@final
class WebHandler(HttpHandler):
    """`tasks` runs what reads the bodies of streams: it must outlive every connection. Without a member, no metrics."""

    def __init__(
        self,
        config: ServerConfig,
        table: MethodTable,
        facts: ServerFacts,
        tasks: asyncio.TaskGroup,
        member: Member | None = None,
    ) -> None:
        self._config: Final = config
        self._facts: Final = facts
        if config.metrics == "extensive":
            table.handling_s = {}
        self._health: Final = HealthPages(facts)
        self._metrics: Final = (
            None if member is None else MetricsPage(config, member, table, facts, self._health.counts)
        )
        self._gateway: Final = (
            Gateway(table, tasks, config.max_request_bytes + GRPC_OVERHEAD_BYTES)
            if config.enable_grpc_gateway
            else None
        )

    def takes_websocket(self, request: HttpRequest) -> bool:
        request = _as_v3(request)
        return self._gateway is not None and request.path.startswith(_GATEWAY_PREFIX) and self._refusal(request) is None

    async def handle(self, request: HttpRequest) -> HttpResponse:
        request = _as_v3(request)
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        cors = self._cors(request.headers.get("origin", ""))
        response = HttpResponse(200) if request.method == "OPTIONS" else await self._page(request)
        return replace(response, headers={**response.headers, **cors})

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        if not request.is_secure:
            host = _host_name(request.headers.get("host", ""))
            if not _is_listed(host, self._config.host_whitelist):
                return pages.plain_error(421, _wrong_host_text(host))
        elif (
            request.common_name
            and self._config.client_tls.client_cert_auth
            and self._gateway is not None
            and request.path.startswith(_GATEWAY_PREFIX)
            and self._facts.is_auth_enabled()
        ):
            return pages.plain_error(400, _NAMED_CERTIFICATE)
        return None

    def _cors(self, origin: str) -> Mapping[str, str]:
        if _is_listed("*", self._config.cors):
            return {**_CORS_HEADERS, "Access-Control-Allow-Origin": "*"}
        if _is_listed(origin, self._config.cors):
            return {**_CORS_HEADERS, "Access-Control-Allow-Origin": origin}
        return {}

    async def _page(self, request: HttpRequest) -> HttpResponse:
        path = request.path
        cleaned = _clean(path)
        if cleaned != path or (path == "/v3" and self._gateway is not None):
            return pages.redirect(request, cleaned + "/" if path == "/v3" else cleaned)
        if path.startswith(_GATEWAY_PREFIX) and self._gateway is not None:
            return await self._gateway.handle(request)
        if path == "/health":
            return await self._health.health(request)
        if path[1:].partition("/")[0] in CHECKS:
            return await self._health.checks(request)
        if path == "/version":
            return pages.version(request, self._facts)
        if path == "/metrics" and self._metrics is not None:
            return self._metrics.answer()
        if path == "/debug/vars":
            return pages.variables(request)
        return pages.not_found()


def _as_v3(request: HttpRequest) -> HttpRequest:
    if not request.path.startswith(_BETA_PREFIX):
        return request
    return replace(request, path=_GATEWAY_PREFIX + request.path.removeprefix(_BETA_PREFIX))


def _is_listed(value: str, allowed: tuple[str, ...]) -> bool:
    """An empty list allows all, and so does a star in it."""
    return not allowed or "*" in allowed or value in allowed


def _host_name(host: str) -> str:
    """Without its port; of an IPv6 address in brackets what is inside."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _clean(path: str) -> str:
    """As Go's ServeMux: no empty, `.` or `..` element, and a slash at the end stays."""
    cleaned = posixpath.normpath("/" + path.lstrip("/"))
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned
