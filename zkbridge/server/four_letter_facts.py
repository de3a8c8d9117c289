"""Where the four-letter words get their facts: the live server behind `protocol.four_letter`'s ABC."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, final

from zkbridge.admin.facts import AdminFacts, LeaderPlaces
from zkbridge.backend.interface import Backend
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.config import Config
from zkbridge.keyspace.zxid import zxid_of
from zkbridge.protocol.four_letter import (
    TRACE_MASK,
    ConfigurationFacts,
    ConnectionFacts,
    ServerSummary,
    answer_four_letter_word,
)
from zkbridge.protocol.monitor import Metric
from zkbridge.protocol.opcodes import SHORT_NAMES
from zkbridge.server.client import Client
from zkbridge.server.clock import monotonic_ms, wall_ms
from zkbridge.server.dispatcher import Dispatcher
from zkbridge.server.environment import environment_of_process
from zkbridge.server.listener import FourLetterDesk, Listener
from zkbridge.server.meters import Meters, process_metrics
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.statistics import ServerStatistics
from zkbridge.sessions.table import SessionTable
from zkbridge.tree.acl import Acl
from zkbridge.tree.replica import Replica
from zkbridge.watches.table import WatchTable

STANDALONE_SERVER_ID: Final = 0
"""What `conf` says. ZooKeeper alone says so too, though its sessions' ids are of server 1."""


@final
class LiveDesk(FourLetterDesk):
    """Answers from the live facts. A class of its own: one class cannot have two compiled bases."""

    def __init__(self, facts: LiveFacts, whitelist: frozenset[str]) -> None:
        self._facts: Final = facts
        self._whitelist: Final = whitelist

    def answer(self, word: str, mask: bytes) -> bytes:
        return answer_four_letter_word(word, mask, self._facts, self._whitelist)

    def allows(self, word: str) -> bool:
        return word in self._whitelist


