"""JSON as Jackson's pretty printer writes it, in pieces, from values that may come one by one.

    {
      "connections" : [ {
        "session_id" : 7
      } ],
      "error" : null
    }
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, Union

Value: TypeAlias = Union[bool, int, float, str, "Sequence[Value]", "Mapping[str, Value]", "Items", "Entries", None]

PIECE_CHARACTERS: Final = 16 * 1024
"""How much is made in one go: some tenths of a millisecond."""


@dataclass(frozen=True, slots=True)
class Items:
    """An array whose elements come one by one."""

    values: Iterable[Value]


@dataclass(frozen=True, slots=True)
class Entries:
    """An object whose fields come one by one."""

    fields: Iterable[tuple[str, Value]]


_SCALARS: Final = frozenset({bool, int, float, str})
"""Written where they stand: a million paths are not worth a generator each."""
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


def json_pieces(fields: Mapping[str, Value]) -> Iterator[bytes]:
    """The whole text; each piece is worth a write to a socket."""
    tokens: list[str] = []
    size = 0
    for token in _tokens(Entries(fields.items()), 0):
        tokens.append(token)
        size += len(token)
        if size >= PIECE_CHARACTERS:
            yield "".join(tokens).encode("utf-8", "replace")
            tokens.clear()
            size = 0
    yield "".join(tokens).encode("utf-8", "replace")


def _tokens(value: Value, level: int) -> Iterator[str]:
    """Objects go a level deeper, arrays don't."""
    if isinstance(value, Mapping):
        value = Entries(value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        value = Items(value)
    if isinstance(value, Entries):
        inner = "  " * (level + 1)
        is_empty = True
        for name, element in value.fields:
            before = f"{{\n{inner}" if is_empty else f",\n{inner}"
            is_empty = False
            if element is None or type(element) in _SCALARS:
                yield f"{before}{_text(name)} : {_text(element)}"  # type: ignore[arg-type]  # told by its exact type
            else:
                yield f"{before}{_text(name)} : "
                yield from _tokens(element, level + 1)
        yield "{ }" if is_empty else f"\n{'  ' * level}}}"
    elif isinstance(value, Items):
        is_empty = True
        for element in value.values:
            before = "[ " if is_empty else ", "
            is_empty = False
            if element is None or type(element) in _SCALARS:
                yield before + _text(element)  # type: ignore[arg-type]  # told by its exact type
            else:
                yield before
                yield from _tokens(element, level)
        yield "[ ]" if is_empty else " ]"
    else:
        yield _text(value)


def _text(value: bool | int | float | str | None) -> str:
    return _encode(value)
