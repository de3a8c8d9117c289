"""Alarms: what is wrong with a member, known to all of them, until somebody takes it back.

ALARM table: `key: protobuf AlarmMember {1 member id | 2 alarm}`, value empty. Source: etcd v3alarm/alarms.go.

Invariant: the table holds exactly the alarms that are here.
"""

from typing import Final, final

from etcdcore.errors import ClusterCorrupt, CoreError, EngineCorrupt, NoSpace
from etcdcore.mvcc.engine import ALARM, Engine
from etcdcore.mvcc.revision import decode_varint, varint

ALARM_NONE: Final = 0
ALARM_NOSPACE: Final = 1
ALARM_CORRUPT: Final = 2
ALARM_NAMES: Final = ("NONE", "NOSPACE", "CORRUPT")
ALARMS_MAX: Final = 1024
"""Anybody may raise one for any number that he calls a member; past this many, new ones are not kept."""


@final
class Alarm:
    """One alarm of one member."""

    __slots__ = ("kind", "member_id")

    def __init__(self, member_id: int, kind: int) -> None:
        self.member_id: Final = member_id
        self.kind: Final = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alarm) and self.member_id == other.member_id and self.kind == other.kind

    def __hash__(self) -> int:
        return hash((self.member_id, self.kind))

    def __repr__(self) -> str:
        """As etcd's Status lists it among the errors."""
        name = ALARM_NAMES[self.kind] if self.kind < len(ALARM_NAMES) else str(self.kind)
        return f"memberID:{self.member_id} alarm:{name} "


@final
class Alarms:
    """Opens what the engine holds. `is_active` is false while there is none at all, the usual case."""

    __slots__ = ("_active", "_engine", "is_corrupt", "is_full")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._active: Final[set[Alarm]] = {_decode(key) for key, _ in engine.scan(ALARM, b"", b"")}
        self._note()

    @property
    def is_active(self) -> bool:
        return len(self._active) > 0

    def listed(self, kind: int = ALARM_NONE, member_id: int = 0) -> list[Alarm]:
        """Of one kind or all (NONE), of one member or all (0), in order of kind and member."""
        return sorted(
            (alarm for alarm in self._active if kind in (ALARM_NONE, alarm.kind) and member_id in (0, alarm.member_id)),
            key=_order_of,
        )

    def activate(self, member_id: int, kind: int) -> list[Alarm]:
        """The alarm, new or not; NONE is none."""
        if kind == ALARM_NONE:
            return []
        alarm = Alarm(member_id, kind)
        if alarm not in self._active:
            if len(self._active) >= ALARMS_MAX:
                return []
            self._active.add(alarm)
            self._engine.put(ALARM, _encode(alarm), b"")
            self._note()
        return [alarm]

    def deactivate(self, member_id: int, kind: int) -> list[Alarm]:
        """The alarm that was taken back; it must be named exactly, member 0 is nobody."""
        alarm = Alarm(member_id, kind)
        if alarm not in self._active:
            return []
        self._active.discard(alarm)
        self._engine.delete(ALARM, _encode(alarm))
        self._note()
        return [alarm]

    def refusal(self, is_growing: bool) -> CoreError | None:
        """Why a command cannot be taken now; `is_growing`: it puts keys, or grants a lease."""
        if self.is_corrupt:
            return ClusterCorrupt()
        return NoSpace() if is_growing and self.is_full else None

    def _note(self) -> None:
        self.is_full = any(alarm.kind == ALARM_NOSPACE for alarm in self._active)
        self.is_corrupt = any(alarm.kind == ALARM_CORRUPT for alarm in self._active)

    def check_invariants(self) -> None:
        assert {_decode(key) for key, _ in self._engine.scan(ALARM, b"", b"")} == self._active


def _order_of(alarm: Alarm) -> tuple[int, int]:
    return alarm.kind, alarm.member_id


def _encode(alarm: Alarm) -> bytes:
    data = b"\x08" + varint(alarm.member_id) if alarm.member_id else b""
    return data + b"\x10" + varint(alarm.kind)


def _decode(data: bytes) -> Alarm:
    member_id = kind = offset = 0
    try:
        while offset < len(data):
            tag, offset = decode_varint(data, offset)
            number, offset = decode_varint(data, offset)
            if tag == 0x08:
                member_id = number
            elif tag == 0x10:
                kind = number
    except IndexError as error:
        raise EngineCorrupt(f"an alarm has the key {data!r}") from error
    return Alarm(member_id, kind)
