"""Values of flags, read as Go's flag package reads them. Pure: text in, value out, or ConfigError."""

from typing import Final

from etcdcore.config import FEATURE_GATES, ConfigError, parse_duration, parse_url

TEXT: Final = "string"
SWITCH: Final = "bool"
UNSIGNED: Final = "uint"
SIGNED: Final = "int"
DURATION: Final = "duration"
LIST: Final = "list"
"""Comma-separated, without blanks at the ends; empty is no element."""
URLS: Final = "urls"
ORIGINS: Final = "origins"
"""`*`, or URLs separated by commas."""
GATES: Final = "gates"
"""`A=true,B=false`."""

GATE_GROUPS: Final = ("AllAlpha", "AllBeta")

Value = str | bool | int | float | tuple[str, ...]

_TRUE: Final = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "false", "FALSE", "False"))
_INTEGER_MAX: Final = (1 << 64) - 1


def parse_value(kind: str, text: str) -> Value:
    """Raises ConfigError that says what was expected, without the flag's name."""
    if kind == SWITCH:
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise ConfigError(f"invalid boolean value {text!r}; expected true or false")
    if kind in (UNSIGNED, SIGNED):
        return _parse_integer(text, 0 if kind == UNSIGNED else -(1 << 63))
    if kind == DURATION:
        return parse_duration(text)
    if kind == ORIGINS and text != "*":
        for piece in text.split(","):
            parse_url(piece.strip())
    if kind in (LIST, URLS, ORIGINS, GATES):
        pieces = tuple(piece for piece in (part.strip() for part in text.split(",")) if piece)
        if kind == URLS:
            for piece in pieces:
                parse_url(piece)
        if kind == GATES:
            switched_on(pieces)
        return pieces
    return text


def _parse_integer(text: str, lowest: int) -> int:
    try:
        # Like Go's base 0: a leading zero alone is octal.
        is_octal = len(text.lstrip("+-")) > 1 and text.lstrip("+-").isdecimal() and text.lstrip("+-")[0] == "0"
        value = int(text, 8 if is_octal else 0)
    except ValueError as error:
        raise ConfigError(f"invalid value {text!r}; expected a whole number") from error
    if not lowest <= value <= _INTEGER_MAX:
        raise ConfigError(f"value out of range: {text!r}; expected a whole number from {lowest}")
    return value


def switched_on(gates: tuple[str, ...]) -> dict[str, bool]:
    """Feature gates by name. Raises ConfigError on a piece that is not `Name=true` or `Name=false`."""
    found: dict[str, bool] = {}
    for gate in gates:
        name, equals, value = gate.partition("=")
        if not equals:
            raise ConfigError(f"missing bool value for feature gate {gate!r}; expected {gate}=true or {gate}=false")
        if name.strip() not in (*FEATURE_GATES, *GATE_GROUPS):
            raise ConfigError(f"unrecognized feature gate {name}; known are {', '.join(FEATURE_GATES)}")
        found[name.strip()] = bool(parse_value(SWITCH, value.strip()))
    return found
