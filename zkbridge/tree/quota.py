"""Quotas: the figures of what stands below a path, and the limits that creates and setData may not pass.

A client makes `/zookeeper/quota<path>/zookeeper_limits`, which sets the quota, and `.../zookeeper_stats` beside it,
whose data the server then keeps at the count and bytes of the path itself and all below it. Both are text:

    limits   count=-1,bytes=-1=;byteHardLimit=100;countHardLimit=-1      -1 or no word: no limit
    stats    count=4,bytes=59

A change counts for the deepest path at or above it that has limits. The stats are made in memory, as the tree changes
and anew at each start: no key is written for it, and neither version nor mzxid nor a watch tells of it.

Limits are looked at only where `enforceQuota` is set, against the tree as applied: what is in flight, the operations of
the same multi too, is not in it. A hard limit refuses, a soft one is told to the log.

Differs: stats that are no figures are counted anew with the next change, and limits of the root do nothing; a client
that writes the former, or creates the latter, ends a ZooKeeper server.

Source: ZooKeeper StatsTrack, Quotas, DataTree (updateQuotaStat, getCounts, setupQuota), ZooKeeperServer.checkQuota.
"""

import re
from typing import Final, final

from zkbridge.errors import MARSHALLING_ERROR, OK, QUOTA_EXCEEDED
from zkbridge.tree.znode import Znode

QUOTA_PATH: Final = "/zookeeper/quota"
QUOTA_PREFIX: Final = "/zookeeper/quota/"
LIMITS_NAME: Final = "zookeeper_limits"
STATS_NAME: Final = "zookeeper_stats"

COUNT: Final = "count"
BYTES: Final = "bytes"
COUNT_HARD: Final = "countHardLimit"
BYTES_HARD: Final = "byteHardLimit"

NO_LIMIT: Final = -1

WARNINGS_MAX: Final = 100
"""Paths whose exceeded limits are remembered for the log until it asks; those of others only count."""

NAMESPACES_MAX: Final = 10_000
"""Top-level names whose exceeded limits are counted, since clients choose them."""

_SEPARATORS: Final = re.compile("[,;]+")
_LONG: Final = re.compile(r"[+-]?\d{1,40}")
_INT64_MAX: Final = 2**63 - 1


def parse_figures(data: bytes | None) -> dict[str, int] | None:
    """The words of limits or stats with their numbers, None for what Java's parser trips over. StatsTrack(String)."""
    if data is None:
        return None
    figures: dict[str, int] = {}
    text = data.decode("utf-8", "replace")
    if text == "":
        return figures
    pairs = _SEPARATORS.split(text)
    while pairs and pairs[-1] == "":
        pairs.pop()
    for pair in pairs:
        # As Java splits: empty parts at the end are none, so "count=" has no second one.
        parts = pair.rstrip("=").split("=")
        if len(parts) < 2:
            return None
        number = parts[1]
        if number == "":
            figures[parts[0]] = NO_LIMIT
        elif _LONG.fullmatch(number) is None or not -_INT64_MAX - 1 <= int(number) <= _INT64_MAX:
            return None
        else:
            figures[parts[0]] = int(number)
    return figures


def encode_figures(figures: dict[str, int]) -> bytes:
    """As StatsTrack.toString: count and bytes first, all else behind an "=" that old parsers need."""
    text = f"count={figures.get(COUNT, NO_LIMIT)},bytes={figures.get(BYTES, NO_LIMIT)}"
    others = sorted([name for name in figures if name not in (COUNT, BYTES)])
    if others:
        text += "=" + "".join([f";{name}={figures[name]}" for name in others])
    return text.encode()


def namespace_of(path: str) -> str:
    """The first name of a path."""
    return path.split("/", 2)[1]


@final
class QuotaWarning:
    """A limit that was passed: `figure` would have become `value`. `times` since the log was last told."""

    __slots__ = ("figure", "is_hard", "limit", "path", "times", "value")

    def __init__(self, path: str, figure: str, value: int, limit: int, is_hard: bool) -> None:
        self.path: Final = path
        self.figure: Final = figure
        self.value: Final = value
        self.limit: Final = limit
        self.is_hard: Final = is_hard
        self.times = 1


