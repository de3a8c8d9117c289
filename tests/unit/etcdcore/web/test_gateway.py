"""Conversations with the gateway: requests in, exact status and lines out. As etcd 3.6.16 answered them."""

import asyncio
import json

from etcdcore.config import ServerConfig
from etcdcore.errors import InvalidAuthToken, LeaseNotFound, NoLeader
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.calls import Call, MethodTable
from etcdcore.rpc.http import HttpResponse
from etcdcore.web.gateway import LARGE_ANSWER_BYTES
from etcdcore.web.gateway_call import QUEUED_BYTES_HIGH
from etcdcore.web.handler import WebHandler
from tests.unit.etcdcore.web.fakes import (
    Answering,
    Conversation,
    Conversing,
    body_of,
    make_request,
    with_handler,
)

RANGE = "/etcdserverpb.KV/Range"
WATCH = "/etcdserverpb.Watch/Watch"
SNAPSHOT = "/etcdserverpb.Maintenance/Snapshot"


def table_of(*methods: Answering | Conversing) -> MethodTable:
    table = MethodTable()
    for method in methods:
        table.add(method)
    return table


def echo_key(request: bytes, call: Call) -> None:
    """A range that finds its own key."""
    wanted = rpc_pb2.RangeRequest.FromString(request)
    answer = rpc_pb2.RangeResponse(count=1)
    answer.kvs.add(key=wanted.key)
    call.reply(answer.SerializeToString())


def test_a_unary_call_goes_to_its_method_and_comes_back_as_json() -> None:
    table = table_of(Answering(RANGE, echo_key))

    async def script(handler: WebHandler) -> None:
        for path in ("/v3/kv/range", "/v3beta/kv/range"):
            response = await handler.handle(make_request(path, [b'{"ke', b'y":"Zm9v"}']))
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Grpc-Metadata-Content-Type"] == "application/grpc"
            assert await body_of(response) == b'{"kvs":[{"key":"Zm9v"}],"count":"1"}'
        assert table.started == {RANGE: 2}
        assert table.handled == {(RANGE, 0): 2}

    with_handler(table, script)


def test_a_refusal_has_the_code_the_text_and_the_http_status() -> None:
    table = table_of(Answering(RANGE, lambda _, call: call.refuse(LeaseNotFound())))

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range"))
        assert response.status == 404
        assert await body_of(response) == b'{"code":5,"message":"etcdserver: requested lease not found"}'

    with_handler(table, script)


def test_who_is_not_known_is_told_how_to_say_who_he_is() -> None:
    table = table_of(Answering(RANGE, lambda _, call: call.refuse(InvalidAuthToken())))

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range"))
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "etcdserver: invalid auth token"

    with_handler(table, script)


def test_what_the_table_does_not_have_is_not_implemented() -> None:
    async def script(handler: WebHandler) -> None:
        for path, body in (
            ("/v3/kv/range", b'{"code":12,"message":"unknown service etcdserverpb.KV"}'),
            ("/v3/watch", b'{"code":12,"message":"unknown service etcdserverpb.Watch"}'),
        ):
            response = await handler.handle(make_request(path))
            assert (response.status, await body_of(response)) == (501, body)

    with_handler(MethodTable(), script)


def test_unknown_paths_and_methods_are_answered_in_json() -> None:
    async def script(handler: WebHandler) -> None:
        for path in ("/v3/", "/v3/kv/nope", "/v3/kv/range/"):
            response = await handler.handle(make_request(path))
            assert (response.status, await body_of(response)) == (404, b'{"code":5,"message":"Not Found"}')
        response = await handler.handle(make_request("/v3/kv/range", method="GET"))
        assert (response.status, await body_of(response)) == (501, b'{"code":12,"message":"Method Not Allowed"}')
        headers = {"x-http-method-override": "get", "content-type": "application/x-www-form-urlencoded"}
        assert (await handler.handle(make_request("/v3/kv/range", headers=headers))).status == 501

    with_handler(table_of(Answering(RANGE, echo_key)), script)


