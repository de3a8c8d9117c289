import pytest

from etcdcore.errors import INTERNAL, INVALID_ARGUMENT, UNIMPLEMENTED
from etcdcore.http2.request_head import RequestHead
from etcdcore.rpc.calls import Call, MethodTable, UnaryMethod
from etcdcore.rpc.request_plan import RequestPlan, plan_request


class _Range(UnaryMethod):
    def call(self, request: bytes, call: Call) -> None:
        call.reply(request)


def _plan(path: str = "/kv.KV/Range", method: str = "POST", **headers: str) -> RequestPlan:
    table = MethodTable()
    table.add(_Range("/kv.KV/Range"))
    named = {"content-type": "application/grpc"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return plan_request(table, RequestHead(method, "http", "here", path, named, -1))


def test_a_call_has_its_method_and_its_timeout() -> None:
    plan = _plan(grpc_timeout="5S")
    assert plan.is_grpc and plan.fault is None and plan.unary_method is not None and plan.timeout_ms == 5000
    assert _plan().timeout_ms < 0


@pytest.mark.parametrize("content_type", ["application/grpc+proto", "application/grpc;charset=utf-8"])
def test_subtypes_and_parameters_are_grpc(content_type: str) -> None:
    assert _plan(content_type=content_type).fault is None


@pytest.mark.parametrize("content_type", ["", "text/html", "application/json"])
def test_other_types_are_plain_http(content_type: str) -> None:
    assert not _plan(content_type=content_type).is_grpc


@pytest.mark.parametrize(
    ("plan", "code", "text"),
    [
        (_plan(content_type="application/grpc-web"), INVALID_ARGUMENT, "content-type"),
        (_plan(method="GET"), INTERNAL, "POST"),
        (_plan(grpc_timeout="soon"), INTERNAL, "malformed grpc-timeout"),
        (_plan(grpc_encoding="br"), UNIMPLEMENTED, 'Decompressor is not installed for grpc-encoding "br"'),
        (_plan("/kv.KV/Rage"), UNIMPLEMENTED, "unknown method Rage for service kv.KV"),
        (_plan("/k/Range"), UNIMPLEMENTED, "unknown service k"),
    ],
)
def test_what_cannot_be_served_is_refused(plan: RequestPlan, code: int, text: str) -> None:
    assert plan.fault is not None and plan.fault.code == code and text in plan.fault.text


def test_gzip_is_accepted() -> None:
    assert _plan(grpc_encoding="gzip").encoding == "gzip"
    assert _plan(grpc_encoding="identity").encoding == ""
