"""Which build of ours a test or a benchmark runs: these sources, or what ZKBRIDGE_TEST_PYTHON has installed."""

import os
import subprocess
import sys

_IS_COMPILED = "from etcdcore.member import member; print(member.__file__.endswith('.so'))"


def our_python() -> list[str]:
    """The command's first words."""
    if other := os.environ.get("ZKBRIDGE_TEST_PYTHON"):
        # The compiled build, as a rule: -P, or the sources in the working directory would be taken instead.
        return [other, "-P"]
    return [sys.executable]


def build_name() -> str:
    """For the head of a table of figures, which are of no use without it."""
    done = subprocess.run([*our_python(), "-c", _IS_COMPILED], capture_output=True, text=True, check=True)
    return "compiled" if done.stdout.strip() == "True" else "pure Python"
