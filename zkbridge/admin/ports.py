"""The two ports, opened as the configuration says."""

from typing import Final

from zkbridge.admin.commands import AdminPages
from zkbridge.admin.facts import AdminFacts
from zkbridge.admin.http_port import HttpPort
from zkbridge.admin.metrics_page import MetricsPages
from zkbridge.config import AdminSettings, MetricsSettings
from zkbridge.sessions.credentials import AuthRules

METRICS_IDLE_S: Final = 30.0
"""As Jetty's default, which ZooKeeper's metrics port has."""


async def open_ports(
    admin: AdminSettings | None, metrics: MetricsSettings | None, facts: AdminFacts, auth_rules: AuthRules
) -> list[HttpPort]:
    """Those that are asked for. Raises OSError, and then none is open."""
    ports: list[HttpPort] = []
    try:
        if metrics is not None:
            ports.append(HttpPort("metrics port", MetricsPages(facts, metrics.export_jvm_info), METRICS_IDLE_S))
            await ports[-1].open(metrics.host, metrics.port)
        if admin is not None:
            pages = AdminPages(facts, admin.command_url, auth_rules)
            ports.append(HttpPort("AdminServer", pages, admin.idle_timeout_ms / 1000))
            await ports[-1].open(admin.host, admin.port)
    except OSError:
        for port in ports:
            await port.close()
        raise
    return ports
