"""The private descriptor pool, and how the generated modules put their files and classes into it."""

from typing import Any, Final

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.internal import enum_type_wrapper

POOL: Final = descriptor_pool.DescriptorPool()
"""Every file of proto/etcd whose module was imported; `etcdcore.pb.files` imports all of them."""


def define(serialized: bytes, names: dict[str, Any]) -> FileDescriptor:
    """Adds one file to the pool, and its messages and enums to `names`, which are a module's globals (hence Any)."""
    file = POOL.AddSerializedFile(serialized)
    for name, message in file.message_types_by_name.items():
        names[name] = message_factory.GetMessageClass(message)
    for name, enum in file.enum_types_by_name.items():
        names[name] = enum_type_wrapper.EnumTypeWrapper(enum)
        for value in enum.values:
            names[value.name] = value.number
    return file
