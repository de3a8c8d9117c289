"""etcdcore.pb.generate: the checked-in modules are what the schemas say."""

from pathlib import Path

from etcdcore.pb import generate


def test_the_checked_in_modules_are_generated_without_diff(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    made = {path.name: path.read_bytes() for path in (tmp_path / "etcdcore" / "pb").iterdir()}
    checked_in = {path.name: path.read_bytes() for path in (generate.REPOSITORY / "etcdcore" / "pb").glob("*_pb2.py*")}
    assert made == checked_in
    assert len(made) == 2 * len(list(generate.SCHEMAS.glob("*.proto")))
