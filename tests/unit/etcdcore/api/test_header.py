"""etcdcore.api.header: as the generated class writes it."""

from pathlib import Path

import pytest

from etcdcore.api.header import Headers, encode_revision_header
from etcdcore.pb import rpc_pb2 as pb
from tests.unit.etcdcore.member.fakes import on_loop, quick_config, running


@on_loop
@pytest.mark.parametrize("revision", [0, 1, 127, 128, 1 << 40])
async def test_a_header_names_cluster_member_revision_and_term(tmp_path: Path, revision: int) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        headers = Headers(member)
        expected = pb.ResponseHeader(
            cluster_id=member.cluster_id, member_id=member.member_id, revision=revision, raft_term=member.term
        )
        for _ in range(2):
            assert headers.encode(revision) == pb.PutResponse(header=expected).SerializeToString()
        assert pb.PutResponse.FromString(headers.now()).header.revision == member.revision()


def test_inside_a_transaction_a_header_has_a_revision_only() -> None:
    expected = pb.PutResponse(header=pb.ResponseHeader(revision=300)).SerializeToString()
    assert encode_revision_header(300) == expected
