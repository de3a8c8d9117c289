"""Who may come in, and to which page. Source: etcd server/embed/serve.go, reference section 1.5."""

import asyncio
import json

import pytest

from etcdcore.config import ServerConfig, TlsConfig
from etcdcore.rpc.calls import MethodTable
from etcdcore.web.handler import WebHandler
from tests.unit.etcdcore.web.fakes import SettableFacts, body_of, make_request, with_handler


@pytest.mark.parametrize(
    ("host", "status"),
    [("good.example", 200), ("good.example:2379", 200), ("evil.example", 421), ("[::1]:2379", 200), ("", 421)],
)
def test_a_plain_connection_must_name_a_host_of_the_whitelist(host: str, status: int) -> None:
    config = ServerConfig(host_whitelist=("good.example", "::1"))

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/version", method="GET", headers={"host": host}))
        assert response.status == status
        if status == 421:
            assert f'--host-whitelist "{host.partition(":")[0]}"'.encode() in await body_of(response)
        response = await handler.handle(make_request("/version", method="GET", headers={"host": host}, is_secure=True))
        assert response.status == 200

    with_handler(MethodTable(), script, config=config)


def test_a_certificate_with_a_name_is_refused_at_the_gateway_while_authentication_is_on() -> None:
    config = ServerConfig(client_tls=TlsConfig(client_cert_auth=True))
    facts = SettableFacts()

    async def script(handler: WebHandler) -> None:
        async def status(path: str, name: str) -> int:
            return (await handler.handle(make_request(path, is_secure=True, common_name=name))).status

        assert await status("/v3/kv/range", "root") == 501
        facts.auth = True
        assert await status("/v3/kv/range", "root") == 400
        assert await status("/v3beta/kv/range", "root") == 400
        assert await status("/v3/kv/range", "") == 501
        assert await status("/health", "root") == 405

    with_handler(MethodTable(), script, facts=facts, config=config)


def test_pages_of_the_listed_origins_may_read_the_answers() -> None:
    async def script(handler: WebHandler) -> None:
        for origin, allowed in (("http://a", "http://a"), ("http://b", None)):
            headers = {"origin": origin, "host": "x"}
            response = await handler.handle(make_request("/version", method="GET", headers=headers))
            assert response.headers.get("Access-Control-Allow-Origin") == allowed

    with_handler(MethodTable(), script, config=ServerConfig(cors=("http://a",)))


def test_a_preflight_is_answered_whatever_its_path() -> None:
    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/anything", method="OPTIONS"))
        assert (response.status, await body_of(response)) == (200, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Allow-Headers"] == "accept, content-type, authorization"

    with_handler(MethodTable(), script)


def test_without_the_gateway_its_paths_are_nowhere() -> None:
    async def script(handler: WebHandler) -> None:
        for path in ("/v3/kv/range", "/v3", "/v3beta/kv/range"):
            response = await handler.handle(make_request(path))
            assert (response.status, await body_of(response)) == (404, b"404 page not found\n")

    with_handler(MethodTable(), script, config=ServerConfig(enable_grpc_gateway=False))


@pytest.mark.parametrize(
    ("path", "target"),
    [("/v3", "/v3/"), ("//health", "/health"), ("/a/../v3/x/", "/v3/x/"), ("/./version", "/version")],
)
def test_a_path_that_could_be_shorter_is_redirected(path: str, target: str) -> None:
    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request(path))
        assert (response.status, response.headers["Location"]) == (307, target)

    with_handler(MethodTable(), script)


def test_the_version_is_etcds_and_undecided_ones_are_called_so() -> None:
    facts = SettableFacts()

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/version", method="GET"))
        versions = json.loads(await body_of(response))
        assert versions["etcdserver"].startswith("3.6.")
        assert (versions["etcdcluster"], versions["storage"]) == ("3.6.0", "3.6.0")
        facts.known_versions = ("", "")
        versions = json.loads(await body_of(await handler.handle(make_request("/version", method="GET"))))
        assert (versions["etcdcluster"], versions["storage"]) == ("not_decided", "unknown")
        response = await handler.handle(make_request("/version"))
        assert (response.status, response.headers["Allow"]) == (405, "GET")

    with_handler(MethodTable(), script, facts=facts)


def test_the_debug_variables_are_json() -> None:
    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/debug/vars", method="GET"))
        assert {"cmdline", "file_descriptor_limit", "memstats"} <= json.loads(await body_of(response)).keys()
        assert (await handler.handle(make_request("/debug/vars"))).status == 405
        assert (await handler.handle(make_request("/debug/pprof/", method="GET"))).status == 404

    with_handler(MethodTable(), script)


def test_the_tasks_of_a_handler_are_its_owners() -> None:
    """Nothing is left when the group of the server ends."""

    async def script(handler: WebHandler) -> None:
        before = asyncio.all_tasks()
        await handler.handle(make_request("/v3/kv/range"))
        assert asyncio.all_tasks() == before

    with_handler(MethodTable(), script)
