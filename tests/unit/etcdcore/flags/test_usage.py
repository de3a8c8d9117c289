"""`--help`: each flag once, the common ones first, the deprecated ones last."""

import re

from etcdcore.flags.table import FLAGS, IGNORED
from etcdcore.flags.usage import COMMON, usage


def test_each_flag_stands_there_once_but_for_those_of_etcd_before_version_2() -> None:
    named = re.findall(r"^  --([a-z0-9-]+) '", usage(), re.MULTILINE)
    assert sorted(named) == sorted({*FLAGS, "config-file", "version"} - {flag.name for flag in IGNORED})


def test_the_common_ones_come_first_the_deprecated_ones_last_then_examples() -> None:
    text = usage()
    deprecated = text.index("Deprecated, under names that are going:")
    assert text.index("Common:") < text.index("\nMember:") < deprecated < text.index("\nExamples:")
    for name in COMMON:
        assert text.index(f"  --{name} '") < text.index("\nMember:")
    assert text.index("  --experimental-memory-mlock '") > deprecated
