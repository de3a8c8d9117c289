"""Runs test binaries of Go modules against a server under test, which they can ask to have killed and restarted."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from integration.peers import golang
from integration.peers.etcd import EtcdServer

CLIENTV3 = Path(__file__).parent / "clientv3"
KUBERNETES = Path(__file__).parent / "kubernetes"
APISERVER = "k8s.io/apiserver"
APISERVER_SUITES = ("etcd3", "cacher")
REPLACED = {
    APISERVER: {"pkg/storage/etcd3/testserver/test_server.go": KUBERNETES / "testserver" / "server.go.overlay"}
}
_ENDING = re.compile(r"^--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)


def clientv3_binary() -> Path:
    """Our tests of etcd's Go client."""
    return golang.build_test(CLIENTV3)


def store_binary() -> Path:
    """Our test of the apiserver's storage, through its public interface."""
    return golang.build_test(KUBERNETES)


def apiserver_binary(suite: str) -> Path:
    """The apiserver's own tests of its storage; the server that they start is whichever ETCD_COMMAND names."""
    return golang.build_test(KUBERNETES, f"{APISERVER}/pkg/storage/{suite}", REPLACED)


def kube_apiserver() -> Path:
    """A kube-apiserver of the published modules."""
    return golang.build_module(KUBERNETES / "apiserver")


@dataclass(frozen=True, slots=True)
class GoTests:
    """How the top-level tests of a binary ended, by name; and all that it said."""

    endings: Mapping[str, str]
    output: str

    def named(self, ending: str) -> set[str]:
        """PASS, FAIL or SKIP."""
        return {name for name, found in self.endings.items() if found == ending}

    def check_all_pass(self) -> None:
        """Fails with the words of what failed, or when nothing ran at all."""
        failed = self.named("FAIL")
        assert self.endings and not failed, f"{sorted(failed)} failed:\n{self.output[-12000:]}"


def run(binary: Path, environment: Mapping[str, str], timeout_s: int, *flags: str) -> GoTests:
    """Runs the binary to its end. A panic or a timeout of the binary's own shows as a failed test of its name."""
    command = [str(binary), "-test.v", f"-test.timeout={timeout_s}s", *flags]
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        cwd=binary.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout_s + 60,
    )
    endings = {name: ending for ending, name in _ENDING.findall(done.stdout)}
    if done.returncode != 0 and "FAIL" not in endings.values():
        endings[binary.name] = "FAIL"
    return GoTests(endings, done.stdout)


@contextmanager
def control(server: EtcdServer) -> Iterator[str]:
    """The URL of a small HTTP server: POST /restart kills the server under test and starts it on its data."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                server.kill()
                server.start()
                status, text = 200, b"restarted"
            except AssertionError as error:
                status, text = 500, str(error).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the test that asked says what came of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_address[1]}"
        finally:
            listener.shutdown()
            thread.join()
