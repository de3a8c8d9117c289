"""Long seeded walks over few paths, which meet the odd cases (reborn znodes, ephemerals that change hands) often."""

import random

import pytest

from tests.property.plan.test_replicas_agree import SESSIONS, run_script
from tests.property.plan.world import image
from zkbridge.jute.multi import MultiOperation
from zkbridge.jute.records import (
    ACL,
    CheckVersionRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    Id,
    SetACLRequest,
    SetDataRequest,
)

_PATHS = ("/", "/a", "/b", "/a/x", "/a/y", "/a/x/1", "/b/x", "/zookeeper", "/zookeeper/config", "/zookeeper/quota/q")
_ACLS = (
    [ACL(31, Id("world", "anyone"))],
    [ACL(31, Id("digest", "u:h")), ACL(1, Id("world", "anyone"))],
    [ACL(-1, Id("ip", "10.0.0.0/8"))],
)
_STEPS = 120


class _Walk:
    """Draws requests from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def path(self) -> str:
        return self._random.choice(_PATHS)

    def data(self) -> bytes | None:
        return self._random.choice((None, b"", b"some", b"d" * 200))

    def acl(self) -> list[ACL]:
        return self._random.choice(_ACLS)

    def version(self) -> int:
        return self._random.choice((-1, -1, -1, -1, 0, 1))

    def create(self) -> tuple[int, CreateRequest]:
        flags = self._random.choice((0, 0, 0, 1, 1, 2, 3, 4))
        return self._random.choice((1, 15, 19)), CreateRequest(self.path(), self.data(), self.acl(), flags)

    def operation(self) -> tuple[int, MultiOperation]:
        draw = self._random.random()
        if draw < 0.4:
            return self.create()
        if draw < 0.45:
            flags = self._random.choice((0, 5, 6))
            return 21, CreateTTLRequest(self.path(), self.data(), self.acl(), flags, 5_000)
        if draw < 0.7:
            return 2, DeleteRequest(self.path(), self.version())
        if draw < 0.9:
            return 5, SetDataRequest(self.path(), self.data(), self.version())
        return 13, CheckVersionRequest(self.path(), self.version())

    def multi(self) -> list[tuple[int, MultiOperation]]:
        operations = [self.operation() for _ in range(self._random.randint(1, 3))]
        if self._random.random() < 0.5:
            path = self.path()
            reborn = CreateRequest(path, self.data(), self.acl(), self._random.choice((0, 1)))
            return [(2, DeleteRequest(path, -1)), (1, reborn), *operations[1:]]
        return operations

    def request(self) -> tuple[str, object]:
        draw = self._random.random()
        if draw < 0.28:
            return "create", self.create()
        if draw < 0.42:
            return "delete", DeleteRequest(self.path(), self.version())
        if draw < 0.55:
            return "set_data", SetDataRequest(self.path(), self.data(), self.version())
        if draw < 0.65:
            return "set_acl", SetACLRequest(self.path(), self.acl(), self.version())
        if draw < 0.90:
            return "multi", self.multi()
        if draw < 0.91:
            return "reap", self.path()
        if draw < 0.98:
            return "open", None
        if draw < 0.985:
            return "change", self._random.randrange(4_000, 40_000)
        return "close", None

    def script(self) -> list[tuple[int, tuple[str, object], int]]:
        return [
            (self._random.choice(SESSIONS), self.request(), self._random.choice((0, 0, 0, 1, 2, 3)))
            for _ in range(_STEPS)
        ]


@pytest.mark.parametrize("seed", range(0, 100, 10))
def test_long_walks_keep_every_view_of_the_tree_equal(seed: int) -> None:
    for walk in range(seed, seed + 10):
        script = _Walk(walk).script()
        in_flight, outcomes_in_flight = run_script(script, True)
        one_by_one, outcomes_one_by_one = run_script(script, False)
        assert outcomes_in_flight == outcomes_one_by_one, f"seed {walk}"
        expected = image(in_flight.replica)
        assert image(in_flight.foreign) == expected, f"seed {walk}"
        assert image(in_flight.store.load()) == expected, f"seed {walk}"
        assert image(one_by_one.replica) == expected, f"seed {walk}"
        assert in_flight.overlay.pending_count() == 0, f"seed {walk}"
        assert in_flight.overlay.pending_ephemeral_count() == 0, f"seed {walk}"
