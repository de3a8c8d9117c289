"""etcd's own Go client on both servers: leases, watches over reconnects, restarts and compaction, locks, elections,
STM, recipes, namespace, mirror, ordering, leasing, naming (the Go tests beside this file)."""

from pathlib import Path

import pytest

from integration.etcd import go_tests
from integration.peers.etcd import TARGETS, target_names

TIMEOUT_S = 240


@pytest.mark.timeout(TIMEOUT_S + 300)
@pytest.mark.parametrize("target", target_names())
def test_the_go_client_finds_what_it_expects(target: str, tmp_path: Path) -> None:
    binary = go_tests.clientv3_binary()
    with TARGETS[target](tmp_path) as server, go_tests.control(server) as control_url:
        environment = {"ETCD_ENDPOINT": server.client_url, "CONTROL_URL": control_url}
        go_tests.run(binary, environment, TIMEOUT_S).check_all_pass()
