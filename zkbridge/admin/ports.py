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


async def open_metrics_port(settings: MetricsSettings, facts: AdminFacts) -> HttpPort:
    """Raises OSError."""
    port = HttpPort("metrics port", MetricsPages(facts, settings.export_jvm_info), METRICS_IDLE_S)
    await port.open(settings.host, settings.port)
    return port


async def open_admin_port(settings: AdminSettings, facts: AdminFacts, auth_rules: AuthRules) -> HttpPort:
    """Raises OSError."""
    idle_s = settings.idle_timeout_ms / 1000
    port = HttpPort("AdminServer", AdminPages(facts, settings.command_url, auth_rules), idle_s)
    await port.open(settings.host, settings.port)
    return port
