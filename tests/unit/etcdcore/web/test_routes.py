from etcdcore.pb import rpc_pb2, v3election_pb2, v3lock_pb2
from etcdcore.web.routes import ROUTES


def test_every_method_of_the_schemas_has_a_route_with_its_messages_and_streams() -> None:
    """Source: reference section 1.5. etcd gives RangeStream no path either."""
    routed = {route.method: route for route in ROUTES.values()}
    methods = {}
    for file in (rpc_pb2.DESCRIPTOR, v3lock_pb2.DESCRIPTOR, v3election_pb2.DESCRIPTOR):
        for service in file.services_by_name.values():
            for method in service.methods:
                methods[f"/{service.full_name}/{method.name}"] = method
    del methods["/etcdserverpb.KV/RangeStream"]
    assert routed.keys() == methods.keys()
    for path, method in methods.items():
        route = routed[path]
        assert route.request.DESCRIPTOR.full_name == method.input_type.full_name
        assert route.response.DESCRIPTOR.full_name == method.output_type.full_name
        assert (route.is_stream, route.is_duplex) == (method.server_streaming, method.client_streaming)


def test_the_older_paths_of_leases_lead_to_the_same_methods() -> None:
    for name in ("revoke", "timetolive", "leases"):
        assert ROUTES[f"/v3/kv/lease/{name}"] == ROUTES[f"/v3/lease/{name}"]
