"""A store in a dictionary and the replicas fed from it: what the property tests of planning run on."""

from zkbridge.backend.interface import StoreEvent
from zkbridge.keyspace.changes import ReplicaLoader, changes_from_events
from zkbridge.keyspace.keys import Keyspace
from zkbridge.plan.plan import Plan
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica

KEYSPACE = Keyspace(b"/zk/")


class Store:
    """etcd's revisions, transactions and leases, as far as plans need them."""

    def __init__(self) -> None:
        self.revision = 100
        self.records: dict[bytes, StoreEvent] = {}

    def commit(self, plan: Plan) -> list[StoreEvent]:
        """One transaction: deletes, then puts. No key twice; a delete that deletes nothing has no event."""
        keys = [*plan.deletes, *(key for key, _, _ in plan.puts)]
        assert len(set(keys)) == len(keys), f"a key twice in one transaction: {keys}"
        assert keys, "an empty plan has no transaction"
        self.revision += 1
        events = [StoreEvent(False, key, b"", 0, self.revision, 0) for key in plan.deletes if key in self.records]
        assert len(events) == len(plan.deletes), "a plan deletes a key that is not there"
        for event in events:
            del self.records[event.key]
        for key, value, lease in plan.puts:
            old = self.records.get(key)
            created = self.revision if old is None else old.create_revision
            self.records[key] = StoreEvent(True, key, value, created, self.revision, lease)
            events.append(self.records[key])
        return events

    def load(self, page: int = 3) -> Replica:
        """A fresh replica from all keys, in key order."""
        replica = Replica()
        loader = ReplicaLoader(replica, KEYSPACE)
        records = [self.records[key] for key in sorted(self.records)]
        for start in range(0, len(records), page):
            loader.add(records[start : start + page])
        loader.finish(self.revision)
        return replica


class Writer:
    """A replica with plans in flight over it, a second one fed by events only, and their store."""

    def __init__(self) -> None:
        self.store = Store()
        self.replica = Replica()
        self.foreign = Replica()
        self.overlay = Overlay(self.replica)
        self.in_flight: list[tuple[Plan, int, list[StoreEvent]]] = []
        self.sequence = 0

    def submit(self, plan: Plan) -> None:
        """The store takes it at once; the replicas hear of it with `apply`."""
        if not plan.puts and not plan.deletes:
            assert not plan.changes
            return
        self.sequence += 1
        plan.seq = self.sequence
        self.overlay.record(plan)
        events = self.store.commit(plan)
        self.in_flight.append((plan, self.store.revision, events))

    def apply(self, count: int) -> None:
        """The oldest plans in flight reach the replicas."""
        for _ in range(min(count, len(self.in_flight))):
            plan, revision, events = self.in_flight.pop(0)
            self.replica.apply(revision, plan.changes)
            self.overlay.settle(plan)
            self.foreign.apply(revision, changes_from_events(events, self.foreign, KEYSPACE))

    def apply_all(self) -> None:
        self.apply(len(self.in_flight))


def image(replica: Replica) -> dict[str, object]:
    """Everything of a replica that a client can come to see, and its indexes."""
    replica.check_invariants()
    return {
        "zxid": replica.zxid,
        "znodes": {path: (znode.stat(), znode.data, znode.acl, znode.owner) for path, znode in replica.znodes.items()},
        "children": {path: znode.children for path, znode in replica.znodes.items()},
        "ephemerals": {owner: set(paths.ordered()) for owner, paths in replica.ephemerals.items() if len(paths)},
        "containers": set(replica.containers),
        "ttl_znodes": set(replica.ttl_znodes),
        "reborn": set(replica.reborn),
        "data_bytes": replica.data_bytes,
        "sessions": {
            session_id: (record.timeout_ms, record.password, record.bridge)
            for session_id, record in replica.sessions.items()
        },
    }
