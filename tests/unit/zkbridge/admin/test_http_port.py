"""The port's bounds, on a loopback socket: each is what stands between a stranger and the server's descriptors."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from zkbridge.admin.http_port import CONNECTIONS_MAX, SMALL_BYTES, HttpPort
from zkbridge.admin.pages import PageAnswer, PageRequest, Pages, page

LONG_PIECES = 2000
PATIENCE_S = 30.0


class Examples(Pages):
    """`/long` is 32 MB, `/broken` fails, anything else tells what was asked."""

    def __init__(self) -> None:
        self.made = 0
        self.requests: list[PageRequest] = []

    def answer(self, request: PageRequest) -> PageAnswer:
        self.requests.append(request)
        if request.path == "/long":
            return PageAnswer(200, {}, self._pieces())
        assert request.path != "/broken"
        return page(200, "text/plain", f"{request.method} {request.path}".encode())

    def _pieces(self) -> Iterator[bytes]:
        for _ in range(LONG_PIECES):
            self.made += 1
            yield bytes(16 * 1024)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[], Awaitable[Streams]]


Script = Callable[[Examples, Open], Awaitable[None]]


def run(script: Script, idle_s: float = PATIENCE_S, answer_s: float = 60.0) -> None:
    async def main() -> None:
        pages = Examples()
        port = HttpPort("test port", pages, idle_s, answer_s)
        address = await port.open("127.0.0.1", 0)

        async def connect() -> Streams:
            return await asyncio.open_connection(*address)

        try:
            async with asyncio.timeout(PATIENCE_S):
                await script(pages, connect)
        finally:
            await port.close()

    asyncio.run(main())


async def ask(streams: Streams, text: str) -> bytes:
    """One request and the head and body of its answer, which says how long it is."""
    reader, writer = streams
    writer.write(text.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(int(length.split(b":")[1]))


def test_requests_of_one_connection_are_answered_in_turn() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        streams = await connect()
        for method in ("GET", "POST"):
            headers = "Host: h\r\nContent-Length: 0\r\nX-Y: z\r\n\r\n"
            answer = await ask(streams, f"{method} /a%20b?x=1&x=2 HTTP/1.1\r\n{headers}")
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(f"{method} /a b".encode())
        request = pages.requests[0]
        assert (request.query, request.headers["x-y"], request.peer_host) == ({"x": ["1", "2"]}, "z", "127.0.0.1")

    run(script)


def test_a_connection_that_never_asks_is_closed() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        for first in (b"", b"GET / HT"):
            reader, writer = await connect()
            writer.write(first)
            assert await closed(reader)

    run(script, idle_s=0.2)


def test_a_connection_that_asks_no_more_is_closed() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        streams = await connect()
        await ask(streams, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        streams[1].write(b"GET / HT")
        assert await closed(streams[0])

    run(script, idle_s=0.2)


def test_connections_past_the_bound_are_closed_at_once_and_the_others_are_served() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        crowd = [await connect() for _ in range(CONNECTIONS_MAX)]
        for _ in range(3):
            reader, _ = await connect()
            assert await closed(reader)
        assert (await ask(crowd[0], "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")).endswith(b"GET /x")
        crowd[1][1].close()
        while True:  # its place is free a moment later
            streams = await connect()
            try:
                assert (await ask(streams, "GET /y HTTP/1.1\r\nHost: h\r\n\r\n")).endswith(b"GET /y")
                return
            except (asyncio.IncompleteReadError, ConnectionError):
                await asyncio.sleep(0.01)

    run(script)


def test_of_a_long_answer_no_more_is_made_than_its_reader_takes() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        _, slow = await connect()
        slow.write(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
        while pages.made * 16 * 1024 <= SMALL_BYTES:  # noqa: ASYNC110  # nobody tells when a piece is made
            await asyncio.sleep(0.01)
        # Others are answered meanwhile, and what the sockets hold is far less than the whole.
        for _ in range(20):
            assert (await ask(await connect(), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")).endswith(b"GET /x")
        assert pages.made < LONG_PIECES
        slow.transport.abort()

    run(script)


def test_who_does_not_take_an_answer_in_time_is_cut() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        reader, writer = await connect()
        writer.write(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.sleep(1)
        received = 0
        try:
            while data := await reader.read(1 << 20):
                received += len(data)
        except ConnectionError:
            pass
        assert received < LONG_PIECES * 16 * 1024

    run(script, answer_s=0.3)


def test_a_long_answer_comes_whole_to_who_reads_it() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        reader, writer = await connect()
        writer.write(b"GET /long HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" in head.lower()
        body = await reader.read()
        assert body.count(b"\0") == LONG_PIECES * 16 * 1024

    run(script)


def test_garbage_ends_its_connection_alone() -> None:
    async def script(pages: Examples, connect: Open) -> None:
        many_headers = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000
        for garbage in (b"\x16\x03\x01\0\0", b"GET\r\n\r\n", b"x" * 100_000, many_headers):
            reader, writer = await connect()
            writer.write(garbage + b"\r\n\r\n")
            await closed(reader)
        answer = await ask(await connect(), "GET /broken HTTP/1.1\r\nHost: h\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert (await ask(await connect(), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")).endswith(b"GET /x")

    run(script)


async def closed(reader: asyncio.StreamReader) -> bool:
    """Once nothing more can come."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass
    return True
