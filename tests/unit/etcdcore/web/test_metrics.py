"""The page over a real member in memory. Names: reference section 1.6."""

import asyncio
import re
from pathlib import Path
from typing import final

from etcdcore import CoreError, Outcome, Proposal
from etcdcore.apply.commands import LeaseGrant, Put, Range
from etcdcore.config import MemberConfig, ServerConfig
from etcdcore.member.member import Member
from etcdcore.rpc.calls import MethodTable
from etcdcore.web.facts import ALARM_CORRUPT
from etcdcore.web.handler import WebHandler
from tests.unit.etcdcore.web.fakes import Answering, SettableFacts, body_of, make_request

NAMES = """
etcd_server_ has_leader is_leader is_learner leader_changes_seen_total proposals_committed_total proposals_applied_total
    proposals_pending proposals_failed_total heartbeat_send_failures_total slow_apply_total slow_read_indexes_total
    read_indexes_failed_total quota_backend_bytes health_success health_failures healthcheck healthchecks_total version
    id client_requests_total apply_duration_seconds range_duration_seconds learner_promote_successes
    learner_promote_failures snapshot_apply_in_progress_total feature_enabled
etcd_disk_ wal_fsync_duration_seconds wal_write_bytes_total wal_write_duration_seconds backend_commit_duration_seconds
    backend_snapshot_duration_seconds backend_defrag_duration_seconds defrag_inflight
etcd_mvcc_ db_total_size_in_bytes db_total_size_in_use_in_bytes db_open_read_transactions put_total delete_total
    range_total txn_total hash_duration_seconds hash_rev_duration_seconds
etcd_network_ peer_round_trip_time_seconds peer_sent_bytes_total peer_received_bytes_total peer_sent_failures_total
    active_peers client_grpc_sent_bytes_total client_grpc_received_bytes_total snapshot_send_success
    snapshot_receive_success
etcd_ cluster_version
etcd_debugging_mvcc_ keys_total events_total pending_events_total watcher_total watch_stream_total slow_watcher_total
    current_revision compact_revision total_put_size_in_bytes db_compaction_pause_duration_milliseconds
    db_compaction_total_duration_milliseconds db_compaction_last db_compaction_keys_total
etcd_debugging_lease_ granted_total renewed_total revoked_total
etcd_debugging_ auth_revision server_alarms
grpc_server_ handled_total started_total
process_ resident_memory_bytes
os_ fd_used fd_limit
"""
"""All but `request_duration_seconds`, which is 3.7's."""


def names_wanted() -> set[str]:
    wanted = set()
    prefix = ""
    for word in NAMES.split():
        if word.endswith("_"):
            prefix = word
        else:
            wanted.add(prefix + word)
    return wanted


async def page_of(handler: WebHandler) -> str:
    response = await handler.handle(make_request("/metrics", method="GET"))
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return (await body_of(response)).decode()


def values_of(page: str) -> dict[str, float]:
    """Of samples without labels; the counts of histograms are among them."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", page, re.MULTILINE)}


@final
class Waited(Proposal):
    def __init__(self) -> None:
        self.over = asyncio.Event()

    def applied(self, result: Outcome | int) -> None:
        self.over.set()

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        raise AssertionError(f"dropped: {error}")


def test_every_name_is_there_and_every_value_is_of_what_was_done(tmp_path: Path) -> None:
    async def script() -> None:
        table = MethodTable()
        table.add(Answering("/etcdserverpb.KV/Put", lambda _, call: call.reply(b"")))
        facts = SettableFacts()
        member = Member.open(MemberConfig(tmp_path, in_memory=True))
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            life = tasks.create_task(member.serve())
            await member.wait_writable()
            handler = WebHandler(ServerConfig(), table, facts, tasks, member)
            page = await page_of(handler)
            types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
            assert names_wanted() <= types.keys()
            before = values_of(page)
            assert before["etcd_server_has_leader"] == before["etcd_server_is_leader"] == 1
            assert before["etcd_debugging_mvcc_current_revision"] == 1

            member.submit(Put(b"key", b"value"), None)
            waited = Waited()
            member.submit(LeaseGrant(5, 60), waited)
            await waited.over.wait()
            member.range(Range(b"key"))
            await handler.handle(make_request("/v3/kv/put", b'{"key":"YQ=="}'))
            await handler.handle(make_request("/readyz/non_learner", method="GET"))
            await handler.handle(make_request("/health", method="GET"))
            facts.raised = (ALARM_CORRUPT,)
            page = await page_of(handler)
            after = values_of(page)
            for name, change in {
                "etcd_mvcc_put_total": 1,
                "etcd_mvcc_range_total": 1,
                "etcd_debugging_mvcc_total_put_size_in_bytes": 8,
                "etcd_debugging_mvcc_keys_total": 1,
                "etcd_debugging_mvcc_current_revision": 1,
                "etcd_debugging_lease_granted_total": 1,
                "etcd_server_health_success": 1,
                "etcd_network_client_grpc_received_bytes_total": 3,
            }.items():
                assert after[name] - before[name] == change, name
            assert (
                after["etcd_disk_wal_fsync_duration_seconds_count"]
                > before["etcd_disk_wal_fsync_duration_seconds_count"]
            )
            for line in (
                'etcd_cluster_version{cluster_version="3.6"} 1',
                f'etcd_server_id{{server_id="{member.member_id:x}"}} 1',
                'etcd_server_healthcheck{name="non_learner",type="readyz"} 1',
                'etcd_server_healthchecks_total{name="non_learner",status="success",type="readyz"} 1',
                f'etcd_debugging_server_alarms{{server_id="{member.member_id:x}",alarm_type="CORRUPT"}} 1',
                'grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} 1',
                'grpc_server_handled_total{grpc_code="OK",grpc_method="Put",grpc_service="etcdserverpb.KV",'
                'grpc_type="unary"} 1',
                'etcd_server_client_requests_total{client_api_version="unknown",type="unary"} 1',
            ):
                assert f"\n{line}\n" in page
            await member.stop()
            await life

    asyncio.run(script())
