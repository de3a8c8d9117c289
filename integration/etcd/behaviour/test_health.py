"""gRPC's own health service, on ours and on etcd."""

from __future__ import annotations

import grpc

from etcdcore.pb.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse
from integration.etcd.behaviour.client import Client, Refused

SERVING = HealthCheckResponse.SERVING


def test_all_services_are_listed_with_their_status(client: Client) -> None:
    listed = client.call("/grpc.health.v1.Health/List", HealthListRequest(), HealthListResponse)
    assert {name: answer.status for name, answer in listed.statuses.items()} == {"": SERVING}
    assert client.call("/grpc.health.v1.Health/Check", HealthCheckRequest(), HealthCheckResponse).status == SERVING
    unknown = HealthCheckRequest(service="etcdserverpb.KV")
    try:
        client.call("/grpc.health.v1.Health/Check", unknown, HealthCheckResponse)
    except Refused as refused:
        assert refused.code == grpc.StatusCode.NOT_FOUND.value[0]
    else:
        raise AssertionError("nobody has named it")
