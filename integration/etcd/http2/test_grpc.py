"""gRPC as its client sees it, the same on both carriers. Source: grpc/doc/PROTOCOL-HTTP2.md."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from integration.etcd.http2.echo_process import EchoProcess
from integration.etcd.http2.echo_service import SERVICE

TIMEOUT_S = 20.0


def ask(channel: grpc.Channel, method: str, request: bytes = b"", timeout_s: float = TIMEOUT_S) -> bytes:
    """One unary call."""
    answer: bytes = channel.unary_unary(SERVICE + method)(request, timeout=timeout_s)
    return answer


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """How a call that must fail does."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def wait_for_count(channel: grpc.Channel, method: str, at_least: int) -> int:
    """Asks until the server has counted so many."""
    deadline = time.monotonic() + TIMEOUT_S
    while (count := int(ask(channel, method))) < at_least:
        assert time.monotonic() < deadline, f"{method} is {count}, expected {at_least}"
        time.sleep(0.02)
    return count


@pytest.mark.parametrize("size", [0, 1, 5, 16_379, 16_384, 65_535, 1_500_000])
def test_a_message_of_any_size_comes_back(channel: grpc.Channel, size: int) -> None:
    message = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert ask(channel, "Echo", message) == message


def test_an_answer_may_come_later(channel: grpc.Channel) -> None:
    assert ask(channel, "EchoLater", b"later") == b"later"


def test_an_answer_may_be_larger_than_every_window(channel: grpc.Channel) -> None:
    assert len(ask(channel, "Large", b"20000000")) == 20_000_000


@pytest.mark.parametrize("text", ["plain", "", "100% sure\n", "größer als erlaubt: ☃ \U0001f600", "a%20b"])
def test_a_refusal_keeps_its_code_and_text(channel: grpc.Channel, text: str) -> None:
    code, details = refusal(lambda: ask(channel, "Fail", f"9 {text}".encode()))
    assert (code, details) == (grpc.StatusCode.FAILED_PRECONDITION, text)


@pytest.mark.parametrize("code", list(grpc.StatusCode)[1:])
def test_every_code_arrives(channel: grpc.Channel, code: grpc.StatusCode) -> None:
    assert refusal(lambda: ask(channel, "Fail", f"{code.value[0]} x".encode())) == (code, "x")


def test_a_service_that_raises_is_an_internal_error(channel: grpc.Channel) -> None:
    assert refusal(lambda: ask(channel, "Raise")) == (grpc.StatusCode.INTERNAL, "internal error")
    assert ask(channel, "Echo", b"still here") == b"still here"


def test_an_unknown_method_is_named(channel: grpc.Channel) -> None:
    code, details = refusal(lambda: ask(channel, "Nothing"))
    assert (code, details) == (grpc.StatusCode.UNIMPLEMENTED, "unknown method Nothing for service test.Echo")


def test_an_unknown_service_is_named(channel: grpc.Channel) -> None:
    code, details = refusal(lambda: channel.unary_unary("/no.Such/Thing")(b"", timeout=TIMEOUT_S))
    assert (code, details) == (grpc.StatusCode.UNIMPLEMENTED, "unknown service no.Such")


def test_a_message_past_the_limit_is_refused(channel: grpc.Channel) -> None:
    code, details = refusal(lambda: ask(channel, "Echo", bytes(3 << 20)))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "eceived message larger than max" in details


def test_a_message_within_the_limit_is_taken(channel: grpc.Channel) -> None:
    assert len(ask(channel, "Echo", bytes(2 << 20))) == 2 << 20


def test_metadata_arrives_with_lower_case_names(channel: grpc.Channel) -> None:
    sent = (("token", "abc.1"), ("key-bin", b"\x00\xff"), ("repeated", "first"), ("repeated", "second"))
    call = channel.unary_unary(SERVICE + "Describe")
    told = json.loads(call(b"", timeout=TIMEOUT_S, metadata=sent))
    assert told["metadata"]["token"] == "abc.1"
    assert told["metadata"]["key-bin"].rstrip("=") == "AP8"
    assert told["metadata"]["repeated"].startswith("first")
    assert told["peer"].startswith("127.0.0.1:")
    assert told["common_name"] == ""


def test_a_deadline_ends_a_call_on_both_sides(channel: grpc.Channel) -> None:
    before = int(ask(channel, "CountCancelled"))
    started = time.monotonic()
    code, _ = refusal(lambda: ask(channel, "Silent", timeout_s=0.3))
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5
    wait_for_count(channel, "CountCancelled", before + 1)


