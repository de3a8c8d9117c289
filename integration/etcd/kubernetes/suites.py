"""The apiserver's own tests of its storage; only the server that they start is another."""

import json
from pathlib import Path

from integration.etcd import go_tests
from integration.peers.etcd import TARGETS

TIMEOUT_S = 600
TESTS_MIN = 40


def check_suite(target: str, suite: str, folder: Path) -> None:
    """Runs a package's tests against a server for each of them.

    A few of them wait for a fixed time, and miss it now and then on a busy machine (TestDelayedWatchDelivery, on the
    real etcd). What the real one fails is run once more, alone, since it says nothing of ours; what ours fails has
    failed.
    """
    binary = go_tests.apiserver_binary(suite)
    command = json.dumps(TARGETS[target](folder).program())
    found = go_tests.run(binary, {"ETCD_COMMAND": command}, TIMEOUT_S)
    failed = "|".join(sorted(found.named("FAIL")))
    if target == "etcd" and failed:
        go_tests.run(binary, {"ETCD_COMMAND": command}, TIMEOUT_S, f"-test.run=^({failed})$").check_all_pass()
    else:
        found.check_all_pass()
    assert len(found.named("PASS")) > TESTS_MIN
