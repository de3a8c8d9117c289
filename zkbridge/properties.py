"""The syntax of java.util.Properties, in which a zoo.cfg is written. Source: java.util.Properties.load."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Property:
    """A key, its value, and the number of the line on which it begins."""

    line: int
    key: str
    value: str


_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BLANKS: Final = " \t\f"


def parse_properties(text: str) -> list[Property]:
    """In the file's order; of a repeated key the last one counts. Raises ValueError on a broken unicode escape."""
    properties: list[Property] = []
    for number, line in _logical_lines(text):
        end = _end_of_key(line)
        rest = line[end:].lstrip(_BLANKS)
        if rest and rest[0] in "=:":
            rest = rest[1:].lstrip(_BLANKS)
        properties.append(Property(number, _unescape(line[:end]), _unescape(rest)))
    return properties


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, without comments and blank ones; one that ends in an odd number of backslashes goes on
    in the next."""
    lines: list[tuple[int, str]] = []
    begun: str | None = None
    first = 0
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        line = raw.lstrip(_BLANKS)
        if begun is None:
            if not line or line[0] in "#!":
                continue
            begun = ""
            first = number
        trailing = len(line) - len(line.rstrip("\\"))
        if trailing % 2:
            begun += line[:-1]
        else:
            lines.append((first, begun + line))
            begun = None
    if begun is not None:
        lines.append((first, begun))
    return lines


def _end_of_key(line: str) -> int:
    position = 0
    while position < len(line):
        if line[position] == "\\":
            position += 2
            continue
        if line[position] in "=:" or line[position] in _BLANKS:
            return position
        position += 1
    return len(line)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    parts: list[str] = []
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter != "\\" or position == len(text):
            parts.append("" if letter == "\\" else letter)
            continue
        escaped = text[position]
        position += 1
        if escaped != "u":
            parts.append(_ESCAPES.get(escaped, escaped))
            continue
        digits = text[position : position + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            raise ValueError(f"broken escape \\u{digits}, expected four hexadecimal digits")
        parts.append(chr(int(digits, 16)))
        position += 4
    return "".join(parts)
