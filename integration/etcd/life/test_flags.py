"""etcd's own `--help` and exit codes are the measure of ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from etcdcore.flags.command_line import parse_command_line
from etcdcore.flags.settings import build_settings
from etcdcore.flags.table import FLAGS, REFUSED
from etcdcore.flags.values import DURATION, SWITCH, parse_value
from integration.peers import golang

OURS = [sys.executable, "-m", "etcdcore"]
# In the help, but no value that could be given.
NOT_A_DEFAULT = {"math.MaxUint32": "4294967295", "${name}.etcd": ""}
DEFAULTS_OF_OUR_OWN = {
    "backend-batch-interval": "the help shows the unset value, which means 100ms",
    "backend-batch-limit": "the help shows the unset value, which means 10000",
}


def _run(
    program: list[str], arguments: list[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    clean["PYTHONPATH"] = str(Path(__file__).parents[3])
    command = [*program, *arguments]
    # No server that starts by mistake outlives the test.
    return subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=20)


@pytest.fixture(scope="module")
def help_of_etcd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Default by flag; None where the help shows none."""
    etcd = [str(golang.install(golang.ETCD))]
    text = _run(etcd, ["--help"], tmp_path_factory.mktemp("help")).stdout
    flags = {}
    for name, quoted, bare in re.findall(r"^  --([a-z0-9-]+)(?: '(.*)'| (\S+))?$", text, re.MULTILINE):
        flags[name] = quoted or bare or ("" if text.find(f"--{name} ''") >= 0 else None)
    assert len(flags) > 120, text
    return flags


def test_no_flag_of_etcds_help_is_unknown_and_each_default_is_etcds(help_of_etcd: dict[str, str | None]) -> None:
    for name, default in help_of_etcd.items():
        flag = FLAGS.get(name)
        assert flag is not None, f"--{name} is unknown"
        if default is None or name in DEFAULTS_OF_OUR_OWN:
            continue
        shown = NOT_A_DEFAULT.get(default, default)
        assert parse_value(flag.kind, flag.default) == parse_value(flag.kind, shown), name


def test_each_flag_with_etcds_default_is_taken_alone(help_of_etcd: dict[str, str | None]) -> None:
    for name in help_of_etcd:
        flag = FLAGS[name]
        if not flag.default and flag.kind in (SWITCH, DURATION):
            continue
        extra = ["--advertise-client-urls", "http://localhost:2379"] if name == "listen-client-urls" else []
        line = parse_command_line([f"--{name}={flag.default}", *extra])
        build_settings(line.values, [])


def test_each_flag_that_is_refused_says_so_in_one_line_when_it_is_given(
    help_of_etcd: dict[str, str | None], tmp_path: Path
) -> None:
    refused = [FLAGS[name] for name in help_of_etcd if FLAGS[name].fate == REFUSED]
    assert refused
    for flag in refused:
        value = "true" if flag.kind == SWITCH else flag.choices[-1] if flag.choices else "x"
        ended = _run(OURS, [f"--{flag.name}={value}"], tmp_path)
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1 and f"--{flag.name} is not supported: " in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["-h"], {}),
        (["--version"], {}),
        (["--no-such-flag"], {}),
        (["--name"], {}),
        (["---name=x"], {}),
        (["--pre-vote=maybe"], {}),
        (["--max-wals=-1"], {}),
        (["--heartbeat-interval=ten"], {}),
        (["--grpc-keepalive-timeout=20"], {}),
        (["--initial-cluster-state=old"], {}),
        (["stray"], {}),
        (["--name=x", "stray"], {}),
        (["--election-timeout=100"], {}),
        (["--election-timeout=60000"], {}),
        (["--listen-client-urls=http://127.0.0.1:0"], {}),
        (["--listen-client-urls=http://example.com:0", "--advertise-client-urls=http://a:1"], {}),
        (["--listen-client-urls=ftp://127.0.0.1:0"], {}),
        (["--auto-compaction-mode=daily"], {}),
        (["--auto-compaction-retention=often"], {}),
        (["--tls-min-version=TLS1.1"], {}),
        (["--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"], {}),
        (["--cipher-suites=NONE"], {}),
        (["--feature-gates=Nothing=true"], {}),
        (["--feature-gates=LeaseCheckpointPersist=true"], {}),
        (["--name=x"], {"ETCD_NAME": "y"}),
        ([], {"ETCD_MAX_WALS": "many"}),
        (["--config-file=/does/not/exist"], {}),
        (["--initial-cluster=other=http://localhost:2380"], {}),
        (["--experimental-corrupt-check-time=1s", "--corrupt-check-time=1s"], {}),
        (["--experimental-initial-corrupt-check=true", "--feature-gates=InitialCorruptCheck=true"], {}),
    ],
    ids=lambda value: " ".join(value) or "none" if isinstance(value, list) else "+".join(value) or "-",
)
def test_a_command_line_that_cannot_start_ends_with_etcds_exit_code(
    arguments: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    ports = [] if "-urls" in " ".join(arguments) else [f"--data-dir={tmp_path}/d"]
    real = _run([str(golang.install(golang.ETCD))], [*ports, *arguments], tmp_path / ".", **environment)
    ours = _run(OURS, [*ports, *arguments], tmp_path / ".", **environment)
    assert ours.returncode == real.returncode, (ours.stderr, real.stderr)
    assert real.returncode == 0 or ours.stderr.strip()
    assert "Traceback" not in ours.stderr
