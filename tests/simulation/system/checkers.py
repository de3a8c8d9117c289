"""What must be true of a history, whatever happened to the servers.

Each checker raises Broken with a sentence. Zxids order all writes, so linearizability needs no search: an answer's zxid
says where in that order its client stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from tests.simulation.system.history import WRITES, History, Kind, Operation


class Broken(AssertionError):
    """A promise was broken."""


def check_all(history: History) -> None:
    """Everything that can be told from what clients saw alone."""
    check_write_order(history)
    check_session_order(history)
    check_reads(history)
    check_sequential_names(history)
    check_watches(history)
    check_expiry(history)


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise Broken(text)


def check_write_order(history: History) -> None:
    """Acknowledged writes have zxids of their own, in an order that agrees with time: one that was answered before
    another was asked for comes first."""
    seen: dict[int, Operation] = {}
    for write in history.acknowledged_writes():
        other = seen.get(write.zxid)
        _require(other is None, f"{write} and {other} have one zxid")
        seen[write.zxid] = write
    latest_answered: list[tuple[float, int]] = []
    for write in sorted(seen.values(), key=lambda done: done.returned_s):
        latest_answered.append((write.returned_s, max(write.zxid, latest_answered[-1][1] if latest_answered else 0)))
    for write in seen.values():
        place = bisect_right(latest_answered, (write.called_s, 0)) - 1
        if place >= 0 and latest_answered[place][0] < write.called_s:
            before = latest_answered[place][1]
            _require(before < write.zxid, f"{write} was asked for after {before:#x} was answered, and got less")


def check_session_order(history: History) -> None:
    """What one session sees never goes back, over reconnections too; and it sees its own writes."""
    latest: dict[int, int] = {}
    for operation in sorted(history.operations, key=lambda done: (done.client, done.place)):
        if operation.code is None or operation.code != 0 or operation.kind is Kind.CLOSE:
            continue
        before = latest.get(operation.session_id, 0)
        _require(operation.zxid >= before, f"{operation} shows {operation.zxid:#x} after {before:#x} was shown")
        latest[operation.session_id] = operation.zxid


def check_reads(history: History) -> None:
    """A read shows what the last write up to its own zxid put; after a sync nothing acknowledged before is missing."""
    written: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    unknown: dict[str, set[bytes]] = defaultdict(set)
    for operation in history.operations:
        if operation.kind not in (Kind.SET, Kind.MULTI):
            continue
        for path, value in operation.values.items():
            if operation.is_acknowledged:
                written[path].append((operation.zxid, value))
            elif operation.code is None:
                unknown[path].add(value)
    for writes in written.values():
        writes.sort()
    acknowledged = sorted((write.returned_s, write.zxid) for write in history.acknowledged_writes())
    highest: list[tuple[float, int]] = []
    for returned_s, zxid in acknowledged:
        highest.append((returned_s, max(zxid, highest[-1][1] if highest else 0)))
    for read in history.operations:
        if read.kind not in (Kind.GET, Kind.SYNC_GET) or not read.is_acknowledged:
            continue
        writes = written[read.path]
        place = bisect_right(writes, (read.zxid, b"\xff")) - 1
        if place >= 0 and writes[place][0] > read.mzxid:
            raise Broken(f"{read} does not show the write {writes[place]} that was acknowledged")
        matching = [value for zxid, value in writes if zxid == read.mzxid]
        if matching:
            _require(read.result == matching[0], f"{read} shows another value than the write with its mzxid put")
        elif read.result:
            assert isinstance(read.result, bytes)
            _require(read.result in unknown[read.path], f"{read} shows a value that nobody put at its mzxid")
        _require(read.mzxid <= read.zxid, f"{read} shows the future")
        place = bisect_right(highest, (read.called_s, 0)) - 1
        if read.kind is Kind.SYNC_GET and place >= 0:
            _require(read.zxid >= highest[place][1], f"{read} misses {highest[place]}, acknowledged before its sync")


def check_sequential_names(history: History) -> None:
    """No name is given twice, and a later zxid has a greater number."""
    created = [done for done in history.acknowledged_writes() if done.kind is Kind.CREATE_SEQUENTIAL]
    created.sort(key=lambda done: done.zxid)
    numbers: dict[str, int] = {}
    for done in created:
        assert isinstance(done.result, str)
        prefix = done.path
        number = int(done.result[len(prefix) :])
        _require(number > numbers.get(prefix, -1), f"{done} has a number that is not greater than all before")
        numbers[prefix] = number


def check_watches(history: History) -> None:
    """An event comes before the answer that shows its change, none is lost, and none comes twice.

    A watch that was set by a read at one zxid must have fired before its client is answered with a zxid at or past the
    next change of the node, over reconnections too, unless its session has ended.
    """
    changes: dict[str, list[int]] = defaultdict(list)
    for write in history.acknowledged_writes():
        if write.kind in (Kind.SET, Kind.MULTI):
            for path in write.values:
                changes[path].append(write.zxid)
    for zxids in changes.values():
        zxids.sort()
    for client in sorted({operation.client for operation in history.operations}):
        _check_client_watches(history, client, changes)


def _check_client_watches(history: History, client: str, changes: dict[str, list[int]]) -> None:
    answers = [done for done in history.operations if done.client == client and done.code == 0]
    answers.sort(key=lambda done: done.place)
    moments: list[tuple[int, Operation | str]] = [(done.place, done) for done in answers]
    moments += [(event.place, event.path) for event in history.events if event.client == client and event.type == 3]
    moments.sort(key=lambda moment: moment[0])
    resumed_at = {connection: place for name, connection, place in history.resumes if name == client}
    set_at: dict[str, tuple[int, int, int]] = {}
    for place, what in moments:
        if isinstance(what, str):
            _require(what in set_at, f"{client} was told of {what} (answer {place}) without a watch, or twice")
            del set_at[what]
            continue
        for path, (zxid, session_id, connection) in list(set_at.items()):
            if session_id != what.session_id:
                del set_at[path]
                continue
            if connection != what.connection and place < resumed_at.get(what.connection, place + 1):
                continue  # its watches are not set again yet
            later = changes[path]
            following = bisect_right(later, zxid)
            if following < len(later) and later[following] <= what.zxid:
                missing = f"the event of {path} at {later[following]:#x}, watched at {zxid:#x}"
                raise Broken(f"{client} got {what} before {missing}")
        if what.kind is Kind.GET and what.watch and what.path not in set_at:
            set_at[what.path] = (what.zxid, what.session_id, what.connection)


def check_expiry(history: History) -> None:
    """A session whose client spoke all the time does not expire. Clients ping every third of the timeout; what they
    send may be on its way for a while, so half a timeout of silence is taken for a reason."""
    closing = {operation.session_id for operation in history.operations if operation.kind is Kind.CLOSE}
    for life in history.sessions.values():
        # One whose end was asked for may have ended, though nobody was told.
        if life.ended == "expired" and life.session_id not in closing:
            silence_s = max(life.silence_s, life.ended_s - life.heard_s)
            _require(silence_s * 2000 > life.timeout_ms, f"{life} expired though its client was never silent for long")


def check_acknowledged(history: History, data: dict[str, tuple[bytes, int, int]]) -> None:
    """Everything acknowledged is there, or was replaced by something later.

    `data` has of each path its value, mzxid and ephemeral owner.
    """
    last: dict[str, Operation] = {}
    for write in history.acknowledged_writes():
        if write.kind in (Kind.SET, Kind.MULTI):
            for path in write.values:
                if path not in last or last[path].zxid < write.zxid:
                    last[path] = write
        elif write.kind is Kind.CREATE_SEQUENTIAL:
            assert isinstance(write.result, str)
            _require(write.result in data, f"{write} was acknowledged and is gone")
    for path, write in last.items():
        _require(path in data, f"{path} is gone, last written by {write}")
        value, mzxid, _ = data[path]
        _require(mzxid >= write.zxid, f"{path} is at {mzxid:#x}, but {write} was acknowledged")
        if mzxid == write.zxid:
            _require(value == write.values[path], f"{path} holds {value!r}, put was {write}")


def check_final(history: History, data: dict[str, tuple[bytes, int, int]], sessions: set[int]) -> None:
    """The tree at the end, all servers healthy: nothing acknowledged is missing, and an ephemeral lives as long as its
    session."""
    check_acknowledged(history, data)
    for path, (_, _, owner) in data.items():
        if owner:
            _require(owner in sessions, f"{path} is left behind by session {owner:#x}, which is over")
    for life in history.sessions.values():
        if life.session_id in sessions:
            _require(not life.ended, f"session {life.session_id:#x} lives, its client was told that it {life.ended}")
            for path, created in life.ephemerals.items():
                deletes = [
                    done
                    for done in history.operations
                    if done.kind is Kind.DELETE and done.path == path and done.code in (0, None)
                ]
                if not deletes:
                    _require(path in data, f"{path} is gone though its session lives, {created}")


def write_count(history: History) -> int:
    """Acknowledged ones, for the run's summary."""
    return sum(1 for operation in history.operations if operation.kind in WRITES and operation.is_acknowledged)
