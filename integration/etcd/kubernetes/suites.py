"""The apiserver's own tests of its storage; only the server that they start is another."""

import json
from pathlib import Path

from integration.etcd import go_tests
from integration.peers.etcd import TARGETS

TIMEOUT_S = 600
TESTS_MIN = 40


def check_suite(target: str, suite: str, folder: Path) -> None:
    """Runs a package's tests against a server for each of them."""
    binary = go_tests.apiserver_binary(suite)
    command = json.dumps(TARGETS[target](folder).program())
    found = go_tests.run(binary, {"ETCD_COMMAND": command}, TIMEOUT_S)
    found.check_all_pass()
    assert len(found.named("PASS")) > TESTS_MIN
