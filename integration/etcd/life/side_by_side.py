"""Run by test_side_by_side: etcdcore and aetcd in one process, each used as its users do.

Both have classes for `etcdserverpb.RangeRequest`; aetcd's are in protobuf's default pool.
"""

import asyncio
import tempfile

import aetcd
from aetcd.rpc import rpc_pb2 as theirs

from etcdcore import start_etcd
from etcdcore.config import ServerConfig
from etcdcore.pb import rpc_pb2 as ours


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = ServerConfig(data_dir=folder, listen_client_urls=("http://127.0.0.1:0",))
        async with start_etcd(config) as etcd:
            host, _, port = etcd.client_urls[0].removeprefix("http://").partition(":")
            async with aetcd.Client(host=host, port=int(port)) as other:
                await other.put(b"theirs", b"1")
                await etcd.client.put("ours", "2")
                found = await other.get(b"ours")
                assert found is not None and found.value == b"2"
                assert (await etcd.client.get("theirs")).kvs[0].value == b"1"
                lease = await other.lease(10)
                await other.put(b"leased", b"3", lease=lease)
                assert (await etcd.client.get("leased")).kvs[0].lease == lease.id
                assert [pair.key for pair in await other.get_prefix(b"o")] == [b"ours"]
    assert theirs.RangeRequest is not ours.RangeRequest
    assert theirs.RangeRequest.DESCRIPTOR.full_name == ours.RangeRequest.DESCRIPTOR.full_name
    print("side by side")


asyncio.run(main())
