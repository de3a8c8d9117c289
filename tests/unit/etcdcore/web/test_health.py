"""Source: reference section 1.6; the bodies are etcd 3.6.16's."""

import pytest

from etcdcore.errors import CoreError, NoLeader
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.http import HttpResponse
from etcdcore.web.facts import ALARM_CORRUPT, ALARM_NOSPACE
from etcdcore.web.handler import WebHandler
from tests.unit.etcdcore.web.fakes import SettableFacts, body_of, make_request, with_handler

GOOD = (200, b'{"health":"true","reason":""}')


def bad(reason: str) -> tuple[int, bytes]:
    return 503, f'{{"health":"false","reason":"{reason}"}}\n'.encode()


async def seen(handler: WebHandler, path: str) -> tuple[int, bytes]:
    response: HttpResponse = await handler.handle(make_request(path, method="GET"))
    return response.status, await body_of(response)


def test_health_fails_by_alarm_then_leader_then_read() -> None:
    facts = SettableFacts()

    async def script(handler: WebHandler) -> None:
        assert await seen(handler, "/health") == GOOD
        facts.read_errors[False] = NoLeader()
        assert await seen(handler, "/health") == bad("RANGE ERROR:etcdserver: no leader")
        facts.leader = False
        assert await seen(handler, "/health") == bad("RAFT NO LEADER")
        assert await seen(handler, "/health?serializable=true") == GOOD
        facts.raised = (ALARM_CORRUPT, ALARM_NOSPACE)
        assert await seen(handler, "/health?serializable=true") == bad("ALARM CORRUPT")
        assert await seen(handler, "/health?serializable=true&exclude=CORRUPT") == bad("ALARM NOSPACE")
        assert await seen(handler, "/health?serializable=true&exclude=CORRUPT&exclude=NOSPACE") == GOOD

    with_handler(MethodTable(), script, facts=facts)


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/readyz/non_learner"])
def test_only_get_is_allowed(path: str) -> None:
    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request(path))
        assert (response.status, response.headers["Allow"]) == (405, "GET")
        assert await body_of(response) == b"Method Not Allowed\n"

    with_handler(MethodTable(), script)


def test_readiness_names_what_failed_and_livez_looks_only_at_this_member() -> None:
    facts = SettableFacts()
    errors: dict[bool, CoreError] = {False: NoLeader()}

    async def script(handler: WebHandler) -> None:
        assert await seen(handler, "/readyz") == (200, b"ok\n")
        assert await seen(handler, "/livez?verbose") == (200, b"[+]serializable_read ok\nok\n")
        facts.read_errors = errors
        assert await seen(handler, "/readyz") == (
            503,
            b"[+]data_corruption ok\n[+]serializable_read ok\n[-]linearizable_read failed: etcdserver: no leader\n"
            b"[+]non_learner ok\n\n",
        )
        assert await seen(handler, "/readyz?exclude=linearizable_read&exclude=unheard_of") == (200, b"ok\n")
        assert await seen(handler, "/readyz/non_learner") == (200, b"ok\n")
        assert await seen(handler, "/readyz/linearizable_read") == (
            503,
            b"[-]linearizable_read failed: etcdserver: no leader\n\n",
        )
        assert await seen(handler, "/livez") == (200, b"ok\n")
        facts.learner = True
        facts.raised = (ALARM_CORRUPT,)
        assert await seen(handler, "/readyz/non_learner") == (
            503,
            b"[-]non_learner failed: not supported for learner\n\n",
        )
        assert await seen(handler, "/readyz/data_corruption") == (
            503,
            b"[-]data_corruption failed: alarm activated: CORRUPT\n\n",
        )

    with_handler(MethodTable(), script, facts=facts)


@pytest.mark.parametrize("path", ["/livez/", "/livez/nope", "/livez/linearizable_read", "/healthz", "/health/"])
def test_other_paths_are_nowhere(path: str) -> None:
    async def script(handler: WebHandler) -> None:
        assert await seen(handler, path) == (404, b"404 page not found\n")

    with_handler(MethodTable(), script)
