"""proto/etcd: names and numbers that clients have hard-coded (reference sections 1.1 and 1.2)."""

from etcdcore.pb import files, rpc_pb2

_METHODS = {
    "etcdserverpb.KV": "Range RangeStream Put DeleteRange Txn Compact",
    "etcdserverpb.Watch": "Watch",
    "etcdserverpb.Lease": "LeaseGrant LeaseRevoke LeaseKeepAlive LeaseTimeToLive LeaseLeases",
    "etcdserverpb.Cluster": "MemberAdd MemberRemove MemberUpdate MemberList MemberPromote",
    "etcdserverpb.Maintenance": "Alarm Status Defragment Hash HashKV Snapshot MoveLeader Downgrade",
    "etcdserverpb.Auth": "AuthEnable AuthDisable AuthStatus Authenticate UserAdd UserGet UserList UserDelete "
    "UserChangePassword UserGrantRole UserRevokeRole RoleAdd RoleGet RoleList RoleDelete RoleGrantPermission "
    "RoleRevokePermission",
    "v3lockpb.Lock": "Lock Unlock",
    "v3electionpb.Election": "Campaign Proclaim Leader Observe Resign",
    "grpc.health.v1.Health": "Check List Watch",
    "grpc.reflection.v1.ServerReflection": "ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection": "ServerReflectionInfo",
}


def test_services_have_the_methods_of_etcd() -> None:
    offered = {
        service.full_name: " ".join(method.name for method in service.methods)
        for file in files.FILES
        for service in file.services_by_name.values()
    }
    assert offered == _METHODS


def test_requests_and_responses_are_named_after_their_methods() -> None:
    for file in files.FILES:
        for service in file.services_by_name.values():
            for method in service.methods:
                names = (method.input_type.name, method.output_type.name)
                assert names[0].endswith("Request") and names[1].endswith("Response"), method.full_name


def test_the_numbers_out_of_order_are_etcds() -> None:
    assert rpc_pb2.Compare(range_end=b"z").SerializeToString() == b"\x82\x04\x01z"
    assert rpc_pb2.WatchResponse(events=[{}]).SerializeToString() == b"\x5a\x00"
    assert rpc_pb2.WatchCreateRequest(fragment=True).SerializeToString() == b"\x40\x01"
    assert rpc_pb2.RangeRequest(max_create_revision=1).SerializeToString() == b"\x68\x01"
    assert rpc_pb2.StatusResponse(dbSizeQuota=1).SerializeToString() == b"\x60\x01"


def test_unknown_fields_are_passed_over() -> None:
    assert rpc_pb2.PutRequest.FromString(b"\n\x01k\xf8\x07\x05").key == b"k"
