"""The ledger itself catches what the kill tests look for: a lost write, half a multi, a hole, a changed zxid."""

from dataclasses import replace

import pytest

from integration.conformance import wire
from integration.durability.bridge_ledger import OK, Ledger, LedgerBroken, Request, Seen, Step

ROOT = "/c"


def _set(path: str, data: bytes) -> Step:
    return Step(wire.SET_DATA, path, data)


@pytest.fixture
def ledger() -> Ledger:
    """Two nodes and a value acknowledged; then, unanswered: a value, and a multi of two values."""
    ledger = Ledger(ROOT)
    requests = [
        Request((Step(wire.CREATE2, ROOT),)),
        Request((Step(wire.CREATE2, f"{ROOT}/a", b"0"),)),
        Request((_set(f"{ROOT}/a", b"1"),)),
        Request((_set(f"{ROOT}/a", b"2"),)),
        Request((_set(f"{ROOT}/a", b"3"), _set(ROOT, b"3")), is_multi=True),
    ]
    for xid, request in enumerate(requests):
        ledger.send(xid, request)
    for xid in range(3):
        ledger.acknowledge(xid, OK)
    ledger.learn_zxids(f"{ROOT}/a", 5, 6)
    return ledger


def _seen(ledger: Ledger, taken: int) -> dict[str, Seen]:
    """What a server shows on which so many of the unanswered requests took effect."""
    tree = ledger.sent[taken - 1].after if taken else ledger.acknowledged
    return {path: Seen(node, 5, 6 + taken) for path, node in tree.nodes.items()}


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_any_first_part_of_what_was_unanswered_is_accepted(ledger: Ledger, taken: int) -> None:
    ledger.settle(_seen(ledger, taken))
    assert ledger.effective_count == taken and not ledger.sent


def test_a_lost_write_half_a_multi_and_a_changed_zxid_are_not(ledger: Ledger) -> None:
    acknowledged, all_of_it = _seen(ledger, 0), _seen(ledger, 2)
    leaf = acknowledged[f"{ROOT}/a"]
    older = replace(leaf, node=replace(leaf.node, data=b"0", version=0))
    for broken in (
        {ROOT: acknowledged[ROOT]},
        {**acknowledged, f"{ROOT}/a": older},
        {**all_of_it, ROOT: acknowledged[ROOT]},
        {**acknowledged, ROOT: all_of_it[ROOT]},
        {**acknowledged, f"{ROOT}/a": replace(leaf, mzxid=7)},
        {**acknowledged, f"{ROOT}/b": leaf},
    ):
        with pytest.raises(LedgerBroken):
            ledger.settle(broken)