@final
class Quotas:
    """Which paths have limits, and what was refused or warned of because of them. The replica owns it."""

    __slots__ = ("_warnings", "exceeded", "limited")

    def __init__(self) -> None:
        self.limited: Final[set[str]] = set()
        self.exceeded: Final[dict[str, int]] = {}
        """Refusals by top-level name (mntr's quota_exceeded_error_per_namespace)."""
        self._warnings: dict[tuple[str, str], QuotaWarning] = {}

    def znode_created(self, path: str) -> None:
        """A znode below QUOTA_PATH is there. Limits of the root are none."""
        if path.endswith("/" + LIMITS_NAME):
            limited = path[len(QUOTA_PATH) : -len(LIMITS_NAME) - 1]
            if limited != "":
                self.limited.add(limited)

    def znode_deleted(self, path: str) -> None:
        """A znode below QUOTA_PATH is gone."""
        if path.endswith("/" + LIMITS_NAME):
            self.limited.discard(path[len(QUOTA_PATH) : -len(LIMITS_NAME) - 1])

    def path_over(self, path: str) -> str:
        """The deepest path with limits at or above this one, "" if there is none. DataTree.getMaxPrefixWithQuota."""
        limited = self.limited
        while path != "":
            if path in limited:
                return path
            path = path[: path.rfind("/")]
        return ""

    def check(
        self,
        over: str,
        namespace: str,
        limits: bytes | None,
        stats: bytes | None,
        has_stats: bool,
        added: int,
        added_bytes: int,
    ) -> int:
        """OK, QUOTA_EXCEEDED, or MARSHALLING_ERROR for limits or stats that can't be read, as in ZooKeeper."""
        wanted = parse_figures(limits)
        if wanted is None:
            return MARSHALLING_ERROR
        count_limit, is_count_hard = _limit_of(wanted, COUNT, COUNT_HARD)
        bytes_limit, is_bytes_hard = _limit_of(wanted, BYTES, BYTES_HARD)
        checks_count = added != 0 and count_limit > NO_LIMIT
        checks_bytes = added_bytes != 0 and bytes_limit > NO_LIMIT
        if not has_stats or not (checks_count or checks_bytes):
            return OK
        current = parse_figures(stats)
        if current is None:
            return MARSHALLING_ERROR
        if checks_count:
            count = current.get(COUNT, NO_LIMIT) + added
            if count > count_limit and self._exceeded(over, namespace, COUNT, count, count_limit, is_count_hard):
                return QUOTA_EXCEEDED
        if checks_bytes:
            size = current.get(BYTES, NO_LIMIT) + added_bytes
            if size > bytes_limit and self._exceeded(over, namespace, BYTES, size, bytes_limit, is_bytes_hard):
                return QUOTA_EXCEEDED
        return OK

    def _exceeded(self, over: str, namespace: str, figure: str, value: int, limit: int, is_hard: bool) -> bool:
        warnings = self._warnings
        told = warnings.get((over, figure))
        times = 1 if told is None else told.times + 1
        if told is not None or len(warnings) < WARNINGS_MAX:
            warning = QuotaWarning(over, figure, value, limit, is_hard)
            warning.times = times
            warnings[(over, figure)] = warning
        if is_hard and (namespace in self.exceeded or len(self.exceeded) < NAMESPACES_MAX):
            self.exceeded[namespace] = self.exceeded.get(namespace, 0) + 1
        return is_hard

    def take_warnings(self) -> list[QuotaWarning]:
        """What the log has not been told: one a path and figure, the last."""
        warnings = self._warnings
        if not warnings:
            return []
        self._warnings = {}
        return list(warnings.values())


def _limit_of(figures: dict[str, int], soft: str, hard: str) -> tuple[int, bool]:
    """The limit in force: a hard one goes before a soft one."""
    limit = figures.get(hard, NO_LIMIT)
    if limit > NO_LIMIT:
        return limit, True
    return figures.get(soft, NO_LIMIT), False


def namespace_figures(znodes: dict[str, Znode]) -> dict[str, tuple[int, int, int, int]]:
    """By top-level name: the limits of count and bytes, hard ones first, and the count and bytes in use.

    Sums over all quotas below the name, -1 for each without a limit, as mntr's quota_*_per_namespace have them. Source:
    ZooKeeper QuotaMetricsUtils, but for leaves alone and passing over what can't be read.
    """
    found: dict[str, tuple[int, int, int, int]] = {}
    paths = [QUOTA_PATH]
    while paths:
        path = paths.pop()
        znode = znodes[path]
        if znode.children is not None:
            paths.extend([f"{path}/{name}" for name in znode.children])
            continue
        is_limits = path.endswith("/" + LIMITS_NAME)
        namespace = namespace_of(path[len(QUOTA_PATH) :]) if is_limits or path.endswith("/" + STATS_NAME) else ""
        figures = parse_figures(znode.data)
        if namespace in ("", LIMITS_NAME, STATS_NAME) or figures is None:
            continue
        count_limit, bytes_limit, count, size = found.get(namespace, (0, 0, 0, 0))
        if is_limits:
            count_limit += _limit_of(figures, COUNT, COUNT_HARD)[0]
            bytes_limit += _limit_of(figures, BYTES, BYTES_HARD)[0]
        else:
            count += figures.get(COUNT, NO_LIMIT)
            size += figures.get(BYTES, NO_LIMIT)
        found[namespace] = (count_limit, bytes_limit, count, size)
    return found
