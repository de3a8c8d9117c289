"""etcdcore.member.conf_state: as etcd's meta table has it."""

import pytest

from etcdcore.errors import EngineCorrupt
from etcdcore.member.conf_state import decode_conf_state, encode_conf_state
from etcdcore.raft.messages import ConfState
from etcdcore.types import MemberId


def test_it_is_etcds_json() -> None:
    state = ConfState((MemberId(1), MemberId(2)), (MemberId(3),))
    assert encode_conf_state(state) == b'{"voters":[1,2],"learners":[3],"auto_leave":false}'


@pytest.mark.parametrize(
    "state",
    [
        ConfState((MemberId((1 << 64) - 1),)),
        ConfState((MemberId(1),), (MemberId(2),), (MemberId(3),), (MemberId(3),), True),
        ConfState(),
    ],
)
def test_what_is_read_is_what_was_written(state: ConfState) -> None:
    assert decode_conf_state(encode_conf_state(state)) == state


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"voters":["x"]}', b'{"voters":5}'])
def test_anything_else_is_damage(data: bytes) -> None:
    with pytest.raises(EngineCorrupt):
        decode_conf_state(data)
