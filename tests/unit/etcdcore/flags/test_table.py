"""The table holds together."""

from etcdcore.flags.table import FLAGS, IDLE, REFUSED, SECTIONS
from etcdcore.flags.values import parse_value


def test_every_default_can_be_read_and_every_flag_that_does_nothing_says_why() -> None:
    for flag in FLAGS.values():
        parse_value(flag.kind, flag.default) if flag.default else None
        assert flag.fate not in (IDLE, REFUSED) or flag.reason, flag.name


def test_no_flag_is_listed_twice() -> None:
    names = [flag.name for _, flags in SECTIONS for flag in flags]
    assert len(names) == len(set(names))
