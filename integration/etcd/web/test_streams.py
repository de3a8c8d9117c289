"""Streams through the gateway, over HTTP/1.1 and websockets, on both servers. Source: reference section 1.5."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from integration.etcd.web.http_client import HttpClient, b64, without_ids
from integration.peers.etcd import OurEtcd

KEY, VALUE = b64("watched"), b64("value")
QUIET_S = 1.0
ANSWER_S = 20.0


def result_of(line: object) -> dict[str, object]:
    """What a line says but for its header."""
    assert isinstance(line, dict), line
    result = line["result"]
    assert isinstance(result, dict)
    return {name: value for name, value in result.items() if name != "header"}


def test_a_watch_tells_of_history_and_then_of_what_comes(http: HttpClient) -> None:
    http.call("/v3/kv/put", {"key": KEY, "value": VALUE})
    with http.stream("/v3/watch", {"create_request": {"key": KEY, "start_revision": "2", "prev_kv": True}}) as stream:
        assert result_of(stream.next_line()) == {"created": True}
        first = {"key": KEY, "create_revision": "2", "mod_revision": "2", "version": "1", "value": VALUE}
        assert result_of(stream.next_line()) == {"events": [{"kv": first}]}
        http.call("/v3/kv/deleterange", {"key": KEY})
        assert result_of(stream.next_line()) == {
            "events": [{"type": "DELETE", "kv": {"key": KEY, "mod_revision": "3"}, "prev_kv": first}]
        }


def test_several_watches_share_a_stream_and_one_is_cancelled(http: HttpClient) -> None:
    messages = [
        {"create_request": {"key": KEY}},
        {"create_request": {"key": KEY, "range_end": b64("\0"), "filters": ["NODELETE"], "watch_id": "9"}},
        {"cancel_request": {"watch_id": 0}},
    ]
    with http.stream("/v3/watch", *messages) as stream:
        assert result_of(stream.next_line()) == {"created": True}
        assert result_of(stream.next_line()) == {"watch_id": "9", "created": True}
        assert result_of(stream.next_line()) == {"canceled": True}
        http.call("/v3/kv/put", {"key": KEY})
        line = result_of(stream.next_line())
        assert line["watch_id"] == "9"
        http.call("/v3/kv/deleterange", {"key": KEY})
        assert stream.is_silent(QUIET_S)


def test_a_compacted_start_cancels_the_watch(http: HttpClient) -> None:
    for _ in range(3):
        http.call("/v3/kv/put", {"key": KEY})
    http.call("/v3/kv/compaction", {"revision": "4"})
    with http.stream("/v3/watch", {"create_request": {"key": KEY, "start_revision": 2}}) as stream:
        assert result_of(stream.next_line()) == {"created": True}
        assert result_of(stream.next_line()) == {"canceled": True, "compact_revision": "4"}


def test_keepalives_are_answered_one_by_one_and_the_stream_ends_with_its_input(http: HttpClient) -> None:
    http.call("/v3/lease/grant", {"ID": "5", "TTL": "60"})
    with http.stream("/v3/lease/keepalive", {"ID": "5"}, {"ID": "6"}) as stream:
        assert result_of(stream.next_line()) == {"ID": "5", "TTL": "60"}
        assert result_of(stream.next_line()) == {"ID": "6"}
        assert stream.next_line() is None


@pytest.mark.parametrize("body", ["", "{", '{"ID":"x"}', "[]"])
def test_keepalive_input_that_is_none_is_an_empty_answer(http: HttpClient, body: str) -> None:
    answer = http.request("POST", "/v3/lease/keepalive", body)
    assert (answer.status, answer.body) == (200, b"")


def test_a_snapshot_is_one_message_after_the_other(http: HttpClient) -> None:
    """The last is the digest: 32 bytes."""
    with http.stream("/v3/maintenance/snapshot", {}) as stream:
        sizes = []
        while (line := stream.next_line()) is not None:
            blob = result_of(line)["blob"]
            assert isinstance(blob, str)
            sizes.append(len(blob) * 3 // 4 - blob.count("="))
    assert sizes[-1] == 32
    assert sum(sizes[:-1]) % 512 == 0


def test_messages_may_come_while_answers_go(our_etcd: OurEtcd) -> None:
    """Ours alone: Go's HTTP/1.1 server throws away what comes after the first answer."""

    async def script() -> None:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def body() -> AsyncIterator[bytes]:
            while (piece := await queue.get()) is not None:
                yield piece

        url = f"{our_etcd.client_url}/v3/watch"
        async with asyncio.timeout(ANSWER_S), aiohttp.ClientSession() as session:
            queue.put_nowait(json.dumps({"create_request": {"key": KEY}}).encode())
            async with session.post(url, data=body()) as response:
                assert result_of(without_ids(await response.content.readline())) == {"created": True}
                queue.put_nowait(json.dumps({"create_request": {"key": KEY}}).encode())
                assert result_of(without_ids(await response.content.readline())) == {"watch_id": "1", "created": True}
                queue.put_nowait(None)

    asyncio.run(script())


def on_websocket(
    http: HttpClient, path: str, talk: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]
) -> None:
    async def script() -> None:
        async with (
            asyncio.timeout(ANSWER_S),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{http.server.client_url}{path}") as socket,
        ):
            await talk(socket)

    asyncio.run(script())


def test_over_a_websocket_each_message_is_a_frame(http: HttpClient) -> None:
    """As grpc-websocket-proxy carries them, which etcd has before its gateway."""

    async def talk(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"create_request": {"key": KEY}})
        assert result_of(without_ids((await socket.receive_str()).encode())) == {"created": True}
        await asyncio.to_thread(http.call, "/v3/kv/put", {"key": KEY})
        line = result_of(without_ids((await socket.receive_str()).encode()))
        assert list(line) == ["events"]
        await socket.send_str('{"create_request":')
        await socket.send_str('{"key":"YQ=="}}')
        assert result_of(without_ids((await socket.receive_str()).encode())) == {"watch_id": "1", "created": True}

    on_websocket(http, "/v3/watch", talk)


def test_an_error_ends_a_websocket_after_its_text(http: HttpClient) -> None:
    async def talk(socket: aiohttp.ClientWebSocketResponse) -> None:
        assert await socket.receive_json() == {"code": 5, "message": "Not Found"}
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)

    on_websocket(http, "/v3/nope", talk)


def test_keepalives_over_a_websocket(http: HttpClient) -> None:
    async def talk(socket: aiohttp.ClientWebSocketResponse) -> None:
        for lease in ("5", "6"):
            await socket.send_json({"ID": lease})
            assert result_of(without_ids((await socket.receive_str()).encode())) == {"ID": lease}

    on_websocket(http, "/v3beta/lease/keepalive", talk)
