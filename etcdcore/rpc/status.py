"""What a call can end with, for its caller. etcd's own refusals are known by their text, as clientv3 does."""

from typing import Final

from etcdcore.errors import UNAVAILABLE, CoreError

CODE_NAMES: Final = (
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
)
"""As Go prints them, by number."""


def code_name(code: int) -> str:
    return CODE_NAMES[code] if 0 <= code < len(CODE_NAMES) else f"Code({code})"


def status_text(code: int, text: str) -> str:
    """As Go prints a status as an error: it is what a refused watcher is told as the reason."""
    return f"rpc error: code = {code_name(code)} desc = {text}"


class EtcdError(Exception):
    """The server, or the way to it, refused. `code` is the gRPC status number, `text` its message."""

    def __init__(self, code: int, text: str, was_sent: bool = True) -> None:
        super().__init__(text)
        self.code: Final = code
        self.text: Final = text
        self.was_sent: Final = was_sent
        """False when no server can have seen the request."""

    def is_(self, kind: type[CoreError]) -> bool:
        """Whether it is that one of etcd's errors, as in `error.is_(Compacted)` of `etcdcore.errors`."""
        return self.text == kind.text


def cut_off(text: str) -> EtcdError:
    """The connection or the server is gone."""
    return EtcdError(UNAVAILABLE, text)
