"""Run by hatch before its compiling hook: what the C compiler is told beyond mypyc's own flags.

An instance outside the garbage collector must never enter CPython's trashcan; trashcan.h says why. The header goes into
CFLAGS, the one way to the compiler that setuptools leaves open, so that however the wheel is built, it is built so.
"""

import os
import shlex
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HEADER = Path(__file__).with_name("trashcan.h")


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration's type is of no use here
    """Puts the header in front of every C file."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is hatch's name of the kind of wheel; nothing in `build_data` changes."""
        flags = os.environ.get("CFLAGS", "")
        os.environ["CFLAGS"] = f"{flags} -include {shlex.quote(str(HEADER))}".strip()
