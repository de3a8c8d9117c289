"""Writes `records.py` from the schema: `python -m zkbridge.jute.generate [--check]`.

How the code is laid out: consecutive fixed-size fields, and the length prefix behind them, are one struct call (a
"run"); strings and buffers are slices; a record of fixed size inside another (Stat) joins its run. `decode` and
`decode_from` both carry the whole body, because a call and a tuple cost a fifth of a small record's decoding.
Fields are held in locals named after them with `_` behind, so that no field's name meets a parameter's.
"""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Final, final

from zkbridge.jute.schema import SCALAR_CODES, Field, Record, Schema, parse_schema, snake_case

SCHEMA_PATH: Final = Path(__file__).resolve().parents[2] / "proto" / "zookeeper.jute"
RECORDS_PATH: Final = Path(__file__).resolve().parent / "records.py"

# Element values so frequent that their bytes are recognised and one shared record stands for all of them:
# nearly every create carries exactly world:anyone with all permissions.
FREQUENT_ELEMENTS: Final = {
    "ACL": ("0000001f" + "00000005776f726c64" + "00000006616e796f6e65", 'ACL(31, Id("world", "anyone"))'),
}

_PYTHON_TYPES: Final = {
    "int": "int",
    "long": "int",
    "boolean": "bool",
    "buffer": "bytes | None",
    "ustring": "str | None",
}
_ELEMENT_TYPES: Final = {"buffer": "bytes | None", "ustring": "str | None"}
_CODE_SIZES: Final = {"i": 4, "q": 8, "?": 1}
_CODE_NAMES: Final = {"i": "i", "q": "q", "?": "b"}
_READERS: Final = {"i": "read_int", "?": "read_bool"}


def generate_records(schema: Schema) -> str:
    """The text of `records.py`."""
    runs: set[str] = set()
    classes: list[str] = []
    for record in schema.records:
        classes.append(_RecordWriter(schema, record, runs).write())
    constants = [
        line
        for codes in sorted(runs)
        for line in (
            f'_UNPACK_{_run_name(codes)}: Final = layout("{codes}").unpack_from',
            f'_PACK_{_run_name(codes)}: Final = layout("{codes}").pack',
        )
    ]
    body = "\n\n\n".join(classes) + "\n"
    used = [line for line in constants if line.split(":")[0] + "(" in body]
    return _HEADER + "\n".join(used) + "\n\n\n" + body


_HEADER: Final = '''"""Every record of proto/zookeeper.jute.

Written by `python -m zkbridge.jute.generate`, not to be edited.
Fields are in wire order and must not be assigned. `decode` ignores bytes behind the record; `decode_from` also
returns the offset behind it. Both raise JuteError, and so does `encode` for an integer out of its wire type's range.
"""

from collections.abc import Sequence
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.jute.wire import (
    LAYOUT_ERROR,
    decode_malformed,
    encode_text,
    layout,
    out_of_range,
    read_bool,
    read_int,
    short_of,
    unreasonable_length,
)

'''


def _run_name(codes: str) -> str:
    return "".join(_CODE_NAMES[code] for code in codes).upper()


