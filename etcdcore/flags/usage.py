"""What `etcdcore --help` prints: the subcommands, every flag in groups with the common ones first, and examples."""

from typing import Final

from etcdcore.flags.command_line import CONFIG_FILE, VERSION
from etcdcore.flags.table import FLAGS, IDLE, REFUSED, SECTIONS, Flag

_HEAD: Final = """Usage:

  etcdcore [serve] [flags]
    Start an etcd server; flags, environment (ETCD_...) and files are those of etcd.

  etcdcore gateway start | grpc-proxy start
    A TCP gateway, or a proxy that merges watches, in front of servers.

  etcdcore snapshot save | status | restore
    Save a snapshot of a running server, look at one, make a data directory from one.

  etcdcore completion bash | zsh | fish
    Print a script for the shell that completes words: source <(etcdcore completion bash)
"""
COMMON: Final = (
    "name",
    "data-dir",
    "listen-client-urls",
    "advertise-client-urls",
    "listen-metrics-urls",
    "quota-backend-bytes",
    "auto-compaction-mode",
    "auto-compaction-retention",
    "cert-file",
    "key-file",
    "trusted-ca-file",
    "client-cert-auth",
    "log-level",
)
_EXAMPLES: Final = """
Examples:

  etcdcore
    Serves on http://localhost:2379, with its data in default.etcd of the working directory.

  etcdcore --data-dir /var/lib/etcd --listen-client-urls http://0.0.0.0:2379 \\
      --advertise-client-urls http://this-host.example.org:2379
    Serves other machines, too."""


def usage() -> str:
    """Every flag once, with its default and meaning, laid out as `etcd --help` lays them out."""
    lines = [_HEAD + "\nCommon:", *_entry(CONFIG_FILE), *_entry(VERSION)]
    for name in COMMON:
        lines += _entry(FLAGS[name])
    for section, flags in SECTIONS:
        lines.append(f"\n{section}:")
        for flag in flags:
            if flag.name not in COMMON and not flag.renamed:
                lines += _entry(flag)
    lines.append("\nDeprecated, under names that are going:")
    for _, flags in SECTIONS:
        for flag in flags:
            if flag.renamed:
                lines += _entry(flag)
    return "\n".join(lines) + "\n" + _EXAMPLES


def _entry(flag: Flag) -> tuple[str, str]:
    return f"  --{flag.name} '{flag.default}'", f"    {flag.meaning}{_remark(flag)}"


def _remark(flag: Flag) -> str:
    if flag.fate == REFUSED:
        return f" Not supported: {flag.reason}."
    if flag.fate == IDLE:
        return f" No effect: {flag.reason}."
    return ""
