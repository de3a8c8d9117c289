"""The texts with which grpc-go turns calls away; clients show them, and some match on them."""

from etcdcore.rpc.calls import MethodTable


def unknown_path_text(table: MethodTable, path: str) -> str:
    """For a path without a method of ours: `/Service/Method`. Source: grpc-go server.go, handleStream."""
    if not path.startswith("/") or "/" not in path[1:]:
        return f"malformed method name: {_quoted(path)}"
    service, _, method = path[1:].rpartition("/")
    prefix = f"/{service}/"
    if any(known.startswith(prefix) for known in table.methods):
        return f"unknown method {method} for service {service}"
    return f"unknown service {service}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
