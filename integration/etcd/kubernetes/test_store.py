"""The apiserver's storage on both servers, through its public interface (the Go test beside this file)."""

from pathlib import Path

import pytest

from integration.etcd import go_tests
from integration.peers.etcd import TARGETS, target_names

TIMEOUT_S = 120


@pytest.mark.timeout(TIMEOUT_S + 300)
@pytest.mark.parametrize("target", target_names())
def test_the_store_does_through_its_public_interface_what_it_promises(target: str, tmp_path: Path) -> None:
    binary = go_tests.store_binary()
    with TARGETS[target](tmp_path) as server:
        go_tests.run(binary, {"ETCD_ENDPOINT": server.client_url}, TIMEOUT_S).check_all_pass()
