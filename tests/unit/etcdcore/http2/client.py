"""The client's end for tests: frames in, frames out, and an audience that writes down what it hears."""

from typing import Final

from hpack import Decoder, Encoder

from etcdcore.http2.codes import (
    FLAG_ACK,
    FLAG_END_HEADERS,
    FLAG_END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
)
from etcdcore.http2.connection import Connection, ConnectionAudience
from etcdcore.http2.frames import encode_frame, encode_settings
from etcdcore.http2.request_head import RequestHead
from etcdcore.http2.stream import Stream

Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream id, payload."""

GET: Final = ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "here"))
POST: Final = ((":method", "POST"), (":scheme", "http"), (":path", "/a.B/C"), (":authority", "here"))


def parse_frames(data: bytes) -> list[Frame]:
    """All whole; a rest is a failure."""
    frames: list[Frame] = []
    while data:
        length = int.from_bytes(data[:3], "big")
        assert len(data) >= 9 + length, "half a frame"
        frames.append((data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + length]))
        data = data[9 + length :]
    return frames


class Audience(ConnectionAudience):
    """What was heard, in order."""

    def __init__(self) -> None:
        self.heard: Final[list[tuple[str, int, object]]] = []
        self.streams: Final[dict[int, Stream]] = {}
        self.heads: Final[dict[int, RequestHead]] = {}

    def request_received(self, stream: Stream, head: RequestHead) -> None:
        self.streams[stream.stream_id] = stream
        self.heads[stream.stream_id] = head
        self.heard.append(("request", stream.stream_id, stream.is_request_ended))

    def body_received(self, stream: Stream, data: bytes) -> None:
        self.heard.append(("body", stream.stream_id, data))

    def request_ended(self, stream: Stream) -> None:
        self.heard.append(("ended", stream.stream_id, None))

    def stream_reset(self, stream: Stream, code: int) -> None:
        self.heard.append(("reset", stream.stream_id, code))

    def stream_writable(self, stream: Stream) -> None:
        self.heard.append(("writable", stream.stream_id, None))

    def ping_received(self) -> None:
        self.heard.append(("ping", 0, None))


class Client:
    """Greeted already, unless told otherwise. `frames` is what the server has sent since the last look."""

    def __init__(self, streams_max: int = 100, greets: bool = True, settings: tuple[tuple[int, int], ...] = ()) -> None:
        self.audience: Final = Audience()
        self.server: Final = Connection(self.audience, streams_max)
        self.encoder: Final = Encoder()
        self.decoder: Final = Decoder()
        self.now_ms = 0
        if greets:
            self.send(PREFACE + encode_settings(settings))
            greeting = self.frames()
            assert [frame[0] for frame in greeting] == [SETTINGS, 8, SETTINGS]
            assert greeting[2][1] == FLAG_ACK
            self.send(encode_frame(SETTINGS, FLAG_ACK, 0, b""))

    def send(self, data: bytes) -> None:
        self.server.receive_bytes(data, self.now_ms)

    def frames(self) -> list[Frame]:
        data = self.server.take_bytes()
        self.server.resume_output()
        while more := self.server.take_bytes():
            data += more
            self.server.resume_output()
        return parse_frames(data)

    def block(self, fields: tuple[tuple[str, str], ...]) -> bytes:
        encoded: bytes = self.encoder.encode(fields)
        return encoded

    def request(self, stream_id: int, fields: tuple[tuple[str, str], ...] = GET, is_end: bool = True) -> None:
        flags = FLAG_END_HEADERS | (FLAG_END_STREAM if is_end else 0)
        self.send(encode_frame(HEADERS, flags, stream_id, self.block(fields)))

    def fields(self, frame: Frame) -> list[tuple[str, str]]:
        """Of a HEADERS frame: each has to be read once, in order."""
        assert frame[0] == HEADERS
        return [(str(name), str(value)) for name, value in self.decoder.decode(frame[3])]
