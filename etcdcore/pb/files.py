"""Every file of proto/etcd, in the private pool: for reflection, and for who looks messages up by name."""

from typing import Final

from google.protobuf.descriptor import FileDescriptor

from etcdcore.pb import (
    auth_pb2,
    health_pb2,
    kv_pb2,
    lease_pb2,
    reflection_pb2,
    reflection_v1alpha_pb2,
    rpc_pb2,
    v3election_pb2,
    v3lock_pb2,
)

FILES: Final[tuple[FileDescriptor, ...]] = (
    kv_pb2.DESCRIPTOR,
    auth_pb2.DESCRIPTOR,
    lease_pb2.DESCRIPTOR,
    rpc_pb2.DESCRIPTOR,
    v3lock_pb2.DESCRIPTOR,
    v3election_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
    reflection_pb2.DESCRIPTOR,
    reflection_v1alpha_pb2.DESCRIPTOR,
)
