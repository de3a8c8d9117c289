"""`mntr` after the same work on the bridge and on ZooKeeper: the same keys, of the same types, with the same counts.

Source: ZooKeeper ServerMetrics, ServerStats, AvgMinMaxCounter, AvgMinMaxPercentileCounter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from integration.conformance.monitored import PINGS, Monitored, monitored, work
from integration.peers.servers import Bridge, RealZooKeeper

ABSENT = {
    "there are no queues between request processors; what they take is in updatelatency and readlatency": (
        "prep_process(or_request_queued|or_queue_size|or_queue_time_ms|_time)",
        "sync_process(or_request_queued|or_queue_.*|or_batch_size|_time)",
        "proposal_process_time",
        "close_session_prep_time",
        "request_(commit_queued|throttle_queue_time_ms)",
        "requests_(in_session_queue|not_forwarded_to_commit_processor)",
        "(read|write)_(commitproc|final_proc)_time_ms",
        "(read|write|commit)_commit_proc_(req_queued|issued)",
        "(session_queues_drained|pending_session_queue_size|reads_(issued_from|after_write_in)_session_queue)",
        "(time_waiting_empty_pool|concurrent_request_processing|write_batch_time)_in_commit_processor.*",
        "(local|server)_write_committed_time_ms",
        "outstanding_changes_(queued|removed)",
        "propagation_latency",
    ),
    "there are no other servers that elect, propose, follow or observe": (
        "(proposal|diff|snap)_count",
        "learner_.*",
        "skip_learner_request_to_next_processor_count",
        "(follower_sync|observer_sync|election|leader_unavailable|unavailable|commit_process|socket_closing)_time",
        "(proposal|proposal_ack_creation|quorum_ack|ack|commit_propagation)_latency",
        "om_(commit|proposal)_process_time_ms",
        "inflight_(snap|diff)_count",
        "quit_leading_due_to_disloyal_voter",
    ),
    "answers are not cached": ("response_packet_(get_children_)?cache_(hits|misses)",),
    "watches of connections that end go with them; nothing cleans up later": (
        "dead_watchers_.*",
        "add_dead_watcher_stall_time",
    ),
    "no server is restored while it runs": ("restore_time",),
    "Netty's and the connection throttle's": ("netty_queued_buffer_capacity", "connection_token_deficit"),
}
FIELDS = r"(avg|min|max|cnt|sum|p50|p95|p99|p999)_"
OURS = {"zkbridge_compiled"}
# The same work gives the same of these on both.
COUNTED = (
    "ephemerals_count",
    "znode_count",
    "watch_count",
    "approximate_data_size",
    "global_sessions",
    "max_client_response_size",
    "min_client_response_size",
    "last_client_response_size",
    "connection_request_count",
    "watch_bytes",
    "cnt_readlatency",
    *(
        f"{field}_{namespace}_{kind}_per_namespace"
        for field in ("avg", "min", "max", "cnt", "sum")
        for namespace, kind in (("jobs", "read"), ("jobs", "write"), ("lock", "write"))
    ),
    *(
        f"{field}_node_{event}_watch_count"
        for field in ("avg", "min", "max", "cnt", "sum")
        for event in ("created", "deleted", "changed", "children")
    ),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monitored, Monitored]]:
    """Ours and ZooKeeper's, after the same work."""
    folder = tmp_path_factory.mktemp("monitoring")
    ours = monitored(Bridge, folder / "ours", with_metrics=False)
    real = monitored(RealZooKeeper, folder / "real", with_metrics=False)
    with ours.server, real.server:
        for server in (ours, real):
            work(server)
        yield ours, real
        for server in (ours, real):
            for client in server.clients:
                client.drop()


def kind_of(value: str) -> str:
    if re.fullmatch(r"-?\d+", value):
        return "integer"
    return "double" if re.fullmatch(r"-?\d+\.\d{1,4}(E-?\d+)?", value) else "text"


def is_absent(key: str) -> bool:
    name = re.sub(f"^{FIELDS}", "", key)
    return any(re.fullmatch(pattern, name) for patterns in ABSENT.values() for pattern in patterns)


def test_every_key_of_zookeepers_is_there_with_its_type_or_absent_for_a_reason(
    both: tuple[Monitored, Monitored],
) -> None:
    ours, real = (server.mntr() for server in both)
    assert not {key for key in real.keys() - ours.keys() if not is_absent(key)}
    assert not {key for key in ours if is_absent(key)}, "these are no absences"
    assert ours.keys() - real.keys() == OURS
    assert {key: kind_of(ours[key]) for key in ours if key in real} == {
        key: kind_of(real[key]) for key in real if key in ours
    }


def test_the_same_work_is_counted_alike(both: tuple[Monitored, Monitored]) -> None:
    ours, real = (server.mntr() for server in both)
    assert {key: ours[key] for key in COUNTED} == {key: real[key] for key in COUNTED}


def test_response_bytes_are_those_of_replies(both: tuple[Monitored, Monitored]) -> None:
    """Without lengths, events, handshakes and words. ZooKeeper leaves out those of a ping too, 16 each."""
    ours, real = (int(server.mntr()["response_bytes"]) for server in both)
    assert ours == real + 16 * PINGS


def test_percentiles_are_of_what_was_measured(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        values = server.mntr()
        for name in ("readlatency", "updatelatency"):
            found = [int(values[f"{field}_{name}"]) for field in ("min", "p50", "p95", "p99", "p999", "max")]
            assert found == sorted(found)


def test_mntr_and_the_admin_servers_monitor_say_the_same(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        fields = server.command("monitor")
        assert (fields.pop("command"), fields.pop("error")) == ("monitor", None)
        assert fields.keys() == server.mntr().keys()


def test_srst_leaves_every_key_and_resets_what_zookeeper_resets(both: tuple[Monitored, Monitored]) -> None:
    """The last test here: what was counted is gone."""
    before = [server.mntr() for server in both]
    for server in both:
        assert server.word("srst") == "Server stats reset.\n"
    ours, real = after = [server.mntr() for server in both]
    for earlier, later in zip(before, after, strict=True):
        assert earlier.keys() == later.keys()
    changing = {"uptime", "open_file_descriptor_count", "bytes_received_count", "packets_sent", "packets_received"}
    # ZooKeeper's monitor of pauses is off, and its commits are the quorum's: both are always 0 there.
    changing |= {key for key in ours if key.endswith("_jvm_pause_time_ms")} | OURS | {"version"}
    assert {key: ours[key] for key in ours.keys() - changing} == {key: real[key] for key in ours.keys() - changing}
    for values in after:
        assert int(values["packets_received"]) <= 2 and int(values["packets_sent"]) <= 2
    assert (ours["commit_count"], ours["last_client_response_size"]) == ("0", "-1")
