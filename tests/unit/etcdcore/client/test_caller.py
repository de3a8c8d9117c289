"""What is tried again, and what is not. Source: etcd client/v3/retry.go, retry_interceptor.go."""

import asyncio

import pytest

from etcdcore.client.caller import ATTEMPTS_MAX, Caller
from etcdcore.errors import AuthNotEnabled, AuthRevisionOld, InvalidAuthToken, KeyNotProvided
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.status import EtcdError, cut_off
from tests.unit.etcdcore.client.fakes import Answer, ScriptedChannel

RANGE = rpc_pb2.RangeRequest(key=b"k")
PUT = rpc_pb2.PutRequest(key=b"k")
FOUND = rpc_pb2.RangeResponse(count=1).SerializeToString()
PUT_DONE = rpc_pb2.PutResponse().SerializeToString()


def _token(text: str) -> bytes:
    return rpc_pb2.AuthenticateResponse(token=text).SerializeToString()


def _error(
    kind: type[KeyNotProvided] | type[InvalidAuthToken] | type[AuthRevisionOld] | type[AuthNotEnabled],
) -> Answer:
    return EtcdError(kind.grpc_code, kind.text)


async def _read(caller: Caller) -> int:
    return (await caller.read("/s/Range", RANGE, rpc_pb2.RangeResponse)).count


async def _write(caller: Caller) -> None:
    await caller.write("/s/Put", PUT, rpc_pb2.PutResponse)


def test_a_read_is_tried_again_elsewhere_while_nobody_is_available() -> None:
    channel = ScriptedChannel([cut_off("gone"), cut_off("gone"), FOUND])
    assert asyncio.run(_read(Caller(channel))) == 1
    assert (len(channel.calls), channel.turns) == (3, 2)


def test_a_read_gives_up_in_the_end() -> None:
    channel = ScriptedChannel([cut_off("gone") for _ in range(ATTEMPTS_MAX + 1)])
    with pytest.raises(EtcdError, match="gone"):
        asyncio.run(_read(Caller(channel)))
    assert len(channel.calls) == ATTEMPTS_MAX


def test_a_write_that_a_server_may_have_seen_is_not_tried_again() -> None:
    channel = ScriptedChannel([cut_off("gone"), PUT_DONE])
    with pytest.raises(EtcdError, match="gone"):
        asyncio.run(_write(Caller(channel)))
    assert len(channel.calls) == 1


def test_a_write_that_no_server_can_have_seen_is_tried_again() -> None:
    channel = ScriptedChannel([EtcdError(14, "no connection", was_sent=False), PUT_DONE])
    asyncio.run(_write(Caller(channel)))
    assert len(channel.calls) == 2


def test_a_refusal_is_final() -> None:
    channel = ScriptedChannel([_error(KeyNotProvided)])
    with pytest.raises(EtcdError) as caught:
        asyncio.run(_read(Caller(channel)))
    assert caught.value.is_(KeyNotProvided)


@pytest.mark.parametrize("kind", [InvalidAuthToken, AuthRevisionOld])
def test_a_token_that_is_no_longer_good_is_renewed_once_also_for_writes(
    kind: type[InvalidAuthToken] | type[AuthRevisionOld],
) -> None:
    channel = ScriptedChannel([_token("one"), _error(kind), _token("two"), PUT_DONE])
    asyncio.run(_write(Caller(channel, "ann", "secret")))
    assert channel.calls == [("Authenticate", ""), ("Put", "one"), ("Authenticate", ""), ("Put", "two")]
    again = ScriptedChannel([_token("one"), _error(kind), _token("two"), _error(kind)])
    with pytest.raises(EtcdError) as caught:
        asyncio.run(_write(Caller(again, "ann", "secret")))
    assert caught.value.is_(kind)


def test_a_user_may_be_given_although_authentication_is_off() -> None:
    channel = ScriptedChannel([_error(AuthNotEnabled), FOUND])
    assert asyncio.run(_read(Caller(channel, "ann", "secret"))) == 1