def test_a_cancelled_call_is_told_to_its_service(channel: grpc.Channel) -> None:
    before = int(ask(channel, "CountCancelled"))
    calls = [channel.unary_unary(SERVICE + "Silent").future(b"") for _ in range(10)]
    calls += [channel.stream_stream(SERVICE + "SilentStream")(iter([b"x"])) for _ in range(10)]
    time.sleep(0.3)
    for call in calls:
        call.cancel()
    wait_for_count(channel, "CountCancelled", before + 20)


def test_a_lost_connection_cancels_its_calls(echo: EchoProcess, channel: grpc.Channel) -> None:
    before = int(ask(channel, "CountCancelled"))
    options = [("grpc.use_local_subchannel_pool", 1)]
    other = grpc.insecure_channel(f"127.0.0.1:{echo.port}", options=options)
    waiting = [other.unary_unary(SERVICE + "Silent").future(b"") for _ in range(5)]
    ask(other, "Echo")
    time.sleep(0.2)
    other.close()
    assert all(call.cancelled() or call.code() is not None for call in waiting)
    wait_for_count(channel, "CountCancelled", before + 5)


def test_a_stream_carries_messages_both_ways_in_order(channel: grpc.Channel) -> None:
    messages = [b"%d" % number * (number % 50) for number in range(2000)]
    answers = channel.stream_stream(SERVICE + "EchoStream")(iter(messages), timeout=TIMEOUT_S)
    assert list(answers) == messages


def test_a_stream_answers_while_its_client_still_speaks(channel: grpc.Channel) -> None:
    may_go_on = threading.Event()

    def speak() -> Iterator[bytes]:
        yield b"one"
        assert may_go_on.wait(TIMEOUT_S)
        yield b"two"

    answers = channel.stream_stream(SERVICE + "EchoStream")(speak(), timeout=TIMEOUT_S)
    assert next(answers) == b"one"
    may_go_on.set()
    assert list(answers) == [b"two"]


def test_a_stream_may_fail_after_messages(channel: grpc.Channel) -> None:
    answers = channel.stream_stream(SERVICE + "EchoStream")(iter([b"a", b"b", b"fail"]), timeout=TIMEOUT_S)
    received: list[bytes] = []
    code, details = refusal(lambda: received.extend(answers))
    assert (code, details) == (grpc.StatusCode.FAILED_PRECONDITION, "as asked")


def test_a_client_stream_is_answered_at_its_end(channel: grpc.Channel) -> None:
    call = channel.stream_unary(SERVICE + "Collect")
    assert call(iter([b"a", b"", b"bc"]), timeout=TIMEOUT_S) == b"abc"
    assert call(iter([]), timeout=TIMEOUT_S) == b""


def test_a_server_stream_sends_everything_in_order(channel: grpc.Channel) -> None:
    answers = channel.unary_stream(SERVICE + "Flood")(b"3000 1000", timeout=TIMEOUT_S)
    assert [int(answer[:8]) for answer in answers] == list(range(3000))


def test_a_slow_reader_holds_its_stream_back(echo: EchoProcess, channel: grpc.Channel) -> None:
    """2 GB are on offer; the server makes what the windows take, and others are served meanwhile."""
    ask(channel, "Echo")
    before, sent_before = echo.memory_bytes(), int(ask(channel, "CountSent"))
    answers = channel.unary_stream(SERVICE + "Flood")(b"200000 10000", timeout=TIMEOUT_S)
    next(answers)
    time.sleep(1.0)
    assert ask(channel, "Echo", b"served") == b"served"
    assert int(ask(channel, "CountSent")) - sent_before < 10_000
    assert echo.memory_bytes() - before < 64 << 20
    answers.cancel()


def test_a_thousand_calls_at_once_on_one_connection(channel: grpc.Channel) -> None:
    futures = [channel.unary_unary(SERVICE + "EchoLater").future(b"%d" % number) for number in range(1000)]
    assert [int(future.result(TIMEOUT_S)) for future in futures] == list(range(1000))


def test_many_streams_at_once_on_one_connection(channel: grpc.Channel) -> None:
    silent = [channel.stream_stream(SERVICE + "SilentStream")(iter([b"x"])) for _ in range(200)]
    streams = [channel.unary_stream(SERVICE + "Flood")(b"100 100", timeout=TIMEOUT_S) for _ in range(200)]
    assert all(len(list(stream)) == 100 for stream in streams)
    for call in silent:
        call.cancel()
