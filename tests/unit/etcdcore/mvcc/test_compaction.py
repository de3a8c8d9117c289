"""What compaction removes, keeps and forgets. Source: reference section 2.5."""

import pytest

from etcdcore.mvcc.engine import KEY
from etcdcore.mvcc.revision import decode_record_key
from etcdcore.mvcc.store import Store
from etcdcore.storage.memory_engine import MemoryEngine


def make_store(script: str) -> tuple[MemoryEngine, Store]:
    """One revision for each word from 2 on: `a` puts, `-a` deletes."""
    engine = MemoryEngine()
    store = Store(engine)
    for word in script.split():
        if word.startswith("-"):
            store.delete(word[1:].encode())
        else:
            store.put(word.encode(), b"", 0)
        store.end_revision()
    return engine, store


def records(engine: MemoryEngine) -> str:
    """The revisions that are stored, tombstones with a minus."""
    words = []
    for stored_key, _ in engine.scan(KEY, b"", b""):
        main, _, is_tombstone = decode_record_key(stored_key)
        words.append(f"-{main}" if is_tombstone else str(main))
    return " ".join(words)


def run_through(store: Store, budget: int = 1) -> None:
    while not store.step_compaction(budget):
        store.check_invariants()
    store.check_invariants()


@pytest.mark.parametrize(
    ("script", "revision", "left"),
    [
        ("a a a", 1, "2 3 4"),
        ("a a a", 2, "2 3 4"),
        ("a a a", 3, "3 4"),
        ("a a a", 4, "4"),
        ("a -a b", 3, "-3 4"),
        ("a -a b", 4, "4"),
        ("a -a a b", 3, "-3 4 5"),
        ("a -a a b", 4, "4 5"),
        ("a -a b a b", 4, "4 5 6"),
        ("a -a a -a b", 6, "6"),
        ("a b a b", 5, "4 5"),
        ("a b a b", 4, "3 4 5"),
    ],
)
@pytest.mark.parametrize("budget", [1, 100])
def test_the_newest_record_of_each_key_stays_but_not_an_old_tombstone(
    script: str, revision: int, left: str, budget: int
) -> None:
    engine, store = make_store(script)
    assert store.compact(revision) is None
    run_through(store, budget)
    assert records(engine) == left


def test_compacting_again_removes_the_tombstone_that_was_spared() -> None:
    engine, store = make_store("a -a b")
    store.compact(3)
    run_through(store)
    assert b"a" in store.index
    store.compact(4)
    run_through(store)
    assert records(engine) == "4"
    assert list(store.index) == [b"b"]
    assert store.keys_between(b"\0", b"\0") == [b"b"]
    assert not store.stale


def test_a_key_put_again_while_compaction_runs_is_kept() -> None:
    engine, store = make_store("a -a b b")
    store.compact(5)
    store.put(b"a", b"new", 0)
    store.end_revision()
    run_through(store)
    assert records(engine) == "5 6"
    pair = store.key_now(b"a")
    assert pair is not None and (pair.create_revision, pair.version) == (6, 1)


def test_a_step_removes_no_more_than_its_budget_of_one_keys_history() -> None:
    engine, store = make_store("a " * 50)
    store.compact(51)
    counts = [50]
    while not store.step_compaction(7):
        counts.append(len(engine.scan(KEY, b"", b"")))
        store.check_invariants()
    assert counts == [50, 43, 36, 29, 22, 15, 8]
    assert records(engine) == "51"


def test_a_compaction_goes_on_after_a_restart() -> None:
    engine, store = make_store("a a b a b -b c")
    store.compact(7)
    store.step_compaction(1)
    engine.commit()
    again = Store(engine)
    assert (again.compacted_revision, again.current_revision) == (7, 8)
    assert again.compaction is not None
    run_through(again)
    assert records(engine) == "5 -7 8"
    assert Store(engine).compaction is None


def test_a_newer_compaction_takes_over_one_that_is_not_done() -> None:
    engine, store = make_store("a a b b a b")
    store.compact(4)
    store.step_compaction(1)
    store.compact(7)
    run_through(store)
    assert records(engine) == "6 7"


def test_revisions_do_not_go_back_when_the_newest_record_is_compacted_away() -> None:
    engine, store = make_store("a -a")
    store.compact(3)
    run_through(store)
    engine.commit()
    again = Store(engine)
    assert again.current_revision == 3
    again.put(b"b", b"", 0)
    again.end_revision()
    again.compact(4)
    run_through(again)
    engine.commit()
    assert Store(engine).current_revision == 4
