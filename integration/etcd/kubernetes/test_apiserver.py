"""A kube-apiserver, unchanged, on both servers: it starts, and creates, changes, lists and watches ConfigMaps."""

import json
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.etcd import go_tests
from integration.peers.etcd import EtcdServer
from integration.peers.process import ChildProcess, free_port
from integration.peers.requirements import require_program

START_TIMEOUT_S = 120
TOKEN = "secret"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class ApiServer:
    """The apiserver's HTTP side, as an administrator."""

    def __init__(self, port: int) -> None:
        self._base = f"https://127.0.0.1:{port}"
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def open(self, path: str, method: str = "GET", body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=30, context=self._context)

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        with self.open(path, method, body) as answer:
            return json.load(answer)

    def is_ready(self) -> bool:
        try:
            with self.open("/readyz") as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture
def api(etcd: EtcdServer, tmp_path: Path) -> Iterator[ApiServer]:
    binary = go_tests.kube_apiserver()
    key = tmp_path / "account.key"
    openssl = require_program("openssl", "openssl")
    subprocess.run([openssl, "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens = tmp_path / "tokens.csv"
    tokens.write_text(f'{TOKEN},admin,1,"system:masters"\n')
    port = free_port()
    child = ChildProcess(
        [
            str(binary),
            f"--etcd-servers={etcd.client_url}",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--cert-dir={tmp_path / 'certificates'}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            "--authorization-mode=AlwaysAllow",
            "--service-account-issuer=https://kubernetes.test",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={tokens}",
        ],
        tmp_path / "apiserver.log",
    )
    child.spawn()
    try:
        server = ApiServer(port)
        end = time.monotonic() + START_TIMEOUT_S
        while not server.is_ready():
            assert child.is_running() and time.monotonic() < end, f"no apiserver: {child.log_tail()}"
            time.sleep(0.2)
        yield server
    finally:
        child.kill()


@pytest.mark.timeout(900)
def test_config_maps_are_created_changed_listed_and_watched(api: ApiServer) -> None:
    first = api.ask(CONFIG_MAPS, "POST", {"metadata": {"name": "mine"}, "data": {"k": "1"}})
    seen: list[tuple[str, str]] = []
    done = threading.Event()

    def watch() -> None:
        version = first["metadata"]["resourceVersion"]
        with api.open(f"{CONFIG_MAPS}?watch=1&resourceVersion={version}&fieldSelector=metadata.name%3Dmine") as answer:
            for line in answer:
                event = json.loads(line)
                seen.append((event["type"], event["object"]["data"]["k"]))
                if event["type"] == "DELETED":
                    done.set()
                    return

    threading.Thread(target=watch, daemon=True).start()
    second = api.ask(f"{CONFIG_MAPS}/mine", "PUT", {"metadata": {"name": "mine"}, "data": {"k": "2"}})
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    late = {"metadata": {"name": "mine", "resourceVersion": first["metadata"]["resourceVersion"]}, "data": {"k": "3"}}
    with pytest.raises(urllib.error.HTTPError) as conflict:
        api.ask(f"{CONFIG_MAPS}/mine", "PUT", late)
    assert conflict.value.code == 409
    for number in range(10):
        api.ask(CONFIG_MAPS, "POST", {"metadata": {"name": f"page-{number}", "labels": {"l": "x"}}})
    page = api.ask(f"{CONFIG_MAPS}?labelSelector=l%3Dx&limit=4")
    rest = api.ask(f"{CONFIG_MAPS}?labelSelector=l%3Dx&limit=100&continue={page['metadata']['continue']}")
    names = [item["metadata"]["name"] for item in page["items"] + rest["items"]]
    assert names == [f"page-{number}" for number in range(10)]
    api.ask(f"{CONFIG_MAPS}/mine", "DELETE")
    assert done.wait(30)
    assert seen == [("MODIFIED", "2"), ("DELETED", "2")]
