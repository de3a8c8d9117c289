"""Both wheels build, install with only what they require, import and serve; the compiled one really is compiled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest
from kazoo.client import KazooClient

from etcdcore.flags.table import FLAGS, WORKS
from integration.packaging import run_environment, wheels
from integration.packaging.compiled_modules import compiled_by_configuration, unit_suites
from integration.packaging.flag_groups import (
    ANSWER_TIMEOUT_S,
    GROUPS,
    RANGE_PATH,
    FlagGroup,
    Places,
    address_of,
    bridge_words,
    serve_once,
)
from integration.packaging.wheels import PACKAGES, ROOT, Form
from integration.peers.build import build_name
from integration.peers.process import wait_until
from integration.peers.requirements import refuse
from integration.peers.servers import Bridge
from zkbridge.flags import FLAGS as BRIDGE_FLAGS

# One file, so one worker builds, once (--dist loadfile); a busy machine compiles for minutes.
pytestmark = pytest.mark.timeout(1200)

# Needs pytest, which is there whenever pytest loads it as a plugin.
NOT_FOR_SERVERS = frozenset({"zkbridge.testing"})
# What tests compiled modules and nothing but them; the shells' own tests gain nothing from a second run.
SUITES = (
    "tests/unit/etcdcore/storage/test_engines.py",
    "tests/unit/etcdcore/storage/test_segments.py",
    "tests/unit/etcdcore/storage/test_wal.py",
    "tests/unit/etcdcore/storage/test_wal_records.py",
    "tests/unit/etcdcore/storage/test_wal_writer.py",
    "tests/property",
)
IMPORT_ALL = """
import importlib, json, pkgutil, sys
files = {}
for package in sys.argv[1].split(","):
    root = importlib.import_module(package)
    files[package] = root.__file__
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        if found.name not in sys.argv[2].split(",") and not found.name.endswith(".__main__"):
            files[found.name] = importlib.import_module(found.name).__file__
