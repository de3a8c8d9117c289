"""Seeded mutation of valid bytes against every decoder: a record or a JuteError, in bounded time and memory.

The seed is printed on failure; ZKBRIDGE_FUZZ_SEED replays it, ZKBRIDGE_FUZZ_SECONDS runs longer.
"""

import os
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Final

from zkbridge.jute import generate, multi, records, schema
from zkbridge.jute.frames import FrameSplitter, encode_frame
from zkbridge.jute.wire import JuteError

SECONDS: Final = float(os.environ.get("ZKBRIDGE_FUZZ_SECONDS", "4"))
SEED: Final = int(os.environ.get("ZKBRIDGE_FUZZ_SEED", "20240607"))
SCHEMA: Final = schema.parse_schema(generate.SCHEMA_PATH.read_text(encoding="utf-8"))
Decoder = Callable[[bytes], object]

INTERESTING: Final = [
    raw.to_bytes(4, "big", signed=True)
    for raw in (-(2**31), -65536, -2, -1, 0, 1, 2, 4, 13, 14, 22, 100, 255, 65535, 0xFFFFF, 0x3FFFFFFF, 2**31 - 1)
]


def decoders() -> dict[str, Decoder]:
    found: dict[str, Decoder] = {record.name: getattr(records, record.name).decode for record in SCHEMA.records}
    found["MultiRequest"] = multi.MultiRequest.decode
    found["MultiReadRequest"] = multi.MultiReadRequest.decode
    found["MultiResponse"] = multi.MultiResponse.decode
    return found


def corpus() -> list[bytes]:
    """One or more valid bodies of each shape of record."""
    acl = [records.ACL(31, records.Id("world", "anyone")), records.ACL(1, records.Id("digest", "u:hash="))]
    stat = records.Stat(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    create = records.CreateRequest("/a/b", b"data", acl, 1)
    bodies = [
        records.ConnectRequest(0, 7, 6000, 9, bytes(16), True).encode(),
        records.AuthPacket(0, "digest", b"u:p").encode(),
        create.encode(),
        records.CreateTTLRequest("/t", None, acl, 5, 1000).encode(),
        records.SetDataRequest("/a", bytes(100), 3).encode(),
        records.GetDataRequest("/é/\U0001f600", True).encode(),
        records.SetACLRequest("/a", acl, -1).encode(),
        records.SetWatches2(5, ["/a", "/b"], ["/c"], [], ["/d"], ["/e", "/f"]).encode(),
        records.GetChildren2Response(["x", "y", "zz"], stat).encode(),
        records.GetACLResponse(acl, stat).encode(),
        records.WhoAmIResponse([records.ClientInfo("ip", "127.0.0.1")]).encode(),
        records.ReconfigRequest("a", None, "c", 4).encode(),
        multi.MultiRequest(
            [(1, create), (13, records.CheckVersionRequest("/a", 1)), (5, records.SetDataRequest("/a", b"x", 0))]
        ).encode(),
        multi.MultiReadRequest([(4, records.GetDataRequest("/a", False))]).encode(),
        multi.MultiResponse([(15, records.Create2Response("/a", stat)), (2, None)]).encode(),
        multi.MultiResponse([(-1, records.ErrorResponse(code)) for code in (0, -101, -2)]).encode(),
    ]
    return bodies


def mutated(body: bytes, other: bytes, source: random.Random) -> bytes:
    raw = bytearray(body)
    for _ in range(source.randint(1, 4)):
        kind = source.randrange(7)
        place = source.randint(0, len(raw))
        if kind == 0 and raw:
            raw[place % len(raw)] ^= 1 << source.randrange(8)
        elif kind == 1:
            raw[place : place + 4] = source.choice(INTERESTING)
        elif kind == 2:
            del raw[place:]
        elif kind == 3:
            del raw[place : place + source.randint(1, 8)]
        elif kind == 4:
            raw[place:place] = source.randbytes(source.randint(1, 8))
        elif kind == 5:
            raw[place:] = other[source.randint(0, len(other)) :]
        else:
            raw[place:place] = raw[max(0, place - 40) : place]
    return bytes(raw)


def decode_or_refuse(name: str, decode: Decoder, raw: bytes, seed: str) -> object:
    try:
        return decode(raw)
    except JuteError:
        return None
    except BaseException as error:
        raise AssertionError(f"{name} raised {error!r} on {raw.hex()} (seed {seed})") from error


def test_mutated_records_give_a_record_or_a_jute_error() -> None:
    source = random.Random(SEED)
    table = decoders()
    bodies = corpus()
    decoded_count = 0
    slowest_s = 0.0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        raw = mutated(source.choice(bodies), source.choice(bodies), source)
        for name, decode in table.items():
            started = time.thread_time()
            if decode_or_refuse(name, decode, raw, str(SEED)) is not None:
                decoded_count += 1
            slowest_s = max(slowest_s, time.thread_time() - started)
    assert decoded_count > 0, "no mutation survived: the corpus does not reach into the records"
    # A few hundred bytes take microseconds; a decoder that loops over a declared count takes seconds.
    assert slowest_s < 0.5


def test_mutated_streams_give_frames_or_a_jute_error() -> None:
    source = random.Random(SEED)
    table = decoders()
    bodies = corpus()
    deadline = time.monotonic() + SECONDS / 2
    while time.monotonic() < deadline:
        stream = mutated(b"".join(encode_frame(source.choice(bodies)) for _ in range(5)), bodies[0], source)
        splitter = FrameSplitter(frame_bytes_max=4096)
        position = 0
        while position < len(stream):
            size = source.randint(1, 200)
            splitter.receive_bytes(stream[position : position + size])
            position += size
            try:
                frames = splitter.take_frames()
            except JuteError:
                break
            for body in frames:
                assert len(body) <= 4096
                name = source.choice(list(table))
                decode_or_refuse(name, table[name], body, str(SEED))


def test_a_huge_declared_count_allocates_nothing_beyond_the_frame() -> None:
    """Each decoder gets 64 KiB in which every aligned int, hence every length and count, is huge."""
    for value in (b"\x7f\xff\xff\xff", b"\x00\x00\xff\xf0", b"\x80\x00\x00\x00"):
        raw = value * 16384
        for name, decode in decoders().items():
            tracemalloc.start()
            decode_or_refuse(name, decode, raw, "none")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            # Text that is not UTF-8 costs the most: the slice, then two bytes a character while it grows.
            assert peak < 8 * len(raw), name


def test_a_frame_full_of_the_smallest_elements_costs_a_bounded_multiple_of_itself() -> None:
    """Elements are objects, so the bound is a factor: 17 for the dearest, strings of one bad byte each."""
    count = 50_000
    strings = count.to_bytes(4, "big") + bytes(4 * count)
    bad_strings = count.to_bytes(4, "big") + b"\x00\x00\x00\x01\xff" * count
    acls = count.to_bytes(4, "big") + bytes(12 * count) + bytes(68)
    for raw, decode in (
        (strings, records.GetChildrenResponse.decode),
        (bad_strings, records.GetChildrenResponse.decode),
        (acls, records.GetACLResponse.decode),
    ):
        tracemalloc.start()
        decode(raw)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * len(raw)
