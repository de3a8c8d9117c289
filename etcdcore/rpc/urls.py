"""Where to listen, as etcd's flags say it: `http://host:port`, `https://…`, `unix://path`, `unixs://path`."""

from dataclasses import dataclass
from urllib.parse import urlsplit


class ListenUrlError(ValueError):
    """A listen URL that names no address; the text says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Either a host (empty: every address) and a port (0: any free one), or the path of a unix socket."""

    host: str
    port: int
    unix_path: str
    is_secure: bool


def parse_listen_url(url: str) -> ListenAddress:
    """Raises ListenUrlError. etcd reads `unix://host:port` as a path relative to where it was started, and so do we."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"http", "https", "unix", "unixs"}:
        raise ListenUrlError(f"a listen URL starts with http, https, unix or unixs and ://, got {url!r}")
    if scheme.startswith("unix"):
        if not rest:
            raise ListenUrlError(f"a unix listen URL has a path, got {url!r}")
        return ListenAddress("", 0, rest, scheme == "unixs")
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ListenUrlError(f"the port of a listen URL is a number up to 65535, got {url!r}") from error
    if port is None:
        raise ListenUrlError(f"a listen URL has a port, got {url!r}")
    return ListenAddress(parts.hostname or "", port, "", scheme == "https")
