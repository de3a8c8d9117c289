"""The lines of etcd 3.6 about flags that are going; integration/etcd/life/test_log_lines.py asks etcd itself."""

from etcdcore.flags.deprecations import deprecation
from etcdcore.flags.table import FLAGS


def test_every_old_name_says_what_to_use_instead() -> None:
    for flag in FLAGS.values():
        if flag.renamed:
            assert deprecation(flag).startswith(f"--{flag.name} is deprecated"), flag.name
            assert flag.renamed.removeprefix("feature-gates:") in deprecation(flag)


def test_a_flag_that_stays_says_nothing() -> None:
    assert [deprecation(FLAGS[name]) for name in ("name", "max-wals")] == ["", ""]
