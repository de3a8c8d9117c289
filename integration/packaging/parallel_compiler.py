"""Compiles the C files of an extension side by side; setuptools takes them one after another.

Imported by the set-up script that the compiling hook runs, beside setuptools and mypyc and nothing else. The biggest
files are begun first, so that no core waits for one of them at the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

PROGRESS_VARIABLE = "ZKBRIDGE_COMPILE_PROGRESS"
"""Names a file that is told how far the compiler is: `done of all`."""


def install(compiler: Any) -> None:
    """Replaces `compile` of distutils' compiler class, which has no types of its own."""
    compiler.compile = _compile


def _compile(
    self: Any,
    sources: Any,
    output_dir: Any = None,
    macros: Any = None,
    include_dirs: Any = None,
    debug: Any = False,
    extra_preargs: Any = None,
    extra_postargs: Any = None,
    depends: Any = None,
) -> list[str]:
    """As CCompiler.compile of distutils, whose signature this is. Raises the first CompileError."""
    macros, objects, extra_postargs, pp_opts, build = self._setup_compile(
        output_dir, macros, include_dirs, sources, depends, extra_postargs
    )
    arguments = self._get_cc_args(pp_opts, debug, extra_preargs)
    steps = {target: build[target] for target in objects if target in build}
    largest_first = sorted(steps, key=lambda target: os.path.getsize(steps[target][0]), reverse=True)

    def compile_one(target: str) -> None:
        source, extension = steps[target]
        self._compile(target, source, extension, arguments, extra_postargs, pp_opts)

    run_all(compile_one, largest_first, len(os.sched_getaffinity(0)))
    done: list[str] = objects
    return done


def run_all(run: Callable[[str], None], targets: list[str], at_once: int) -> None:
    """Runs each; after the first that fails nothing else is begun."""
    with ThreadPoolExecutor(max(at_once, 1)) as pool:
        running = [pool.submit(run, target) for target in targets]
        try:
            for count, done in enumerate(as_completed(running), 1):
                done.result()
                _tell(count, len(targets))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _tell(count: int, all_of_them: int) -> None:
    if name := os.environ.get(PROGRESS_VARIABLE):
        Path(name).write_text(f"{count} of {all_of_them}")
