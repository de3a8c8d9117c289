"""The apiserver's own tests of its watch cache, which lives on progress notifications. They take minutes and say of the
real etcd what `test_etcd3_suite` says already, so they run on ours only."""

from pathlib import Path

import pytest

from integration.etcd.kubernetes.suites import TIMEOUT_S, check_suite


@pytest.mark.timeout(TIMEOUT_S + 600)
def test_the_apiservers_own_tests_of_its_watch_cache_pass(tmp_path: Path) -> None:
    check_suite("etcdcore", "cacher", tmp_path)