def test_bad_json_is_refused_before_the_service_hears_of_it() -> None:
    method = Answering(RANGE, echo_key)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range", b"{"))
        assert (response.status, await body_of(response)) == (400, b'{"code":3,"message":"unexpected EOF"}')
        assert not method.calls

    with_handler(table_of(method), script)


def test_a_body_past_the_limit_is_refused_without_being_kept() -> None:
    method = Answering(RANGE, echo_key)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range", [b" " * (1 << 20)] * 2))
        assert response.status == 429
        key = b"A" * 4 * (200_000)
        response = await handler.handle(make_request("/v3/kv/range", b'{"key":"' + key + b'"}'))
        assert response.status == 429
        assert json.loads(await body_of(response))["code"] == 8
        assert not method.calls

    with_handler(table_of(method), script, config=ServerConfig(max_request_bytes=1000))


def test_the_token_and_the_metadata_of_a_request_reach_the_service() -> None:
    method = Answering(RANGE, echo_key)

    async def script(handler: WebHandler) -> None:
        headers = {"authorization": "Bearer x.1", "grpc-metadata-hasleader": "true", "host": "a", "accept": "*/*"}
        await handler.handle(make_request("/v3/kv/range", headers=headers))
        (call,) = method.calls
        assert call.metadata == {"authorization": "Bearer x.1", "hasleader": "true"}
        assert call.peer == "127.0.0.1:5"
        assert not call.common_name

    with_handler(table_of(method), script)


def test_a_deadline_ends_the_call_for_both_sides() -> None:
    method = Answering(RANGE, lambda _, call: None)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range", headers={"grpc-timeout": "1m"}))
        assert (response.status, await body_of(response)) == (504, b'{"code":4,"message":"context deadline exceeded"}')
        assert method.calls[0].is_done
        for text in ("xx", "5", "-1S"):
            response = await handler.handle(make_request("/v3/kv/range", headers={"grpc-timeout": text}))
            assert response.status == 400
            assert json.loads(await body_of(response))["message"] == f"invalid grpc-timeout: {text}"

    with_handler(table_of(method), script)


def test_a_service_that_raises_is_an_internal_error_of_one_call() -> None:
    def fail(request: bytes, call: Call) -> None:
        raise KeyError("a bug")

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/kv/range"))
        assert (response.status, await body_of(response)) == (500, b'{"code":13,"message":"internal error"}')

    with_handler(table_of(Answering(RANGE, fail)), script)


def test_a_client_that_goes_away_cancels_its_call() -> None:
    method = Answering(RANGE, lambda _, call: None)
    table = table_of(method)

    async def script(handler: WebHandler) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_swallow(handler.handle(make_request("/v3/kv/range"))))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
        assert method.calls[0].is_done
        assert table.handled == {(RANGE, 1): 1}

    with_handler(table, script)


async def _swallow(work: object) -> None:
    assert asyncio.iscoroutine(work)
    await work


def answer_each(conversation: Conversation, message: bytes) -> None:
    if message:
        created = rpc_pb2.WatchResponse(created=True)
        conversation.call.send(created.SerializeToString())


def test_a_stream_is_a_line_for_each_message_while_more_requests_come() -> None:
    method = Conversing(WATCH, answer_each)

    async def script(handler: WebHandler) -> None:
        held = asyncio.Event()
        body = [b'{"create_request":{"key":"YQ=="}}', b'{"create_request":', b"{}}"]
        response = await handler.handle(make_request("/v3/watch", body, held=held))
        assert response.status == 200
        assert not isinstance(response.body, bytes)
        assert await anext(response.body) == b'{"result":{"created":true}}\n'
        assert await anext(response.body) == b'{"result":{"created":true}}\n'
        conversation = method.conversations[0]
        assert conversation.heard == ["message", "message"]
        held.set()
        await conversation.input_is_over.wait()
        conversation.call.refuse(NoLeader())
        assert await anext(response.body) == b'{"error":{"code":14,"message":"etcdserver: no leader"}}\n'
        assert await anext(response.body, b"end") == b"end"

    with_handler(table_of(method), script)


