"""Every place that tells which build this is tells the same."""

import subprocess
import sys

from zkbridge import build
from zkbridge.tree import replica

ASK = "import sys; from zkbridge.build import is_compiled as i; i(); print('zkbridge.tree.replica' in sys.modules)"


def test_the_build_is_that_of_the_module_that_every_request_passes() -> None:
    assert build.is_compiled() is replica.__file__.endswith(".so")


def test_the_build_has_a_name() -> None:
    assert build.build_name() == ("compiled" if build.is_compiled() else "plain Python")


def test_asking_loads_nothing_that_may_be_compiled() -> None:
    """`zkbridge --version` does not wait for it."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
