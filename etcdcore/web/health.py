"""`/health`, `/livez`, `/readyz`: is this server, is its cluster fit to serve.

`/health` answers JSON after alarms, leader and a read; the other two run named checks, all of them or by
`/livez/<check>`, and answer `ok` or the list of what failed. Source: etcd server/etcdserver/api/etcdhttp/health.go.
"""

from collections.abc import Sequence
from typing import Final, final

import structlog

from etcdcore.rpc.http import HttpRequest, HttpResponse
from etcdcore.web.facts import ALARM_CORRUPT, ALARM_NOSPACE, ServerFacts
from etcdcore.web.json_write import quote
from etcdcore.web.pages import TEXT, method_not_allowed, not_found, plain_error

_log = structlog.get_logger()

_ALARM_NAMES: Final = {ALARM_NOSPACE: "NOSPACE", ALARM_CORRUPT: "CORRUPT"}

SERIALIZABLE_READ: Final = "serializable_read"
LINEARIZABLE_READ: Final = "linearizable_read"
DATA_CORRUPTION: Final = "data_corruption"
NON_LEARNER: Final = "non_learner"
CHECKS: Final[dict[str, tuple[str, ...]]] = {
    "livez": (SERIALIZABLE_READ,),
    "readyz": (DATA_CORRUPTION, SERIALIZABLE_READ, LINEARIZABLE_READ, NON_LEARNER),
}


@final
class HealthCounts:
    """For /metrics: how probes of `/health` ended, and those of each check, with the last result."""

    __slots__ = ("checks", "failures", "results", "successes")

    def __init__(self) -> None:
        self.successes = 0
        self.failures = 0
        self.checks: Final[dict[tuple[str, str, str], int]] = {}
        """By kind (`livez`), check and `success` or `error`."""
        self.results: Final[dict[tuple[str, str], int]] = {}
        """1 or 0, by kind and check."""

    def note(self, kind: str, check: str, is_good: bool) -> None:
        ended = (kind, check, "success" if is_good else "error")
        self.checks[ended] = self.checks.get(ended, 0) + 1
        self.results[kind, check] = int(is_good)


@final
class HealthPages:
    def __init__(self, facts: ServerFacts) -> None:
        self._facts: Final = facts
        self.counts: Final = HealthCounts()

    async def health(self, request: HttpRequest) -> HttpResponse:
        if request.method != "GET":
            return method_not_allowed()
        is_serializable = request.query.get("serializable", [""])[0] == "true"
        reason = await self._why_unhealthy(request.query.get("exclude", ()), is_serializable)
        if not reason:
            self.counts.successes += 1
            return HttpResponse(200, {"Content-Type": TEXT}, b'{"health":"true","reason":""}')
        self.counts.failures += 1
        _log.warning("health_check_failed", reason=reason)
        return plain_error(503, f'{{"health":"false","reason":{quote(reason)}}}')

    async def _why_unhealthy(self, excluded: Sequence[str], is_serializable: bool) -> str:
        for alarm in self._facts.alarms():
            name = _ALARM_NAMES.get(alarm, "UNKNOWN")
            if name not in excluded:
                return f"ALARM {name}"
        if not is_serializable and not self._facts.has_leader():
            return "RAFT NO LEADER"
        error = await self._facts.check_read(is_serializable)
        return "" if error is None else f"RANGE ERROR:{error}"

    async def checks(self, request: HttpRequest) -> HttpResponse:
        """`/livez` and `/readyz`, and a path below for each check."""
        kind, slash, only = request.path[1:].partition("/")
        names: Sequence[str] = CHECKS[kind]
        if slash:
            if only not in names:
                return not_found()
            names = (only,)
        if request.method != "GET":
            return method_not_allowed()
        if not slash:
            excluded = request.query.get("exclude", ())
            names = [name for name in names if name not in excluded]
        report = ""
        is_good = True
        for name in names:
            failure = await self._run(name)
            self.counts.note(kind, name, not failure)
            report += f"[-]{name} failed: {failure}\n" if failure else f"[+]{name} ok\n"
            is_good = is_good and not failure
        if not is_good:
            _log.error("health_check_failed", path=request.path, reason=report)
            return plain_error(503, report)
        headers = {"Content-Type": TEXT, "X-Content-Type-Options": "nosniff"}
        return HttpResponse(200, headers, f"{report if 'verbose' in request.query else ''}ok\n".encode())

    async def _run(self, check: str) -> str:
        """Why it failed; empty when it did not."""
        if check == DATA_CORRUPTION:
            return "alarm activated: CORRUPT" if ALARM_CORRUPT in self._facts.alarms() else ""
        if check == NON_LEARNER:
            return "not supported for learner" if self._facts.is_learner() else ""
        error = await self._facts.check_read(check == SERIALIZABLE_READ)
        return "" if error is None else str(error)
