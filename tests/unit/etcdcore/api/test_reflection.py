import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from etcdcore.api.health import HealthService, add_health
from etcdcore.api.reflection import PATHS, add_reflection
from etcdcore.errors import INVALID_ARGUMENT, NOT_FOUND
from etcdcore.pb.reflection_pb2 import ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse
from etcdcore.rpc.calls import MethodTable, StreamMethod
from tests.unit.etcdcore.api.harness import FakeCall


def _ask(request: ServerReflectionRequest, path: str = PATHS[0]) -> ServerReflectionResponse:
    table, call = MethodTable(), FakeCall()
    add_health(table, HealthService())
    add_reflection(table)
    method = table.methods[path]
    assert isinstance(method, StreamMethod)
    listener = method.open(call)
    listener.message_received(request.SerializeToString())
    listener.input_ended()
    assert call.is_done and call.status is None
    (answer,) = call.sent
    response = ServerReflectionResponse.FromString(answer)
    assert response.original_request == request
    return response


def _file_names(response: ServerReflectionResponse) -> list[str]:
    return [
        FileDescriptorProto.FromString(file).name for file in response.file_descriptor_response.file_descriptor_proto
    ]


@pytest.mark.parametrize("path", PATHS)
def test_services_are_listed_by_name(path: str) -> None:
    response = _ask(ServerReflectionRequest(list_services="*"), path)
    assert [service.name for service in response.list_services_response.service] == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]


def test_a_file_comes_with_all_it_imports() -> None:
    by_symbol = _file_names(_ask(ServerReflectionRequest(file_containing_symbol="v3lockpb.Lock")))
    assert len(by_symbol) == len(set(by_symbol)) > 2
    assert _file_names(_ask(ServerReflectionRequest(file_by_filename=by_symbol[0]))) == by_symbol


@pytest.mark.parametrize("symbol", ["etcdserverpb.KV.Range", "mvccpb.KeyValue", "etcdserverpb.RangeRequest.SortOrder"])
def test_methods_messages_and_enums_are_found(symbol: str) -> None:
    assert _file_names(_ask(ServerReflectionRequest(file_containing_symbol=symbol)))


@pytest.mark.parametrize(
    "request_",
    [
        ServerReflectionRequest(file_containing_symbol="no.Such"),
        ServerReflectionRequest(file_by_filename="no.proto"),
        ServerReflectionRequest(all_extension_numbers_of_type="no.Such"),
        ServerReflectionRequest(file_containing_extension=ExtensionRequest(containing_type="a.B", extension_number=1)),
    ],
)
def test_what_is_not_there_is_not_found(request_: ServerReflectionRequest) -> None:
    assert _ask(request_).error_response.error_code == NOT_FOUND


def test_a_type_without_extensions_says_so() -> None:
    response = _ask(ServerReflectionRequest(all_extension_numbers_of_type="mvccpb.KeyValue"))
    assert response.all_extension_numbers_response.base_type_name == "mvccpb.KeyValue"


def test_a_question_about_nothing_is_refused() -> None:
    assert _ask(ServerReflectionRequest(host="h")).error_response.error_code == INVALID_ARGUMENT