def test_a_stream_that_fails_before_it_began_has_the_http_status_of_its_error() -> None:
    def refuse(conversation: Conversation, message: bytes) -> None:
        conversation.call.refuse(LeaseNotFound())

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/maintenance/snapshot"))
        assert response.status == 404
        assert await body_of(response) == b'{"error":{"code":5,"message":"etcdserver: requested lease not found"}}\n'

    with_handler(table_of(Conversing(SNAPSHOT, refuse)), script)


def test_a_stream_that_ends_without_a_message_is_empty() -> None:
    """etcd on `/v3/lease/keepalive` with an empty body."""

    def finish(conversation: Conversation, message: bytes) -> None:
        conversation.call.finish()

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/watch"))
        assert (response.status, await body_of(response)) == (200, b"")
        assert "Content-Type" not in response.headers

    with_handler(table_of(Conversing(WATCH, finish)), script)


def test_a_server_stream_takes_one_message_and_then_its_input_has_ended() -> None:
    def answer(conversation: Conversation, message: bytes) -> None:
        if conversation.heard[-1] == "ended":
            conversation.call.send(rpc_pb2.SnapshotResponse(remaining_bytes=7).SerializeToString())
            conversation.call.finish()

    method = Conversing(SNAPSHOT, answer)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/maintenance/snapshot", b"{}{}"))
        assert await body_of(response) == b'{"result":{"remaining_bytes":"7"}}\n'
        assert method.conversations[0].heard == ["message", "ended"]

    with_handler(table_of(method), script)


def test_input_of_a_stream_that_is_no_json_ends_it_and_what_was_asked_goes_on() -> None:
    """As etcd: a watch goes on after a message that could not be read."""
    method = Conversing(WATCH, answer_each)

    async def script(handler: WebHandler) -> None:
        held = asyncio.Event()
        response = await handler.handle(make_request("/v3/watch", b'{"create_request":{}} xx', held=held))
        assert not isinstance(response.body, bytes)
        assert await anext(response.body) == b'{"result":{"created":true}}\n'
        conversation = method.conversations[0]
        await conversation.input_is_over.wait()
        assert not conversation.call.is_done

    with_handler(table_of(method), script)


def test_closing_a_stream_cancels_its_call_and_stops_reading() -> None:
    method = Conversing(WATCH, answer_each)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/watch", b'{"create_request":{}}', held=asyncio.Event()))
        await close(response)
        conversation = method.conversations[0]
        assert conversation.call.is_done
        assert conversation.heard[-1] == "cancelled"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "gateway_input"]

    with_handler(table_of(method), script)


async def close(response: HttpResponse) -> None:
    aclose = getattr(response.body, "aclose", None)
    assert aclose is not None
    await aclose()


def test_a_slow_reader_holds_its_service_back() -> None:
    big = rpc_pb2.SnapshotResponse(blob=bytes(QUEUED_BYTES_HIGH)).SerializeToString()

    def flood(conversation: Conversation, message: bytes) -> None:
        if conversation.heard == ["message"]:
            conversation.call.send(big)
            conversation.call.send(big)

    method = Conversing(SNAPSHOT, flood)

    async def script(handler: WebHandler) -> None:
        response = await handler.handle(make_request("/v3/maintenance/snapshot"))
        conversation = method.conversations[0]
        assert not isinstance(response.body, bytes)
        await anext(response.body)
        assert conversation.heard == ["message", "ended"]
        await anext(response.body)
        assert conversation.heard == ["message", "ended", "writable"]

    with_handler(table_of(method), script)


def test_a_large_answer_does_not_hold_up_the_loop() -> None:
    """It is written in a thread: the loop turns meanwhile."""
    answer = rpc_pb2.RangeResponse()
    for number in range(20_000):
        answer.kvs.add(key=b"%d" % number, value=bytes(20))
    encoded = answer.SerializeToString()
    assert len(encoded) > LARGE_ANSWER_BYTES
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def script(handler: WebHandler) -> None:
        async with asyncio.TaskGroup() as group:
            counting = group.create_task(count())
            response = await handler.handle(make_request("/v3/kv/range"))
            counting.cancel()
        assert len(json.loads(await body_of(response))["kvs"]) == 20_000
        assert turns > 2

    with_handler(table_of(Answering(RANGE, lambda _, call: call.reply(encoded))), script)
