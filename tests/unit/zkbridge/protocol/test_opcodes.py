"""The table of opcodes, against the tables that answer them and the rooms that keep numbers of their own."""

import pytest

from zkbridge.jute import multi
from zkbridge.plan import plan
from zkbridge.protocol import opcodes
from zkbridge.server.read_requests import ReadRequests
from zkbridge.server.statistics import Namespaces
from zkbridge.server.write_requests import WriteRequests
from zkbridge.tree.replica import Replica
from zkbridge.watches.table import WatchTable

ALL = {
    name: value for name, value in vars(opcodes).items() if isinstance(value, int) and name not in ("PING_XID", "ERROR")
}
IN_THE_DISPATCHER = {opcodes.AUTH, opcodes.SASL, opcodes.SYNC}
NEVER_FROM_A_CLIENT = {opcodes.CREATE_SESSION, opcodes.DELETE_CONTAINER}
ONLY_IN_A_MULTI = {opcodes.CHECK}


def test_every_opcode_is_answered_in_exactly_one_place() -> None:
    reads = set(ReadRequests(Replica(), WatchTable(), Namespaces()).handlers)
    places = [reads, set(WriteRequests.opcodes), IN_THE_DISPATCHER, NEVER_FROM_A_CLIENT, ONLY_IN_A_MULTI]
    for name, opcode in ALL.items():
        assert sum(opcode in place for place in places) == 1, name
    assert set().union(*places) == set(ALL.values())


def test_no_two_names_have_one_number() -> None:
    assert len(set(ALL.values())) == len(ALL)


@pytest.mark.parametrize("module", [multi, plan])
def test_the_numbers_that_codec_and_planners_keep_are_the_tables(module: object) -> None:
    own = {name[3:]: value for name, value in vars(module).items() if name.startswith("OP_")}
    own.pop("SETTLE_PARENTS", None)  # the server's own, no client knows it
    assert own
    assert own == {name: getattr(opcodes, name) for name in own}


def test_every_opcode_that_a_session_may_send_has_a_short_name() -> None:
    silent = {opcodes.AUTH, opcodes.SASL}
    assert set(ALL.values()) - silent == set(opcodes.SHORT_NAMES)