@final
class LiveFacts(AdminFacts):
    """Reads the rooms when a word asks; keeps nothing."""

    def __init__(
        self,
        config: Config,
        replica: Replica,
        watches: WatchTable,
        sessions: SessionTable,
        listener: Listener,
        committer: OrderedCommitter,
        statistics: ServerStatistics,
        keeper: SessionKeeper,
        backend: Backend,
        dispatcher: Dispatcher,
    ) -> None:
        self._config: Final = config
        self._replica: Final = replica
        self._watches: Final = watches
        self._sessions: Final = sessions
        self._listener: Final = listener
        self._committer: Final = committer
        self._statistics: Final = statistics
        self._keeper: Final = keeper
        self._backend: Final = backend
        self._trace_mask = TRACE_MASK
        self._meters: Final = Meters(replica, watches, listener, committer, statistics, keeper, backend, dispatcher)

    def is_serving(self) -> bool:
        return True  # the port is open only while the replica is whole

    def summary(self) -> ServerSummary:
        statistics = self._statistics
        sizes = statistics.response_sizes
        store = self._backend.facts()
        return ServerSummary(
            zxid=self._replica.zxid,
            mode="standalone" if self._config.leader is None else "leader",
            znode_count=len(self._replica.znodes),
            connection_count=len(self._listener.clients),
            outstanding_count=sum(len(client.pipeline) for client in self._listener.clients),
            received_count=statistics.received_count,
            sent_count=self._listener.sent_count,
            latency_min_ms=statistics.latency_min_ms,
            latency_average_ms=statistics.latency_average_ms,
            latency_max_ms=statistics.latency_max_ms,
            uptime_ms=wall_ms() - statistics.started_ms,
            watch_count=self._watches.watch_count(),
            ephemeral_count=self._replica.ephemeral_count,
            data_bytes=self._replica.data_bytes,
            session_count=self._sessions.session_count(),
            open_file_count=len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else -1,
            open_file_max=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            response_bytes_last=sizes.last,
            response_bytes_min=sizes.lowest,
            response_bytes_max=sizes.highest,
            slow_sync_count=0 if store is None else store.slow_sync_count,
            metrics=self._meters.zookeeper_metrics(),
        )

    def own_metrics(self, with_process: bool) -> list[Metric]:
        metrics = self._meters.own_metrics()
        return metrics + process_metrics() if with_process else metrics

    def leader(self) -> LeaderPlaces | None:
        leader = self._config.leader
        if leader is None:
            return None
        line = leader.line
        host, port = line.client or (self._config.client_host, self._listener.port)
        return LeaderPlaces(line.server_id, line.addresses, f"{host or '0.0.0.0'}:{port}")

    def last_snapshot(self) -> tuple[int, int]:
        store = self._backend.facts()
        if store is None or store.checkpoint_revision < 0:
            return -1, -1
        return zxid_of(store.checkpoint_revision), wall_ms() // 1000 - int(store.checkpoint_age_s)

    def initial_configuration(self) -> str:
        return self._config.initial_text

    def root_acl(self) -> Acl:
        return self._replica.znodes["/"].acl

    def watches_by_session(self) -> Iterator[tuple[int, Iterator[str]]]:
        for watcher in self._watches.listed_watchers():
            if isinstance(watcher, Client):
                yield watcher.session_id, _distinct(self._watches.data_path_lists(watcher))

    def watches_by_path(self) -> Iterator[tuple[str, list[int]]]:
        for path in _distinct(self._watches.all_data_path_lists()):
            session_ids = [each.session_id for each in self._watches.data_watchers(path) if isinstance(each, Client)]
            if session_ids:
                yield path, session_ids

    def configuration(self) -> ConfigurationFacts:
        config = self._config
        leader = config.leader
        peer: tuple[tuple[str, int], ...] = ()
        if leader is not None:
            _, quorum_port, election_port = leader.line.addresses[0]
            peer = (
                ("initLimit", leader.init_limit),
                ("syncLimit", leader.sync_limit),
                ("electionAlg", 3),
                ("electionPort", election_port),
                ("quorumPort", quorum_port),
                ("peerType", 0),
            )
        return ConfigurationFacts(
            client_port=self._listener.port,
            data_dir=str(config.data_dir),
            data_dir_bytes=_bytes_below(config.data_dir),
            tick_time_ms=config.tick_time_ms,
            max_client_cnxns=config.max_client_cnxns,
            min_session_timeout_ms=config.min_session_timeout_ms,
            max_session_timeout_ms=config.max_session_timeout_ms,
            client_port_backlog=config.client_backlog,
            server_id=STANDALONE_SERVER_ID if leader is None else leader.line.server_id,
            peer=peer,
            membership="" if leader is None else leader.config_text,
        )

    def connections(self) -> Sequence[ConnectionFacts]:
        offset_ms = wall_ms() - monotonic_ms()
        silence_ms = self._config.sessionless_timeout_ms
        return [_connection_facts(client, offset_ms, silence_ms) for client in self._listener.clients]

    def environment(self) -> Sequence[tuple[str, str]]:
        return environment_of_process()

    def session_deadlines(self) -> Sequence[tuple[int, Sequence[int]]]:
        offset_ms = wall_ms() - monotonic_ms()
        return [
            (deadline_ms + offset_ms, [session.session_id for session in sessions])
            for deadline_ms, sessions in self._sessions.deadlines()
        ]

    def ephemerals(self) -> Sequence[tuple[int, Sequence[str]]]:
        return [(session_id, paths.ordered()) for session_id, paths in self._replica.ephemerals.items()]

    def data_watch_summary(self) -> tuple[int, int, int]:
        return self._watches.data_summary()

    def data_watches(self) -> Sequence[tuple[int, Sequence[str]]]:
        return [
            (watcher.session_id, sorted(paths))
            for watcher, paths in self._watches.data_paths()
            if isinstance(watcher, Client)
        ]

    def reset_connections(self) -> None:
        for client in self._listener.clients:
            self._statistics.sent_count += client.sent_count  # the server's own count goes on
            client.reset_counts()

    def reset_server(self) -> None:
        self._statistics.reset(sum(client.sent_count for client in self._listener.clients))
        self._meters.reset()

    def trace_mask(self) -> int:
        return self._trace_mask

    def set_trace_mask(self, mask: int) -> None:
        self._trace_mask = mask


def _distinct(lists: list[list[str]]) -> Iterator[str]:
    """Each path once. Few are in two lists: only a persistent watch may stand beside one of another kind."""
    first, *others = lists
    yield from first
    if any(others):
        seen = set(first)
        for paths in others:
            for path in paths:
                if path not in seen:
                    seen.add(path)
                    yield path


def _connection_facts(client: Client, offset_ms: int, silence_ms: int) -> ConnectionFacts:
    answered = client.sent_count
    session = client.session
    return ConnectionFacts(
        address=client.peer,
        outstanding_count=len(client.pipeline),
        received_count=client.received_count,
        sent_count=client.sent_count,
        session_id=client.session_id,
        timeout_ms=session.timeout_ms if session is not None else 0,
        expires_ms=session.deadline_ms + offset_ms if session is not None else client.connected_ms + silence_ms,
        last_operation=SHORT_NAMES.get(client.last_opcode, "NA"),
        established_ms=client.connected_ms,
        last_xid=client.last_xid,
        last_zxid=client.last_zxid,
        last_response_ms=client.last_response_ms,
        last_latency_ms=client.last_latency_ms,
        latency_average_ms=client.latency_total_ms // answered if answered else 0,
        latency_max_ms=client.latency_max_ms,
        is_reading=client.is_reading,
    )


def _bytes_below(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # a log segment that was released meanwhile
    return total
