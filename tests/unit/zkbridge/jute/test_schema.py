"""zkbridge.jute.schema: what a schema may say."""

import pytest

from zkbridge.jute.schema import SchemaError, parse_schema, snake_case


def test_a_record_is_read_with_its_fields_and_doc() -> None:
    schema = parse_schema(
        """
        // a remark
        record Inner { long a; }
        /// What it is.
        record Outer { int one; vector<Inner> many; ustring text; // trailing remark
            optional boolean last; }
        """
    )
    outer = schema.record("Outer")
    assert [record.name for record in schema.records] == ["Inner", "Outer"]
    assert outer.doc == "What it is."
    assert [(field.name, field.type, field.is_vector, field.is_optional) for field in outer.fields] == [
        ("one", "int", False, False),
        ("many", "Inner", True, False),
        ("text", "ustring", False, False),
        ("last", "boolean", False, True),
    ]


def test_sizes_and_kinds_follow_from_the_fields() -> None:
    schema = parse_schema(
        "record P { int a; long b; boolean c; } record Q { P p; ustring s; buffer t; vector<P> v; } record R { P p; }"
    )
    assert schema.size_min("P") == 13
    assert schema.size_min("Q") == 25
    assert schema.is_fixed(schema.record("R"))
    assert not schema.is_fixed(schema.record("Q"))
    assert schema.is_hashable(schema.record("R"))
    assert not schema.is_hashable(schema.record("Q"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("record A { int a }", "A: expected ';', found '}'"),
        ("record A { int a;", "unknown type ''"),
        ("record A { B b; }", "unknown type 'B'"),
        ("record A { }", "at least one field"),
        ("record A { int a; } record A { int a; }", "repeated record name 'A'"),
        ("record A { optional int a; int b; }", "only the last field"),
        ("record A { optional ustring a; }", "may be optional"),
        ("record A { optional int a; } record B { A a; }", "no nested optional"),
        ("record A { vector<int> a; }", "no vector of 'int'"),
        ("module A { }", "expected 'record', found 'module'"),
        ("record A { int a; } %", "unexpected text: '%'"),
    ],
)
def test_a_schema_that_is_not_well_formed_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_schema(text)
    assert complaint in str(caught.value)


def test_names_become_snake_case() -> None:
    assert [snake_case(name) for name in ("lastZxidSeen", "timeOut", "err", "czxid")] == [
        "last_zxid_seen",
        "time_out",
        "err",
        "czxid",
    ]
