"""What a person is told when a build fails: each log is an excerpt of what pip and gcc really say."""

import pytest

from integration.packaging import failures
from integration.packaging.failures import Reason, find_reason, last_lines

NO_NETWORK = """\
  WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': no route to host
  ERROR: Could not find a version that satisfies the requirement hatchling>=1.24 (from versions: none)
  ERROR: No matching distribution found for hatchling>=1.24
error: subprocess-exited-with-error
"""
NO_GCC = """\
  building 'zkbridge__mypyc' extension
  error: command 'gcc' failed: No such file or directory
error: subprocess-exited-with-error
"""
NO_HEADERS = """\
  build/__native.c:1:10: fatal error: Python.h: No such file or directory
  error: command '/usr/bin/gcc' failed with exit code 1
"""
BAD_C = """\
  build/__native_x.c:12:3: error: unknown type name 'foo'
  error: command '/usr/bin/gcc' failed with exit code 1
"""
OTHER_SETUPTOOLS = """\
  error: Command '['gcc', '-include', 'trashcan.h', '-c', 'x.c']' returned non-zero exit status 1.
"""
BAD_PYTHON = """\
  zkbridge/tree/replica.py:12: error: Incompatible return value type (got "int", expected "str")  [return-value]
  Exception: Error while invoking Mypyc:
"""
KILLED = """\
  gcc: fatal error: Killed signal terminated program cc1
  error: command '/usr/bin/gcc' failed with exit code 1
"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (NO_NETWORK, failures.NO_INDEX),
        (NO_GCC, failures.NO_COMPILER),
        (NO_HEADERS, failures.NO_COMPILER),
        (BAD_C, failures.NOT_COMPILED),
        (OTHER_SETUPTOOLS, failures.NOT_COMPILED),
        (BAD_PYTHON, failures.NOT_TRANSLATED),
        (KILLED, failures.KILLED),
        ("OSError: [Errno 28] No space left on device", failures.NO_ROOM),
        ("something else", failures.UNKNOWN),
    ],
)
def test_the_reason_is_told_apart(log: str, reason: Reason) -> None:
    assert find_reason(log) is reason


def test_only_what_lies_in_the_sources_is_not_tried_again() -> None:
    again = [find_reason(log) for log in (NO_NETWORK, NO_GCC, NO_HEADERS, KILLED)]
    assert not any(reason.is_of_the_sources for reason in again)
    assert find_reason(BAD_C).is_of_the_sources and find_reason(BAD_PYTHON).is_of_the_sources


def test_the_line_that_names_the_error_is_shown_however_much_follows() -> None:
    shown = last_lines(BAD_C + "\n".join(f"trailing {number}" for number in range(100)))
    assert "unknown type name 'foo'" in shown
    assert "trailing 99" in shown and "trailing 3\n" not in shown
