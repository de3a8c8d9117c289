"""Store, lessor and applier against a model that keeps a whole dict for each revision."""

from hypothesis import given, settings
from hypothesis import strategies as st

from etcdcore.apply.applier import Applier
from etcdcore.apply.commands import (
    EQUAL,
    TARGET_VERSION,
    Command,
    Compaction,
    Compare,
    DeleteRange,
    LeaseGrant,
    LeaseRevoke,
    Op,
    Put,
    Range,
    Txn,
)
from etcdcore.apply.results import RangeResult
from etcdcore.errors import CoreError
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.store import Store
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyEvent, KeyValue

KEYS = [b"a", b"ab", b"b", b"c", b"c\0", b"d"]
ENDS = [b"", b"\0", b"b", b"c", b"d", b"e"]

State = dict[bytes, KeyValue]


class Model:
    """What etcd promises, written without any thought of speed."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {1: {}}
        self.revision = 1
        self.compacted = -1
        self.leases: set[int] = set()

    def in_range(self, state: State, key: bytes, end: bytes) -> list[bytes]:
        if not end:
            return [key] if key in state else []
        return sorted(found for found in state if found >= key and (end == b"\0" or found < end))

    def apply(self, command: Command) -> list[tuple[int, bytes]] | None:
        """The kinds and keys of the events; None when refused."""
        if isinstance(command, LeaseGrant):
            if command.lease_id in self.leases:
                return None
            self.leases.add(command.lease_id)
            return []
        if isinstance(command, Compaction):
            if not self.compacted < command.revision <= self.revision:
                return None
            self.compacted = command.revision
            return []
        state = dict(self.states[self.revision])
        events: list[tuple[int, bytes]] = []
        if isinstance(command, LeaseRevoke):
            if command.lease_id not in self.leases:
                return None
            self.leases.discard(command.lease_id)
            for key in sorted(state):
                if state[key].lease == command.lease_id:
                    del state[key]
                    events.append((1, key))
        else:
            assert isinstance(command, Put | DeleteRange | Txn)
            ops = self.choose(command, self.states[self.revision])
            if any(isinstance(op, Put) and not self.may_put(op) for op in ops):
                return None
            for op in ops:
                self.execute(op, state, events)
        if events:
            self.revision += 1
            self.states[self.revision] = state
        return events

    def choose(self, op: Op, state: State) -> list[Op]:
        if not isinstance(op, Txn):
            return [op]
        held = all((state[c.key].version if c.key in state else 0) == c.operand for c in op.compares)
        return [inner for each in (op.success if held else op.failure) for inner in self.choose(each, state)]

    def may_put(self, put: Put) -> bool:
        if (put.ignore_value or put.ignore_lease) and put.key not in self.states[self.revision]:
            return False
        return put.lease == 0 or put.lease in self.leases

    def execute(self, op: Op, state: State, events: list[tuple[int, bytes]]) -> None:
        main = self.revision + 1
        if isinstance(op, Put):
            former = state.get(op.key)
            value = former.value if op.ignore_value and former else op.value
            lease = former.lease if op.ignore_lease and former else op.lease
            create = former.create_revision if former else main
            version = former.version + 1 if former else 1
            state[op.key] = KeyValue(op.key, create, main, version, value, lease)
            events.append((0, op.key))
        elif isinstance(op, DeleteRange):
            for key in self.in_range(state, op.key, op.range_end):
                del state[key]
                events.append((1, key))


keys = st.sampled_from(KEYS)
values = st.sampled_from([b"", b"x", b"yy"])
leases = st.sampled_from([0, 0, 7, -1])
puts = st.builds(Put, keys, values, leases) | st.builds(
    Put, keys, st.just(b""), st.just(0), st.booleans(), st.booleans(), st.booleans()
)
deletes = st.builds(DeleteRange, keys, st.sampled_from(ENDS), st.booleans())
compares = st.builds(Compare, st.just(TARGET_VERSION), st.just(EQUAL), keys, st.integers(0, 2))


def branches(inner: st.SearchStrategy[Op]) -> st.SearchStrategy[list[Op]]:
    """At most one delete or put of each key: what the static checks let pass."""
    return st.lists(inner, max_size=3, unique_by=lambda op: op.key if isinstance(op, Put | DeleteRange) else id(op))


flat = puts | st.builds(DeleteRange, keys)
txns = st.builds(Txn, st.lists(compares, max_size=2), branches(flat), branches(flat))
nested = st.builds(Txn, st.lists(compares, max_size=2), st.lists(txns, max_size=1), branches(flat))
commands = (
    puts
    | deletes
    | txns
    | nested
    | st.builds(LeaseGrant, st.sampled_from([7, -1]), st.just(5))
    | st.builds(LeaseRevoke, st.sampled_from([7, -1]))
    | st.builds(Compaction, st.integers(0, 30))
)


def kinds_and_keys(events: list[KeyEvent]) -> list[tuple[int, bytes]]:
    return [(event.kind, event.kv.key) for event in events]


def check_same(applier: Applier, model: Model) -> None:
    store = applier.store
    assert store.current_revision == model.revision
    assert store.compacted_revision == model.compacted
    assert set(applier.lessor.leases) == model.leases
    for revision, state in model.states.items():
        result = applier.apply(Range(b"\0", b"\0", revision=revision))
        if revision < model.compacted:
            assert isinstance(result, CoreError)
            continue
        assert isinstance(result, RangeResult)
        assert result.kvs == [state[key] for key in sorted(state)]
        assert result.count == len(state)
        for limit in (1, 2, 3):
            cut = applier.apply(Range(b"a\0", b"\0", limit, revision))
            after_a = [state[key] for key in sorted(state) if key > b"a"]
            assert isinstance(cut, RangeResult)
            assert (cut.kvs, cut.count, cut.more) == (after_a[:limit], len(after_a), len(after_a) > limit)
            assert store.page(b"a\0", b"\0", revision, limit) == after_a[:limit]
    applier.check_invariants()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(commands, st.integers(0, 9)), max_size=40))
def test_any_commands_leave_what_a_dict_for_each_revision_holds(script: list[tuple[Command, int]]) -> None:
    """Also across restarts at any point, and with compactions half done."""
    engine = MemoryEngine()
    applier = Applier(Store(engine), Lessor(engine))
    model = Model()
    for command, what_next in script:
        expected = model.apply(command)
        result = applier.apply(command)
        revision, events = applier.take_events()
        assert isinstance(result, CoreError) == (expected is None)
        assert revision == model.revision
        assert kinds_and_keys(events) == (expected or [])
        if what_next in (1, 2):
            applier.store.step_compaction(1)
        elif what_next == 3:
            while not applier.store.step_compaction(2):
                pass
        elif what_next == 4:
            applier.lessor.write()
            engine.commit()
            applier = Applier(Store(engine), Lessor(engine))
            check_same(applier, model)
    check_same(applier, model)
    while not applier.store.step_compaction(1):
        applier.check_invariants()
    check_same(applier, model)


@settings(max_examples=60, deadline=None)
@given(st.lists(commands, max_size=40), st.integers(1, 5))
def test_history_read_back_is_what_happened(script: list[Command], page: int) -> None:
    """Whole revisions, in order, from any point that is not compacted."""
    engine = MemoryEngine()
    applier = Applier(Store(engine), Lessor(engine))
    seen: list[list[KeyEvent]] = []
    for command in script:
        if not isinstance(command, Compaction):
            applier.apply(command)
            _, events = applier.take_events()
            if events:
                seen.append(events)
    first = 2
    read: list[list[KeyEvent]] = []
    while first <= applier.store.current_revision:
        revisions, first = applier.store.read_history(first, page, 1 << 20)
        assert 1 <= len(revisions) <= page
        read += revisions
    assert read == seen
