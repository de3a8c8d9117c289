"""A reader that is gone and an interrupt end a command without a traceback, whatever it was about to say."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from integration.peers.build import our_python
from integration.peers.process import free_port

END_S = 60
WORDS = (
    "etcdcore --help",
    "etcdcore --version",
    "etcdcore serve --help",
    "etcdcore completion bash",
    "etcdcore gateway --help",
    "etcdcore grpc-proxy start --help",
    "etcdcore snapshot status --help",
    "zkbridge --help",
    "zkbridge --version",
    "zkbridge serve --help",
    "zkbridge completion fish",
    "zkbridge config check --help",
    "zkbridge config check FILE",
)


@pytest.mark.parametrize("words", WORDS)
def test_nobody_reads(words: str, tmp_path: Path) -> None:
    path = tmp_path / "zoo.cfg"
    path.write_text(f"dataDir={tmp_path}\nclientPort=2181\n")
    command = [*our_python(), "-m", *words.replace("FILE", str(path)).split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(END_S) == 1
    assert said == ""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_server_whose_log_nobody_reads_ends_without_a_traceback(stream: str, tmp_path: Path) -> None:
    """As etcd, which the first line that cannot be written ends: who reads the log has gone, so has the service."""
    url = f"http://127.0.0.1:{free_port()}"
    flags = ["--data-dir", f"{tmp_path}/d", "--listen-client-urls", url, "--advertise-client-urls", url]
    flags += ["--listen-peer-urls", f"http://127.0.0.1:{free_port()}", "--log-outputs", stream]
    command = [*our_python(), "-m", "etcdcore", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    closed, kept = (process.stdout, process.stderr) if stream == "stdout" else (process.stderr, process.stdout)
    closed.close()
    said = kept.read()
    kept.close()
    assert process.wait(END_S) != 0
    assert "Traceback" not in said and "Exception ignored" not in said


@pytest.mark.parametrize("delay_s", [0.03, 0.1, 0.3, 1.5])
@pytest.mark.parametrize("command", ["etcdcore", "zkbridge serve"])
def test_an_interrupt_at_any_moment_is_no_traceback(command: str, delay_s: float, tmp_path: Path) -> None:
    """While modules load, while the store opens, and later: which of them it is does not matter.

    Before our first line Python's own start may be hit, which nobody can help.
    """
    port, other = free_port(), free_port()
    if command == "etcdcore":
        url = f"http://127.0.0.1:{port}"
        flags = ["--listen-client-urls", url, "--advertise-client-urls", url]
        flags += ["--listen-peer-urls", f"http://127.0.0.1:{other}"]
    else:
        flags = ["--client-addr", f"127.0.0.1:{port}"]
    words = [*our_python(), "-m", *command.split(), "--data-dir", f"{tmp_path}/d", *flags]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=END_S)[0]
    assert "Traceback" not in said or "in main\n" not in said, said
