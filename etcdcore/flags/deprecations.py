"""What etcd 3.6 says of a flag that is going, word for word: people look for these lines before an upgrade. Pure."""

from typing import Final

from etcdcore.flags.table import Flag

_GATE: Final = "feature-gates:"
_TRACING: Final = "distributed-tracing"
_TEXTS: Final = {
    "max-snapshots": "--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8.",
    "v2-deprecation": "--v2-deprecation is deprecated and scheduled for removal in v3.8. "
    "The default value is enforced, ignoring user input.",
    "experimental-warning-unary-request-duration": "--experimental-warning-unary-request-duration is deprecated, and "
    "will be decommissioned in v3.7. Use --warning-unary-request-duration instead.",
    "experimental-compaction-sleep-interval": "--experimental-compaction-sleep-interval is deprecated in v3.6 and will "
    "be decommissioned in v3.7. Use 'compaction-sleep-interval' instead.",
}


def deprecation(flag: Flag) -> str:
    """The line for a flag that somebody set; empty if it stays."""
    if not flag.renamed:
        return _TEXTS.get(flag.name, "")
    if flag.name in _TEXTS:
        return _TEXTS[flag.name]
    option = f"--{flag.renamed}"
    if flag.renamed.startswith(_GATE):
        option = f"--feature-gates={flag.renamed.removeprefix(_GATE)}=true"
    # etcd's own lines are not all of one form.
    mark = "" if flag.name.startswith("experimental-compact-hash-check") or _TRACING in flag.name else "v"
    shown = option if _TRACING in flag.name else f"'{option}'"
    return f"--{flag.name} is deprecated in {mark}3.6 and will be decommissioned in {mark}3.7. Use {shown} instead."