print(json.dumps(files))
"""


@dataclass(frozen=True)
class Installed:
    """A virtual environment with one of the wheels and what it requires, nothing else."""

    form: Form
    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next(self.directory.glob("lib/python*/site-packages"))

    def module_files(self) -> dict[str, Path]:
        """Every module of both packages, imported, and where it came from."""
        command = [str(self.python), "-P", "-c", IMPORT_ALL, ",".join(PACKAGES), ",".join(NOT_FOR_SERVERS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        files: dict[str, str] = json.loads(done.stdout)
        return {name: Path(file) for name, file in files.items()}


def install(form: Form, directory: Path) -> Installed:
    """As make run does it."""
    assert run_environment.prepare(directory, form) is form, wheels.log_path(form).read_text(errors="replace")[-6000:]
    return Installed(form, directory)


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The plain wheel, installed."""
    return install(Form.PURE, tmp_path_factory.mktemp("pure") / "venv")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The compiled wheel, installed."""
    if not wheels.has_compiler():
        refuse("no C compiler or no Python headers (apt-get install gcc python3-dev, or `make test` as root does it)")
    return install(Form.COMPILED, tmp_path_factory.mktemp("compiled") / "venv")


def test_the_plain_wheel_imports_whole_and_holds_no_object_file(pure: Installed) -> None:
    wheel = wheels.find_wheel(Form.PURE)
    assert wheel is not None and wheel.name.endswith("-py3-none-any.whl")
    assert [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".c"))] == []
    files = pure.module_files()
    assert {"zkbridge.tree.replica", "etcdcore.raft.machine", "zkbridge.server.app"} <= files.keys()
    assert all(file.is_relative_to(pure.directory) and file.suffix == ".py" for file in files.values())


def test_the_compiled_wheel_imports_whole_and_is_compiled_where_it_should(compiled: Installed) -> None:
    files = compiled.module_files()
    assert all(file.is_relative_to(compiled.directory) for file in files.values())
    assert files["zkbridge.tree.replica"].suffix == ".so"
    assert {name for name, file in files.items() if file.suffix == ".so"} == compiled_by_configuration()


def test_both_wheels_hold_the_same_modules(pure: Installed, compiled: Installed) -> None:
    assert pure.module_files().keys() == compiled.module_files().keys()


def test_a_build_leaves_no_object_file_among_the_sources(pure: Installed, compiled: Installed) -> None:
    assert [path for package in PACKAGES for path in (ROOT / package).rglob("*.so")] == []
    assert list(ROOT.glob("*.so")) == []


@pytest.fixture(params=list(Form), ids=lambda form: str(form.value))
def installed(request: pytest.FixtureRequest) -> Installed:
    """Each of the two."""
    found: Installed = request.getfixturevalue(request.param.value)
    return found


@pytest.fixture
def bridge(installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    """A server of the installed build."""
    monkeypatch.setenv("ZKBRIDGE_TEST_PYTHON", str(installed.python))
    with Bridge(tmp_path / "server") as started:
        yield started


def test_an_installed_build_serves_a_session_over_a_restart(installed: Installed, bridge: Bridge) -> None:
    client = KazooClient(bridge.address, timeout=20.0)
    client.start(timeout=20)
    try:
        seen: list[str] = []
        client.create("/a", b"one", ephemeral=False)
        client.get("/a", watch=lambda event: seen.append(event.path))
        client.create("/a/e", b"mine", ephemeral=True)
        transaction = client.transaction()
        transaction.set_data("/a", b"two")
        transaction.create("/a/s-", b"", sequence=True)
        assert len(transaction.commit()) == 2
        wait_until(lambda: seen == ["/a"], 10.0, "the watch fires, once")
        session = client.client_id
        mapped = {Path(region.path).name for region in psutil.Process(bridge.child.pid).memory_maps()}
        is_compiled = installed.form is Form.COMPILED
        assert any("__mypyc" in name for name in mapped) is is_compiled
        assert build_name() == ("compiled" if is_compiled else "pure Python")
        assert bridge.stop() == 0
        bridge.start()
        assert client.retry(client.get, "/a")[0] == b"two"
        assert sorted(client.get_children("/a")) == ["e", "s-0000000001"]
        assert client.client_id == session
    finally:
        client.stop()
        client.close()
    assert bridge.stop() == 0


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.name))
def test_the_compiled_server_serves_with_every_flag(
    group: FlagGroup, compiled: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZKBRIDGE_TEST_PYTHON", str(compiled.python))
    serve_once(group, tmp_path)


def test_every_flag_that_does_something_is_in_a_group(tmp_path: Path) -> None:
    places = Places(tmp_path)
    given = {word.removeprefix("--").partition("=")[0] for group in GROUPS for word in group.words(places)}
    named = {"name", "data-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls"}
    named |= {"initial-advertise-peer-urls", "initial-cluster", "cert-file", "key-file", "client-cert-auth"}
    named |= {"trusted-ca-file"}
    working = {flag.name for flag in FLAGS.values() if flag.fate == WORKS and not flag.renamed}
    # What registers at a discovery cluster is not compiled; integration/etcd/life/test_discovery.py runs it.
    given |= {name for name in working if name.startswith("discovery-")}
    assert working - named - given == set(), "put them into a group of flag_groups.py"


def test_the_compiled_bridge_serves_with_every_flag(
    compiled: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZKBRIDGE_TEST_PYTHON", str(compiled.python))
    words = bridge_words(Places(tmp_path))
    server = Bridge(tmp_path / "server")
    server.child.command += words
    with server:
        client = KazooClient(server.address, timeout=20.0)
        client.start(timeout=20)
        try:
            client.create("/a", b"one")
            client.create("/a/e", b"mine", ephemeral=True)
            assert client.get("/a")[0] == b"one" and client.get_children("/a") == ["e"]
            with grpc.insecure_channel(address_of(words, "etcd-addr")) as channel:
                assert channel.unary_unary(RANGE_PATH)(b"\x0a\x01\x00\x12\x01\x00", timeout=ANSWER_TIMEOUT_S)
            for flag, page in (("admin-addr", "/commands/ruok"), ("metrics-addr", "/metrics")):
                url = f"http://{address_of(words, flag)}{page}"
                with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
                    assert answer.status == 200
        finally:
            client.stop()
            client.close()
        assert server.stop() == 0
    given = {word.removeprefix("--").partition("=")[0] for word in words}
    named = {"data-dir", "client-addr", "config"}
    assert {flag.name for flag in BRIDGE_FLAGS} - given == named, "put them into bridge_words of flag_groups.py"


def test_the_suites_of_the_pure_rooms_pass_on_the_compiled_build(compiled: Installed, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # The generators' tests look for the schema where it lies beside the packages in the sources.
    shutil.copytree(ROOT / "proto", compiled.packages / "proto", dirs_exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(compiled.packages)
    suites = [*unit_suites(), *SUITES]
    python = [sys.executable, "-P"]
    where = "import zkbridge.tree.replica as m, etcdcore.raft.machine as n; print(m.__file__, n.__file__)"
    shown = subprocess.run(
        [*python, "-c", where], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(Path(file).suffix == ".so" for file in shown.stdout.split())
    done = subprocess.run(
        [*python, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *suites],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_what_does_not_compile_is_installed_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wheels, "WHEELS", tmp_path / "wheels")
    monkeypatch.setenv("CC", "false")
    venv = tmp_path / "venv"
    assert run_environment.prepare(venv, Form.COMPILED) is Form.PURE
    said = capsys.readouterr().out
    assert "compiling failed" in said and str(wheels.log_path(Form.COMPILED)) in said
    assert Installed(Form.PURE, venv).module_files()["zkbridge.tree.replica"].suffix == ".py"
    # The next start doesn't try the same sources again, and says why it is the plain build.
    assert run_environment.prepare(venv, Form.COMPILED) is Form.PURE
    assert "did not compile" in capsys.readouterr().out


def test_without_a_compiler_the_plain_build_is_chosen_with_a_line_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # No apt-get on this path either, so nothing is installed.
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_environment.choose_form(is_pure_wanted=False) is Form.PURE
    assert capsys.readouterr().out.count("\n") == 1
