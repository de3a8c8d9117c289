"""Why pip failed, in words for the terminal: the network, the compiler or the sources, each with its cure."""

from __future__ import annotations

import re
from dataclasses import dataclass

LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Reason:
    """What went wrong. `is_of_the_sources`: the same sources fail again, so it is no use to try."""

    text: str
    is_of_the_sources: bool


NO_INDEX = Reason(
    "the Python package index could not be reached, or has not what is needed; check the network and pip's settings "
    "(pip config list; pip config debug), then try again",
    False,
)
NO_ROOM = Reason("the disk is full; make room in the temporary directory and here, then try again", False)
KILLED = Reason("the compiler was killed, most likely for want of memory; 2 GiB should be free", False)
NO_COMPILER = Reason(
    "the C compiler or Python's headers are missing or do not work; on Debian: apt-get install gcc libc6-dev "
    "python3-dev, then try again",
    False,
)
NOT_TRANSLATED = Reason("mypyc refused the sources", True)
NOT_COMPILED = Reason("the C compiler refused what mypyc made of the sources", True)
UNKNOWN = Reason("no cause is named in what it said", False)
# In this order: a full disk, say, makes the compiler fail, too.
SIGNS = (
    (NO_ROOM, r"No space left on device"),
    (
        NO_INDEX,
        r"No matching distribution found|Could not find a version that satisfies|NewConnectionError|ConnectTimeoutError"
        r"|Temporary failure in name resolution|Name or service not known|ReadTimeoutError|ProxyError"
        r"|CERTIFICATE_VERIFY_FAILED|SSLError|HTTP error 5\d\d|HTTP error 4\d\d|ConnectionResetError",
    ),
    (
        KILLED,
        r"Killed signal terminated|internal compiler error: Killed|cannot allocate memory|exit code -9"
        r"|died with <Signals",
    ),
    (
        NO_COMPILER,
        r"Python\.h: No such file|(gcc|cc|clang)['\"]?: No such file"
        r"|command '[^']*(gcc|cc|clang)[^']*' failed: No such file"
        r"|No such file or directory: '[^']*(gcc|cc|clang)'"
        r"|unable to execute|C compiler cannot create executables|stdlib\.h: No such file|stdio\.h: No such file",
    ),
    (NOT_TRANSLATED, r"\.py:\d+: error:"),
    (
        NOT_COMPILED,
        r"\.[ch]:\d+:\d+: (fatal )?error:|failed with exit (code|status)|CompileError"
        r"|error: Command .* returned non-zero exit status",
    ),
)


def find_reason(log: str) -> Reason:
    """What the log of a build that failed tells."""
    return next((reason for reason, sign in SIGNS if re.search(sign, log)), UNKNOWN)


def last_lines(log: str) -> str:
    """What to show of it: the lines that name an error, if there are any, and the end."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines[:-LAST_LINES] if re.search(r"(^|\W)(fatal )?error:", line, re.IGNORECASE)]
    shown = [*errors[:LAST_LINES], *lines[-LAST_LINES:]]
    return "\n".join(f"  | {line[:200]}" for line in shown)