@final
class _RecordWriter:
    """Writes one class."""

    __slots__ = ("_codes", "_lines", "_locals", "_name", "_pieces", "_record", "_runs", "_schema", "_values")

    def __init__(self, schema: Schema, record: Record, runs: set[str]) -> None:
        self._schema: Final = schema
        self._record: Final = record
        self._name: Final = record.name
        self._runs: Final = runs
        self._lines: list[str] = []
        self._locals: list[str] = []
        self._pieces: list[str] = []
        self._codes = ""
        self._values: list[str] = []

    def write(self) -> str:
        lines = ["@final", "@mypyc_attr(acyclic=True, free_list_len=1)", f"class {self._name}:"]
        if self._record.doc:
            lines += _indent([f'"""{self._record.doc}"""', ""], 1)
        names = [snake_case(field.name) for field in self._record.fields]
        slots = ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "")
        lines += _indent([f"__slots__ = ({slots})", ""], 1)
        lines += _indent(self._constructor(), 1)
        lines += ["", *_indent(self._decoder(with_offset=False), 1)]
        lines += ["", *_indent(self._decoder(with_offset=True), 1)]
        lines += ["", *_indent(self._encoder(), 1)]
        lines += ["", *_indent(self._comparison(names), 1)]
        if self._name in FREQUENT_ELEMENTS:
            raw, value = FREQUENT_ELEMENTS[self._name]
            lines += ["", "", f'_FREQUENT_{self._name}_BYTES: Final = bytes.fromhex("{raw}")']
            lines += [f"_FREQUENT_{self._name}: Final = {value}"]
        return "\n".join(lines)

    # ---- Construction and comparison ----

    def _python_type(self, field: Field) -> str:
        if field.is_vector:
            if field.type == "ustring":
                # A sequence, so that a list without nulls fits too.
                return "Sequence[str | None] | None"
            return f"list[{_ELEMENT_TYPES.get(field.type, field.type)}] | None"
        python_type = _PYTHON_TYPES.get(field.type, field.type)
        return f"{python_type} | None" if field.is_optional else python_type

    def _constructor(self) -> list[str]:
        parameters = [
            f"{snake_case(field.name)}: {self._python_type(field)}" + (" = None" if field.is_optional else "")
            for field in self._record.fields
        ]
        one_line = f"def __init__(self, {', '.join(parameters)}) -> None:"
        if len(one_line) <= 116:
            lines = [one_line]
        else:
            lines = ["def __init__(", "    self,", *(f"    {parameter}," for parameter in parameters), ") -> None:"]
        for field in self._record.fields:
            name = snake_case(field.name)
            lines.append(f"    self.{name}: Final = {name}")
        return lines

    def _comparison(self, names: list[str]) -> list[str]:
        lines = ["def __eq__(self, other: object) -> bool:", "    return (", f"        isinstance(other, {self._name})"]
        lines += [f"        and self.{name} == other.{name}" for name in names]
        lines += ["    )"]
        if self._schema.is_hashable(self._record):
            values = ", ".join(f"self.{name}" for name in names) + ("," if len(names) == 1 else "")
            lines += ["", "def __hash__(self) -> int:", f"    return hash(({values}))"]
        lines += ["", "def __repr__(self) -> str:", "    return (", f'        f"{self._name}("']
        for index, name in enumerate(names):
            separator = ", " if index + 1 < len(names) else ")"
            lines.append(f'        f"{name}={{self.{name}!r}}{separator}"')
        return [*lines, "    )"]

    # ---- Decoding ----

    def _decoder(self, with_offset: bool) -> list[str]:
        self._lines = []
        self._locals = []
        for field in self._record.fields:
            self._decode_field(field)
        self._flush_unpack(is_last=not with_offset)
        arguments = ", ".join(f"{snake_case(field.name)}_" for field in self._record.fields)
        if with_offset:
            head = [
                "@staticmethod",
                f'def decode_from(data: bytes, offset: int) -> tuple["{self._name}", int]:',
            ]
            result = f"return {self._name}({arguments}), offset"
        else:
            head = ["@staticmethod", f'def decode(data: bytes, offset: int = 0) -> "{self._name}":']
            result = f"return {self._name}({arguments})"
        body = [
            *self._locals,
            "try:",
            *_indent(self._lines, 1),
            "except LAYOUT_ERROR as error:",
            f'    raise short_of("{self._name}", error) from None',
            result,
        ]
        return head + _indent(body, 1)

    def _decode_field(self, field: Field) -> None:
        name = snake_case(field.name)
        target = f"{name}_"
        self._declare(target, self._python_type(field))
        if field.is_optional:
            self._flush_unpack()
            code = SCALAR_CODES[field.type]
            self._lines += [f"{target} = None", "if offset < len(data):"]
            taken = self._read(code)
            index = "" if code in _READERS else "[0]"
            self._lines += [f"    {target} = {taken}(data, offset){index}"]
            self._lines += [f"    offset += {_CODE_SIZES[code]}"]
        elif field.is_vector:
            # Not `length`: the loop's body assigns that, and compiled by mypyc a range follows such a change.
            self._take_length("count")
            self._decode_vector(field, target)
        elif field.type in SCALAR_CODES:
            self._codes += SCALAR_CODES[field.type]
            self._values.append(target)
        elif self._schema.is_record(field.type):
            self._decode_nested(field, target)
        else:
            self._take_length("length")
            self._lines += self._decode_sized(field.type, target, f"{self._name}.{name}")

    def _decode_nested(self, field: Field, target: str) -> None:
        nested = self._schema.record(field.type)
        if not self._schema.is_fixed(nested):
            self._flush_unpack()
            self._lines.append(f"{target}, offset = {nested.name}.decode_from(data, offset)")
            return
        # Its scalars join the run; the object is made once the run has been read.
        names: list[str] = []
        for inner in nested.fields:
            inner_target = f"{target}{snake_case(inner.name)}"
            self._declare(inner_target, _PYTHON_TYPES[inner.type])
            self._codes += SCALAR_CODES[inner.type]
            self._values.append(inner_target)
            names.append(inner_target)
        self._flush_unpack()
        self._lines.append(f"{target} = {nested.name}({', '.join(names)})")

    def _decode_vector(self, field: Field, target: str) -> None:
        where = f"{self._name}.{snake_case(field.name)}"
        size_min = self._schema.size_min(field.type)
        self._lines += [
            "if count == -1:",
            f"    {target} = None",
            "else:",
            f"    if count * {size_min} > len(data) - offset:",
            f'        raise unreasonable_length("{where}", count, len(data) - offset)',
            f"    {target} = []",
            "    for _ in range(count):",
        ]
        if self._schema.is_record(field.type):
            read = f"element, offset = {field.type}.decode_from(data, offset)"
            self._declare("element", field.type)
            if field.type in FREQUENT_ELEMENTS:
                raw_size = len(bytes.fromhex(FREQUENT_ELEMENTS[field.type][0]))
                body = [
                    f"if data.startswith(_FREQUENT_{field.type}_BYTES, offset):",
                    f"    {target}.append(_FREQUENT_{field.type})",
                    f"    offset += {raw_size}",
                    "else:",
                    f"    {read}",
                    f"    {target}.append(element)",
                ]
            else:
                body = [read, f"{target}.append(element)"]
        else:
            element = _ELEMENT_TYPES[field.type]
            self._declare("element", element)
            self._declare("length", "int")
            body = [
                f"length = {self._read('i')}(data, offset)",
                "offset += 4",
                *self._decode_sized(field.type, "element", where),
                f"{target}.append(element)",
            ]
        self._lines += _indent(body, 2)

    def _decode_sized(self, type_name: str, target: str, where: str) -> list[str]:
        """Code that reads `length` bytes of a string or buffer at `offset`."""
        read = [f"{target} = data[offset:end]"]
        if type_name == "ustring":
            self._declare("raw", "bytes")
            read = [
                "raw = data[offset:end]",
                "try:",
                f"    {target} = raw.decode()",
                "except UnicodeDecodeError:",
                f"    {target} = decode_malformed(raw)",
            ]
        self._declare("end", "int")
        return [
            "if length >= 0:",
            "    end = offset + length",
            "    if end > len(data):",
            f'        raise unreasonable_length("{where}", length, len(data) - offset)',
            *_indent(read, 1),
            "    offset = end",
            "elif length == -1:",
            f"    {target} = None",
            "else:",
            f'    raise unreasonable_length("{where}", length, len(data) - offset)',
        ]

    def _take_length(self, name: str) -> None:
        self._declare(name, "int")
        self._codes += "i"
        self._values.append(name)
        self._flush_unpack()

    def _flush_unpack(self, is_last: bool = False) -> None:
        if not self._codes:
            return
        is_boxed = len(self._values) == 1 and self._codes not in _READERS
        targets = f"({self._values[0]},)" if is_boxed else ", ".join(self._values)
        self._lines.append(f"{targets} = {self._read(self._codes)}(data, offset)")
        if not is_last:
            self._lines.append(f"offset += {sum(_CODE_SIZES[code] for code in self._codes)}")
        self._codes = ""
        self._values = []

    def _declare(self, name: str, python_type: str) -> None:
        line = f"{name}: {python_type}"
        if line not in self._locals:
            self._locals.append(line)

    def _read(self, codes: str) -> str:
        """What reads a run: a function for a single value if there is one, else a struct that makes a tuple."""
        if codes in _READERS:
            return _READERS[codes]
        self._runs.add(codes)
        return f"_UNPACK_{_run_name(codes)}"

    # ---- Encoding ----

    def _encoder(self) -> list[str]:
        self._lines = []
        self._pieces = []
        for field in self._record.fields:
            self._encode_field(field)
        self._flush_pack()
        if len(self._pieces) == 1:
            result = self._pieces[0]
        elif len(self._pieces) <= 3:
            result = " + ".join(self._pieces)
        else:
            result = f'b"".join(({", ".join(self._pieces)}))'
        body = ["try:", *_indent([*self._lines, f"return {result}"], 1)]
        body += ["except LAYOUT_ERROR as error:", f'    raise out_of_range("{self._name}", error) from None']
        return ["def encode(self) -> bytes:", *_indent(body, 1)]

    def _encode_field(self, field: Field) -> None:
        name = snake_case(field.name)
        value = f"{name}_"
        if field.is_optional:
            self._flush_pack()
            codes = SCALAR_CODES[field.type]
            self._lines.append(f"{value} = self.{name}")
            self._pieces.append(f'(b"" if {value} is None else {self._pack(codes)}({value}))')
        elif field.is_vector:
            self._encode_vector(field, name)
        elif field.type in SCALAR_CODES:
            self._codes += SCALAR_CODES[field.type]
            self._values.append(f"self.{name}")
        elif self._schema.is_record(field.type):
            self._encode_nested(field, name)
        elif field.type == "ustring":
            self._lines += [
                f"{value} = self.{name}",
                f"if {value} is None:",
                f"    {value}length = -1",
                f'    {value}raw = b""',
                "else:",
                f"    {value}raw = {value}.encode() if {value}.isascii() else encode_text({value})",
                f"    {value}length = len({value}raw)",
            ]
            self._end_run_with_length(value)
        else:
            self._lines += [
                f"{value}raw = self.{name}",
                f"if {value}raw is None:",
                f"    {value}length = -1",
                f'    {value}raw = b""',
                "else:",
                f"    {value}length = len({value}raw)",
            ]
            self._end_run_with_length(value)

    def _encode_nested(self, field: Field, name: str) -> None:
        nested = self._schema.record(field.type)
        if not self._schema.is_fixed(nested):
            self._flush_pack()
            self._pieces.append(f"self.{name}.encode()")
            return
        self._lines.append(f"{name}_ = self.{name}")
        for inner in nested.fields:
            self._codes += SCALAR_CODES[inner.type]
            self._values.append(f"{name}_.{snake_case(inner.name)}")

    def _encode_vector(self, field: Field, name: str) -> None:
        value = f"{name}_"
        if self._schema.is_record(field.type):
            body = [f"{value}parts.append(element.encode())"]
        elif field.type == "ustring":
            body = [
                "if element is None:",
                f"    {value}parts.append({self._pack('i')}(-1))",
                "    continue",
                "raw = element.encode() if element.isascii() else encode_text(element)",
                f"{value}parts.append({self._pack('i')}(len(raw)))",
                f"{value}parts.append(raw)",
            ]
        else:
            body = [
                "if element is None:",
                f"    {value}parts.append({self._pack('i')}(-1))",
                "    continue",
                f"{value}parts.append({self._pack('i')}(len(element)))",
                f"{value}parts.append(element)",
            ]
        self._lines += [
            f"{value} = self.{name}",
            f'{value}raw = b""',
            f"if {value} is None:",
            f"    {value}length = -1",
            "else:",
            f"    {value}length = len({value})",
            f"    {value}parts: list[bytes] = []",
            f"    for element in {value}:",
            *_indent(body, 2),
            f'    {value}raw = b"".join({value}parts)',
        ]
        self._end_run_with_length(value)

    def _end_run_with_length(self, value: str) -> None:
        self._codes += "i"
        self._values.append(f"{value}length")
        self._flush_pack()
        self._pieces.append(f"{value}raw")

    def _flush_pack(self) -> None:
        if self._codes:
            self._pieces.append(f"{self._pack(self._codes)}({', '.join(self._values)})")
            self._codes = ""
            self._values = []

    def _pack(self, codes: str) -> str:
        self._runs.add(codes)
        return f"_PACK_{_run_name(codes)}"


def _indent(lines: list[str], levels: int) -> list[str]:
    return ["    " * levels + line if line else line for line in lines]


def main(arguments: list[str]) -> int:
    """Writes the file, or with --check compares it and returns 1 with a diff if it is stale."""
    parser = argparse.ArgumentParser(prog="python -m zkbridge.jute.generate", description="Write records.py.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the file is not up to date")
    parser.add_argument("--schema", type=Path, default=SCHEMA_PATH)
    parser.add_argument("--output", type=Path, default=RECORDS_PATH)
    options = parser.parse_args(arguments)
    schema_path: Path = options.schema
    output_path: Path = options.output
    text = generate_records(parse_schema(schema_path.read_text(encoding="utf-8")))
    if not options.check:
        output_path.write_text(text, encoding="utf-8")
        return 0
    found = output_path.read_text(encoding="utf-8") if output_path.exists() else ""
    diff = difflib.unified_diff(found.splitlines(), text.splitlines(), "in the tree", "from the schema", lineterm="")
    stale = list(diff)
    print("\n".join(stale) if stale else f"{output_path.name} is up to date")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
