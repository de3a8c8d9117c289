"""Whether operations on one key could have happened one after the other, each at a moment between call and return.

A key is modelled as (value, mod_revision, lease): deterministic but for the revision of a write of unknown result,
which the first operation that tells it fixes. Operations of unknown result may be placed at any time after the call,
or left out. The search is that of Wing and Gong with Lowe's memory of what was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.etcd.guarantees.history import (
    NEVER,
    Delete,
    Exchange,
    Get,
    Operation,
    Pair,
    PutAll,
    Request,
    Revoke,
    Violation,
)

STEPS_MAX = 2_000_000
"""The search is exponential in the operations that overlap; no history here comes near it."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """`value` None: missing, with `revision` that of the deletion. `revision` None: nobody has told yet."""

    value: bytes | None
    revision: int | None
    lease: int


def check_keys(operations: Sequence[Operation], initial: dict[bytes, Pair]) -> list[Violation]:
    """Each key by itself, and then what the revisions say of all of them together."""
    found: list[Violation] = []
    leases = _keys_by_lease(operations)
    of_key: dict[bytes, list[Operation]] = {}
    for operation in operations:
        for key in _keys(operation.request, leases):
            of_key.setdefault(key, []).append(operation)
    for key, own in sorted(of_key.items()):
        if not is_linearizable(key, own, initial.get(key)):
            found.append(Violation("linearizable", f"the {len(own)} operations on {key!r} have no order"))
    return found + check_revisions(operations)


def check_revisions(operations: Sequence[Operation]) -> list[Violation]:
    """Revisions go with real time: who is called after another's return sees its revision at least."""
    found: list[Violation] = []
    answered = [operation for operation in operations if operation.result is not None]
    returns = sorted(answered, key=lambda operation: operation.returned)
    floor = 0
    witness: Operation | None = None
    position = 0
    for operation in sorted(answered, key=lambda operation: operation.called):
        while position < len(returns) and returns[position].returned < operation.called:
            result = returns[position].result
            assert result is not None
            if result.revision > floor:
                floor = result.revision
                witness = returns[position]
            position += 1
        result = operation.result
        assert result is not None
        if result.revision < floor or (result.has_changed and result.revision == floor):
            found.append(Violation("linearizable", f"{operation} was called after the return of {witness}"))
    return found


def is_linearizable(key: bytes, operations: Sequence[Operation], before: Pair | None) -> bool:
    ordered = sorted(operations, key=lambda operation: operation.called)
    required = 0
    for position, operation in enumerate(ordered):
        if operation.result is not None:
            required |= 1 << position
    start = KeyState(None, None, 0) if before is None else KeyState(before.value, before.mod_revision, before.lease)
    pending = [(0, start)]
    tried: set[tuple[int, KeyState]] = {(0, start)}
    steps = 0
    while pending:
        done, state = pending.pop()
        if done & required == required:
            return True
        for position in reversed(_candidates(ordered, done)):
            steps += 1
            if steps > STEPS_MAX:
                raise AssertionError(f"no decision on {key!r} in {STEPS_MAX} steps")
            after = step(key, ordered[position], state)
            if after is None:
                continue
            following = (done | 1 << position, after)
            if following not in tried:
                tried.add(following)
                pending.append(following)
    return False


def _candidates(ordered: Sequence[Operation], done: int) -> list[int]:
    """Those that may come next: called before any that is left has returned."""
    found: list[int] = []
    first_return = NEVER + 1
    position = 0
    # The operations that are done from the beginning on are passed over at once.
    lowest_open = ~done & (done + 1)
    position = lowest_open.bit_length() - 1
    for at in range(position, len(ordered)):
        if done >> at & 1:
            continue
        operation = ordered[at]
        if operation.called > first_return:
            break
        found.append(at)
        if operation.result is not None:
            first_return = min(first_return, operation.returned)
    return found


def step(key: bytes, operation: Operation, state: KeyState) -> KeyState | None:
    """The key after the operation, or None when it cannot have happened here."""
    request, result = operation.request, operation.result
    revision = None if result is None else result.revision
    if isinstance(request, Get):
        assert result is not None, "gets of unknown result are not recorded"
        return _seen(state, result.pair, result.revision)
    if revision is not None and state.revision is not None and revision < state.revision:
        return None
    if result is not None and result.has_changed and revision == state.revision:
        return None
    if isinstance(request, PutAll):
        value = dict(request.pairs)[key]
        return KeyState(value, revision, request.lease)
    if isinstance(request, Delete):
        if result is not None and result.has_changed != (state.value is not None):
            return None
        return state if state.value is None else KeyState(None, revision, 0)
    if isinstance(request, Revoke):
        return KeyState(None, None, 0) if state.value is not None and state.lease == request.lease else state
    return _exchange(request, operation, state)


def _exchange(request: Exchange, operation: Operation, state: KeyState) -> KeyState | None:
    result = operation.result
    if state.value is None:
        holds: bool | None = request.expected_revision == 0
    elif state.revision is None:
        holds = None if request.expected_revision else False
    else:
        holds = state.revision == request.expected_revision
    if result is None:
        # What nobody has told yet is taken as equal: a search for some order may choose.
        if holds is False:
            return state
        return KeyState(request.value, None, 0)
    is_delete_of_nothing = request.value is None and state.value is None
    if result.has_changed or (is_delete_of_nothing and result.pair is None and holds):
        if holds is False:
            return None
        return state if is_delete_of_nothing else KeyState(request.value, result.revision, 0)
    if holds is True:
        return None
    after = _seen(state, result.pair, result.revision)
    if after is not None and after.value is not None and after.revision == request.expected_revision:
        return None
    return after


def _seen(state: KeyState, pair: Pair | None, revision: int) -> KeyState | None:
    if state.revision is not None and revision < state.revision:
        return None
    if pair is None:
        return state if state.value is None else None
    if pair.value != state.value or (state.revision is not None and pair.mod_revision != state.revision):
        return None
    return KeyState(pair.value, pair.mod_revision, state.lease)


def _keys_by_lease(operations: Sequence[Operation]) -> dict[int, set[bytes]]:
    found: dict[int, set[bytes]] = {}
    for operation in operations:
        request = operation.request
        if isinstance(request, PutAll) and request.lease:
            found.setdefault(request.lease, set()).update(key for key, _ in request.pairs)
    return found


def _keys(request: Request, leases: dict[int, set[bytes]]) -> set[bytes]:
    if isinstance(request, PutAll):
        return {key for key, _ in request.pairs}
    if isinstance(request, Revoke):
        return leases.get(request.lease, set())
    return {request.key}
