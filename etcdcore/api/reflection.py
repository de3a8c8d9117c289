"""gRPC's server reflection, v1 and v1alpha: which services there are, and the files that describe them.

The two versions differ in nothing but their package, so one set of classes reads and writes both.
"""

from typing import Final, final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError

from etcdcore.errors import INVALID_ARGUMENT, NOT_FOUND
from etcdcore.pb.files import FILES
from etcdcore.pb.pool import POOL
from etcdcore.pb.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod

_FILES: Final[dict[str, FileDescriptor]] = {file.name: file for file in FILES}

PATHS: Final = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)


@final
class _Info(StreamMethod):
    def __init__(self, path: str, table: MethodTable) -> None:
        super().__init__(path)
        self._table: Final = table

    def open(self, call: Call) -> CallListener:
        return _Asker(call, self._table)


@final
class _Asker(CallListener):
    """One stream of questions; each is answered at once, and the carrier holds back who asks without reading."""

    def __init__(self, call: Call, table: MethodTable) -> None:
        self._call: Final = call
        self._table: Final = table

    def message_received(self, message: bytes) -> None:
        try:
            request = ServerReflectionRequest.FromString(message)
        except DecodeError:
            self._call.fail(INVALID_ARGUMENT, "the request is not a ServerReflectionRequest")
            return
        response = ServerReflectionResponse(valid_host=request.host, original_request=request)
        _answer(self._table, request, response)
        self._call.send(response.SerializeToString())

    def input_ended(self) -> None:
        self._call.finish()

    def call_cancelled(self) -> None:
        """Nothing is held."""

    def writable(self) -> None:
        """Nothing is held back."""


def _answer(table: MethodTable, request: ServerReflectionRequest, response: ServerReflectionResponse) -> None:
    match request.WhichOneof("message_request"):
        case "list_services":
            for name in sorted({path[1:].rpartition("/")[0] for path in table.methods}):
                response.list_services_response.service.add(name=name)
        case "file_by_filename":
            _add_file(response, _FILES.get(request.file_by_filename), request.file_by_filename)
        case "file_containing_symbol":
            _add_file(response, _find_symbol(request.file_containing_symbol), request.file_containing_symbol)
        case "file_containing_extension":
            _refuse(response, f"no extension of {request.file_containing_extension.containing_type}")
        case "all_extension_numbers_of_type":
            name = request.all_extension_numbers_of_type
            if _find_symbol(name) is None:
                _refuse(response, f"{name} is not known")
            else:
                response.all_extension_numbers_response.base_type_name = name
        case _:
            response.error_response.error_code = INVALID_ARGUMENT
            response.error_response.error_message = "the request asks for nothing"


def _find_symbol(name: str) -> FileDescriptor | None:
    """Of a service, method, message, field or enum of ours. protobuf's own pool does not look for methods."""
    try:
        return POOL.FindFileContainingSymbol(name)
    except KeyError:
        service_name, _, method_name = name.rpartition(".")
    try:
        service = POOL.FindServiceByName(service_name)
    except KeyError:
        return None
    return service.file if method_name in service.methods_by_name else None


def _add_file(response: ServerReflectionResponse, file: FileDescriptor | None, name: str) -> None:
    """The file, then those it imports, so that one question is enough."""
    if file is None:
        _refuse(response, f"{name} is not known")
        return
    added: dict[str, FileDescriptor] = {file.name: file}
    waiting = [file]
    while waiting:
        for imported in waiting.pop().dependencies:
            if imported.name not in added:
                added[imported.name] = imported
                waiting.append(imported)
    response.file_descriptor_response.file_descriptor_proto.extend(each.serialized_pb for each in added.values())


def _refuse(response: ServerReflectionResponse, text: str) -> None:
    response.error_response.error_code = NOT_FOUND
    response.error_response.error_message = text


def add_reflection(table: MethodTable) -> None:
    """Of every method the table has by the time it is asked."""
    for path in PATHS:
        table.add(_Info(path, table))
