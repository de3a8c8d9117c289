"""Reads a jute schema: text of `proto/zookeeper.jute` to a list of record descriptions.

Invariants:
1. A record only names records above it, so the list is in an order in which classes can be written.
2. `optional` stands on the last field of a record that no other record contains.
"""

import re
from typing import Final, final

SCALAR_CODES: Final = {"int": "i", "long": "q", "boolean": "?"}
_BUILT_IN: Final = {"int", "long", "boolean", "buffer", "ustring"}
_TOKEN: Final = re.compile(r"\s*(?:(///[^\n]*)|//[^\n]*|([A-Za-z_][A-Za-z0-9_]*)|([{};<>]))")
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


class SchemaError(Exception):
    """The schema text is not well-formed; the message names the record and what was expected."""


@final
class Field:
    """One field: `type` is a built-in type's or a record's name; for a vector, of its elements."""

    __slots__ = ("is_optional", "is_vector", "name", "type")

    def __init__(self, name: str, type: str, is_vector: bool, is_optional: bool) -> None:
        self.name: Final = name
        self.type: Final = type
        self.is_vector: Final = is_vector
        self.is_optional: Final = is_optional


@final
class Record:
    """One record: its name, its fields in wire order, and the text of its `///` lines."""

    __slots__ = ("doc", "fields", "name")

    def __init__(self, name: str, fields: list[Field], doc: str) -> None:
        self.name: Final = name
        self.fields: Final = fields
        self.doc: Final = doc


@final
class Schema:
    """All records, in file order, and the questions a generator asks about them."""

    __slots__ = ("_by_name", "records")

    def __init__(self, records: list[Record]) -> None:
        self.records: Final = records
        self._by_name: Final = {record.name: record for record in records}

    def record(self, name: str) -> Record:
        return self._by_name[name]

    def is_record(self, type_name: str) -> bool:
        return type_name in self._by_name

    def is_fixed(self, record: Record) -> bool:
        """Whether the record always has the same size."""
        return all(
            not field.is_vector
            and not field.is_optional
            and (field.type in SCALAR_CODES or (self.is_record(field.type) and self.is_fixed(self.record(field.type))))
            for field in record.fields
        )

    def is_hashable(self, record: Record) -> bool:
        """Whether no field, however deep, is a list."""
        return all(
            not field.is_vector and (not self.is_record(field.type) or self.is_hashable(self.record(field.type)))
            for field in record.fields
        )

    def size_min(self, type_name: str) -> int:
        """The fewest bytes a value of the type can take; what bounds a vector's count."""
        if self.is_record(type_name):
            return sum(
                0 if field.is_optional else 4 if field.is_vector else self.size_min(field.type)
                for field in self.record(type_name).fields
            )
        return {"long": 8, "boolean": 1}.get(type_name, 4)


def snake_case(name: str) -> str:
    """`lastZxidSeen` to `last_zxid_seen`."""
    return _WORD_START.sub(r"_\1", name).lower()


def parse_schema(text: str) -> Schema:
    """Raises SchemaError."""
    parser = _Parser(_tokens(text))
    return Schema(parser.parse_file())


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise SchemaError(f"unexpected text: {text[position : position + 20].strip()!r}")
        position = match.end()
        token = match[1] or match[2] or match[3]
        if token is not None:
            tokens.append(token)
    return tokens


@final
class _Parser:
    """Recursive descent over the tokens; one method per line of the grammar."""

    __slots__ = ("_names", "_position", "_tokens", "_with_optional")

    def __init__(self, tokens: list[str]) -> None:
        self._tokens: Final = tokens
        self._position = 0
        self._names: Final[set[str]] = set()
        self._with_optional: Final[set[str]] = set()

    def parse_file(self) -> list[Record]:
        records: list[Record] = []
        while self._position < len(self._tokens):
            doc_lines: list[str] = []
            while self._peek().startswith("///"):
                doc_lines.append(self._take()[3:].strip())
            self._expect("record", "the file")
            records.append(self._parse_record("\n".join(doc_lines)))
        return records

    def _parse_record(self, doc: str) -> Record:
        name = self._take()
        if name in self._names or name in _BUILT_IN or not name.isidentifier():
            raise SchemaError(f"bad or repeated record name {name!r}")
        self._expect("{", name)
        fields: list[Field] = []
        while self._peek() != "}":
            if fields and fields[-1].is_optional:
                raise SchemaError(f"{name}: only the last field may be optional")
            fields.append(self._parse_field(name))
        self._take()
        if not fields:
            raise SchemaError(f"{name}: a record has at least one field")
        self._names.add(name)
        if fields[-1].is_optional:
            self._with_optional.add(name)
        return Record(name, fields, doc)

    def _parse_field(self, record: str) -> Field:
        is_optional = self._peek() == "optional"
        if is_optional:
            self._take()
        is_vector = self._peek() == "vector"
        if is_vector:
            self._take()
            self._expect("<", record)
        type_name = self._take()
        if type_name not in _BUILT_IN and type_name not in self._names:
            raise SchemaError(f"{record}: unknown type {type_name!r}")
        if is_optional and (is_vector or type_name not in SCALAR_CODES):
            raise SchemaError(f"{record}: only an int, long or boolean may be optional")
        if (is_vector and type_name in SCALAR_CODES) or type_name in self._with_optional:
            raise SchemaError(f"{record}: no vector of {type_name!r} and no nested optional is supported")
        if is_vector:
            self._expect(">", record)
        name = self._take()
        self._expect(";", record)
        if not name.isidentifier():
            raise SchemaError(f"{record}: bad field name {name!r}")
        return Field(name, type_name, is_vector, is_optional)

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._position += 1
        return token

    def _expect(self, token: str, where: str) -> None:
        found = self._take()
        if found != token:
            raise SchemaError(f"{where}: expected {token!r}, found {found!r}")
