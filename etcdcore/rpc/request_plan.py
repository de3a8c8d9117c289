"""What the head of a request asks for, worked out once for equal heads: `RequestHead.plan` keeps it."""

from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.errors import INTERNAL, INVALID_ARGUMENT, UNIMPLEMENTED
from etcdcore.http2.header_encoder import ResponseFields
from etcdcore.http2.request_head import RequestHead
from etcdcore.rpc.calls import MethodTable, StreamMethod, UnaryMethod
from etcdcore.rpc.grpc_messages import MessageFault, decode_timeout_ms, unknown_encoding_fault
from etcdcore.rpc.refusals import unknown_path_text

GRPC_TYPE: Final = "application/grpc"


def grpc_head(content_type: str) -> ResponseFields:
    """Of an answer that messages follow."""
    return ResponseFields([(b":status", b"200"), (b"content-type", content_type.encode("latin-1"))], is_common=True)


HEAD: Final = grpc_head(GRPC_TYPE)
HEAD_PROTO: Final = grpc_head("application/grpc+proto")
TRAILERS_OK: Final = ResponseFields([(b"grpc-status", b"0")], is_common=True)


@final
@mypyc_attr(native_class=True)
class RequestPlan:
    """Either not gRPC at all, or a call of one method, or a refusal of it."""

    __slots__ = ("encoding", "fault", "head", "is_grpc", "path", "stream_method", "timeout_ms", "unary_method")

    def __init__(
        self,
        path: str,
        is_grpc: bool,
        head: ResponseFields,
        unary_method: UnaryMethod | None,
        stream_method: StreamMethod | None,
        timeout_ms: float,
        encoding: str,
        fault: MessageFault | None,
    ) -> None:
        self.path: Final = path
        self.is_grpc: Final = is_grpc
        self.head: Final = head
        self.unary_method: Final = unary_method
        self.stream_method: Final = stream_method
        self.timeout_ms: Final = timeout_ms
        """Below zero: none."""
        self.encoding: Final = encoding
        self.fault: Final = fault


def plan_request(table: MethodTable, head: RequestHead) -> RequestPlan:
    """gRPC is what says so by its content type, as etcd tells them apart on one port."""
    content_type = head.headers.get("content-type", "")
    if not content_type.startswith(GRPC_TYPE):
        return RequestPlan(head.path, False, HEAD, None, None, -1.0, "", None)
    response_head = HEAD_PROTO if content_type == "application/grpc+proto" else HEAD
    timeout = head.headers.get("grpc-timeout")
    timeout_ms = None if timeout is None else decode_timeout_ms(timeout)
    encoding = head.headers.get("grpc-encoding", "identity")
    method = table.methods.get(head.path)
    fault: MessageFault | None = None
    if not _is_grpc_type(content_type):
        fault = MessageFault(INVALID_ARGUMENT, f'invalid gRPC request content-type "{content_type}"')
    elif head.method != "POST":
        fault = MessageFault(INTERNAL, f'Received a HEADERS frame with :method "{head.method}" which should be POST')
    elif timeout is not None and timeout_ms is None:
        fault = MessageFault(INTERNAL, f'malformed grpc-timeout: "{timeout}"')
    elif encoding not in ("identity", "gzip", ""):
        fault = unknown_encoding_fault(encoding)
    elif method is None:
        fault = MessageFault(UNIMPLEMENTED, unknown_path_text(table, head.path))
    return RequestPlan(
        head.path,
        True,
        response_head,
        method if isinstance(method, UnaryMethod) else None,
        method if isinstance(method, StreamMethod) else None,
        -1.0 if timeout_ms is None else timeout_ms,
        "gzip" if encoding == "gzip" else "",
        fault,
    )


def _is_grpc_type(content_type: str) -> bool:
    """`application/grpc`, alone or with a `+` and a subtype, or `;` and parameters."""
    return len(content_type) == len(GRPC_TYPE) or content_type[len(GRPC_TYPE)] in "+;"
