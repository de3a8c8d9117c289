"""The command says what it is, and what it cannot do yet."""

from pathlib import Path

from click.testing import CliRunner

from etcdcore import __version__
from etcdcore.cli import main


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output == f"etcdcore, version {__version__}\n"


def test_serve_is_refused_with_the_reason_and_touches_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--data-dir", str(tmp_path / "data")])
    assert result.exit_code == 1
    assert "no gRPC port" in result.output and "zkbridge serve" in result.output
    assert not (tmp_path / "data").exists()
