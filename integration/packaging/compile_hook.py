"""Run by hatch before its compiling hook: what the compiler is told beyond mypyc's own flags, and how it is run.

An instance outside the garbage collector must never enter CPython's trashcan; trashcan.h says why. The header goes into
CFLAGS, the one way to the compiler that setuptools leaves open, so that however the wheel is built, it is built so.
The compiling hook runs a set-up script of its own making; ours is put before it, so that C files compile side by side.
"""

import os
import shlex
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HEADER = Path(__file__).with_name("trashcan.h")
BEFORE_SETUP = """\
import sys
import setuptools
from distutils.ccompiler import CCompiler
sys.path.insert(0, {folder!r})
import parallel_compiler
del sys.path[0]
parallel_compiler.install(CCompiler)
"""


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration's type is of no use here
    """Puts the header in front of every C file, and the parallel compiler into the set-up script."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is hatch's name of the kind of wheel; nothing in `build_data` changes."""
        flags = os.environ.get("CFLAGS", "")
        os.environ["CFLAGS"] = f"{flags} -include {shlex.quote(str(HEADER))}".strip()
        try:
            import hatch_mypyc.plugin as mypyc_hook
        except ImportError:
            return  # the plain wheel is being built
        construct = mypyc_hook.construct_setup_file
        before = BEFORE_SETUP.format(folder=str(HEADER.parent))
        mypyc_hook.construct_setup_file = lambda *args, **options: before + construct(*args, **options)
