"""Raft's configuration as etcd's meta table has it: JSON, empty lists left out.

`{"voters":[1,2],"learners":[3],"voters_outgoing":[…],"learners_next":[…],"auto_leave":false}`
It is in the same engine batch as the applied index: entries up to there are not applied again, and so neither are the
membership changes among them.
"""

import json
from collections.abc import Sequence

from etcdcore.errors import EngineCorrupt
from etcdcore.raft.messages import ConfState
from etcdcore.types import MemberId


def encode_conf_state(state: ConfState) -> bytes:
    fields: dict[str, object] = {}
    for name, member_ids in (
        ("voters", state.voters),
        ("learners", state.learners),
        ("voters_outgoing", state.voters_outgoing),
        ("learners_next", state.learners_next),
    ):
        if member_ids:
            fields[name] = list(member_ids)
    fields["auto_leave"] = state.auto_leave
    return json.dumps(fields, separators=(",", ":")).encode()


def decode_conf_state(data: bytes) -> ConfState:
    """Raises EngineCorrupt."""
    try:
        fields = json.loads(data)
        return ConfState(
            _ids(fields.get("voters", ())),
            _ids(fields.get("learners", ())),
            _ids(fields.get("voters_outgoing", ())),
            _ids(fields.get("learners_next", ())),
            bool(fields.get("auto_leave", False)),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise EngineCorrupt(f"the configuration is recorded as {data!r}") from error


def _ids(numbers: Sequence[int]) -> tuple[MemberId, ...]:
    return tuple(MemberId(int(number)) for number in numbers)
