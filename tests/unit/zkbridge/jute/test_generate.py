"""zkbridge.jute.generate: the checked-in records are what the schema says."""

from pathlib import Path

import pytest

from zkbridge.jute import generate, schema


def test_the_checked_in_records_are_generated_without_diff() -> None:
    parsed = schema.parse_schema(generate.SCHEMA_PATH.read_text(encoding="utf-8"))
    assert generate.generate_records(parsed) == generate.RECORDS_PATH.read_text(encoding="utf-8")


def test_check_accepts_what_generate_wrote_and_reports_any_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "small.jute"
    output = tmp_path / "small.py"
    source.write_text("record A { int one; }", encoding="utf-8")
    arguments = ["--schema", str(source), "--output", str(output)]

    assert generate.main([*arguments, "--check"]) == 1
    assert generate.main(arguments) == 0
    assert generate.main([*arguments, "--check"]) == 0

    source.write_text("record A { long one; }", encoding="utf-8")
    capsys.readouterr()
    assert generate.main([*arguments, "--check"]) == 1
    assert "_UNPACK_Q" in capsys.readouterr().out
