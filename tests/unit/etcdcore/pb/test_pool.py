"""etcdcore.pb: the generated classes keep out of protobuf's default pool."""

import subprocess
import sys

import pytest

from etcdcore.pb import files, kv_pb2, pool, rpc_pb2

_ANOTHER_CLIENT = """
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

def register():
    # As other clients do: etcd's full names, with other fields, and etcd's own file names.
    file = descriptor_pb2.FileDescriptorProto(name="kv.proto", package="mvccpb", syntax="proto3")
    message = file.message_type.add(name="KeyValue")
    message.field.add(name="another", number=1, type=9, label=1)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    found = descriptor_pool.Default().FindMessageTypeByName("mvccpb.KeyValue")
    return message_factory.GetMessageClass(found)
"""
_FIRST = "theirs = register()\nfrom etcdcore.pb import files, kv_pb2\n"
_LATER = "from etcdcore.pb import files, kv_pb2\ntheirs = register()\n"
_USE = """
assert theirs(another="x").SerializeToString() == b"\\n\\x01x"
ours = kv_pb2.KeyValue(key=b"k", mod_revision=7)
assert kv_pb2.KeyValue.FromString(ours.SerializeToString()) == ours
print("fine")
"""


@pytest.mark.parametrize("order", [_FIRST, _LATER], ids=["before ours", "after ours"])
def test_another_client_may_register_the_same_names_in_the_default_pool(order: str) -> None:
    script = _ANOTHER_CLIENT + order + _USE
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_every_file_is_in_the_private_pool() -> None:
    for file in files.FILES:
        assert file.pool is pool.POOL


def test_top_level_and_nested_enums_have_their_names_and_values() -> None:
    assert rpc_pb2.AlarmType.Value("CORRUPT") == rpc_pb2.CORRUPT == 2
    assert rpc_pb2.RangeRequest.SortTarget.Value("VALUE") == rpc_pb2.RangeRequest.VALUE == 4
    assert kv_pb2.Event.DELETE == 1
