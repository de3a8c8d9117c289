import pytest

from etcdcore.rpc.calls import Call, MethodTable, UnaryMethod
from etcdcore.rpc.refusals import unknown_path_text


class _Range(UnaryMethod):
    def call(self, request: bytes, call: Call) -> None:
        call.reply(request)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etcdserverpb.KV/RangeStream", "unknown method RangeStream for service etcdserverpb.KV"),
        ("/etcdserverpb.KVs/Range", "unknown service etcdserverpb.KVs"),
        ("/etcdserverpb.K/Range", "unknown service etcdserverpb.K"),
        ("/a/b/c", "unknown service a/b"),
        ("/noslash", 'malformed method name: "/noslash"'),
        ("", 'malformed method name: ""'),
    ],
)
def test_an_unknown_path_is_answered_as_grpc_go_does(path: str, text: str) -> None:
    table = MethodTable()
    table.add(_Range("/etcdserverpb.KV/Range"))
    assert unknown_path_text(table, path) == text
