"""Which paths name a znode. Source: ZooKeeper PathUtils.validatePath; reference section 4.1."""

import re
from typing import Final

_ILLEGAL: Final = re.compile(
    # C0 controls with NUL; DEL and C1 controls; surrogates and the private-use area; the last 16 of the first plane.
    r"[\x00-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff]"
    # An empty, "." or ".." component, and with it a trailing slash.
    "|/(?:/|\\.{1,2}(?:/|\\Z)|\\Z)"
)

# Nearly all paths are made of these; twice as fast as to look for what is illegal.
_PLAIN: Final = re.compile(r"(?:/[\w:@=+,-][\w.:@=+,-]*+)++", re.ASCII)

CONFIG_PATH: Final = "/zookeeper/config"

SYSTEM_PATHS: Final = frozenset(("/", "/zookeeper", "/zookeeper/quota", CONFIG_PATH))
"""Made at server start, never deleted. Source: ZooKeeper DataTree.isSpecialPath."""


def is_valid_path(path: str | None) -> bool:
    """Whether create, setData, setACL and check accept the path."""
    if path is None:
        return False
    if _PLAIN.fullmatch(path) is not None:
        return True
    if path == "" or path[0] != "/":
        return False
    return _ILLEGAL.search(path) is None or path == "/"
