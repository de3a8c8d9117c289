"""What compaction removes, keeps and forgets. Source: reference section 2.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert not store.deleted


def test_a_key_put_again_while_compaction_runs_is_kept() -> None:
    engine, store = make_store("a -a b b")
    store.compact(5)
    store.put(b"a", b"new", 0)
    store.end_revision()
    run_through(store)
    assert records(engine) == "5 6"
    pair = store.key_now(b"a")
    assert pair is not None and (pair.create_revision, pair.version) == (6, 1)


def test_a_step_removes_no_more_than_its_budget() -> None:
    engine, store = make_store("a " * 50)
    store.compact(51)
    counts = [50]
    while not store.step_compaction(7):
        counts.append(len(engine.scan(KEY, b"", b"")))
        store.check_invariants()
    assert counts == [50, 43, 36, 29, 22, 15, 8, 1]
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


def test_a_tombstone_at_the_revision_of_one_that_is_taken_over_goes_too() -> None:
    engine, store = make_store("b a -a b c b")
    store.compact(4)
    store.step_compaction(1)
    assert store.compaction is not None
    assert records(engine) == "2 -4 5 6 7"
    store.compact(6)
    run_through(store)
    assert records(engine) == "5 6 7"
    assert not store.deleted


def test_a_removed_tombstone_that_was_replaced_later_does_no_harm() -> None:
    engine, store = make_store("a -a b a a")
    store.compact(4)
    run_through(store)
    assert records(engine) == "4 5 6"
    assert store.key_at(b"a", 4) is None
    found = store.key_at(b"a", 5)
    assert found is not None and found.mod_revision == 5
    engine.commit()
    for other in (store, Store(engine)):
        other.check_invariants()
    store.compact(6)
    run_through(store)
    assert records(engine) == "4 6"


@pytest.mark.parametrize("budget", [1, 100])
def test_a_key_deleted_and_put_in_the_compacted_revision_itself_leaves_its_put_alone(budget: int) -> None:
    engine, store = make_store("a")
    store.delete(b"a")
    store.put(b"a", b"", 0)
    store.end_revision()
    store.put(b"b", b"", 0)
    store.end_revision()
    for revision in (3, 4):
        store.compact(revision)
        run_through(store, budget)
        assert records(engine) == "3 4"


def test_what_a_key_held_at_the_last_compaction_goes_when_it_is_replaced() -> None:
    engine, store = make_store("a b c a")
    store.compact(4)
    run_through(store)
    assert records(engine) == "2 3 4 5"
    store.put(b"b", b"", 0)
    store.end_revision()
    store.compact(6)
    run_through(store)
    assert records(engine) == "4 5 6"


def expected_records(script: list[str], revision: int) -> str:
    """Of each key the newest word up to the revision, unless it deletes before it, and all that is later."""
    newest: dict[str, int] = {}
    for main, word in enumerate(script, 2):
        if main <= revision:
            newest[word.lstrip("-")] = main
    return " ".join(
        f"-{main}" if word.startswith("-") else str(main)
        for main, word in enumerate(script, 2)
        if main > revision or (newest[word.lstrip("-")] == main and (main == revision or not word.startswith("-")))
    )


@given(st.data())
def test_any_order_of_changes_compactions_steps_and_restarts_leaves_what_the_last_compaction_says(
    data: st.DataObject,
) -> None:
    engine = MemoryEngine()
    store = Store(engine)
    script: list[str] = []
    for action in data.draw(st.lists(st.sampled_from("abcdabcdabcdabcdCSSSSR"), max_size=60)):
        if action == "C":
            store.compact(data.draw(st.integers(max(store.compacted_revision, 0), store.current_revision)))
        elif action == "S":
            store.step_compaction(data.draw(st.integers(1, 4)))
        elif action == "R":
            engine.commit()
            store = Store(engine)
        else:
            key = action.encode()
            if store.exists(key) and data.draw(st.booleans()):
                store.delete(key)
                script.append("-" + action)
            else:
                store.put(key, b"", 0)
                script.append(action)
            store.end_revision()
        store.check_invariants()
    run_through(store, 3)
    if store.compacted_revision > 0:
        assert records(engine) == expected_records(script, store.compacted_revision)


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
