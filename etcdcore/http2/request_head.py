"""The head of a request: its fields, checked and sorted. Source: RFC 9113 §8.1, §8.3."""

from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.http2.codes import PROTOCOL_ERROR, StreamViolation
from etcdcore.http2.header_field import HeaderField


@final
@mypyc_attr(native_class=True)
class RequestHead:
    """A valid head. One is made for equal blocks of a connection, so it is never changed but for `plan`."""

    __slots__ = ("authority", "content_length", "headers", "method", "path", "plan", "scheme")

    def __init__(
        self, method: str, scheme: str, authority: str, path: str, headers: dict[str, str], content_length: int
    ) -> None:
        self.method: Final = method
        self.scheme: Final = scheme
        self.authority: Final = authority
        self.path: Final = path
        self.headers: Final = headers
        """Lower-case names; of a repeated one the first."""
        self.content_length: Final = content_length
        """-1: not said."""
        self.plan: object | None = None
        """What the layer above has worked out of this head alone, kept for the next equal one."""


def build_request_head(fields: list[HeaderField]) -> RequestHead:
    """Raises StreamViolation for a malformed request."""
    pseudo: dict[str, str] = {}
    headers: dict[str, str] = {}
    has_regular = False
    for field in fields:
        if field.fault:
            raise StreamViolation(PROTOCOL_ERROR, field.fault)
        if not field.is_pseudo:
            has_regular = True
            headers.setdefault(field.name, field.value)
            continue
        if has_regular:
            raise StreamViolation(PROTOCOL_ERROR, "a pseudo-header field after a regular one")
        if field.name in pseudo:
            raise StreamViolation(PROTOCOL_ERROR, f"{field.name} is there twice")
        pseudo[field.name] = field.value
    method, scheme, path = pseudo.pop(":method", ""), pseudo.pop(":scheme", ""), pseudo.pop(":path", "")
    authority = pseudo.pop(":authority", headers.get("host", ""))
    if pseudo:
        raise StreamViolation(PROTOCOL_ERROR, "a pseudo-header field that requests don't have")
    if not method or not scheme or not path:
        raise StreamViolation(PROTOCOL_ERROR, "a request has :method, :scheme and :path")
    if not path.startswith("/") and not (path == "*" and method == "OPTIONS"):
        raise StreamViolation(PROTOCOL_ERROR, ":path starts with a slash")
    return RequestHead(method, scheme, authority, path, headers, _content_length(headers))


def check_trailers(fields: list[HeaderField]) -> None:
    """Raises StreamViolation for fields that may not follow a body."""
    for field in fields:
        if field.fault:
            raise StreamViolation(PROTOCOL_ERROR, field.fault)
        if field.is_pseudo:
            raise StreamViolation(PROTOCOL_ERROR, "a pseudo-header field among trailers")


def _content_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length")
    if text is None:
        return -1
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise StreamViolation(PROTOCOL_ERROR, "content-length is a number")
    return int(text)
