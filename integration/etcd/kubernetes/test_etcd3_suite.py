"""The apiserver's own tests of its etcd3 store, on both servers."""

from pathlib import Path

import pytest

from integration.etcd.kubernetes.suites import TIMEOUT_S, check_suite
from integration.peers.etcd import target_names


@pytest.mark.timeout(TIMEOUT_S + 600)
@pytest.mark.parametrize("target", target_names())
def test_the_apiservers_own_tests_of_its_store_pass(target: str, tmp_path: Path) -> None:
    check_suite(target, "etcd3", tmp_path)
