"""Values are read as Go reads them."""

import pytest

from etcdcore.config import ConfigError
from etcdcore.flags.values import DURATION, GATES, LIST, SIGNED, SWITCH, UNSIGNED, Value, parse_value, switched_on


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (SWITCH, "T", True),
        (SWITCH, "0", False),
        (UNSIGNED, "0x10", 16),
        (UNSIGNED, "010", 8),
        (SIGNED, "-1", -1),
        (DURATION, "1h30m", 5400.0),
        (DURATION, "1.5s", 1.5),
        (DURATION, "0", 0.0),
        (LIST, "a, b,,", ("a", "b")),
        (LIST, "", ()),
    ],
)
def test_a_value_is_read(kind: str, text: str, value: Value) -> None:
    assert parse_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SWITCH, "yes"),
        (UNSIGNED, "-1"),
        (UNSIGNED, ""),
        (SIGNED, "1.5"),
        (UNSIGNED, "09"),
        (DURATION, "5"),
        (DURATION, "5 s"),
        (DURATION, "3days"),
        (DURATION, ""),
    ],
)
def test_anything_else_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ConfigError):
        parse_value(kind, text)


def test_gates_are_pairs_of_a_name_and_a_switch() -> None:
    gates = parse_value(GATES, "LeaseCheckpoint=true,AllAlpha=false")
    assert isinstance(gates, tuple)
    assert switched_on(gates) == {"LeaseCheckpoint": True, "AllAlpha": False}
