"""Rounds of reads."""

from etcdcore.raft.read_index import WAITING_MAX, ReadRequest, ReadRounds
from etcdcore.types import LogIndex, MemberId

ME, PEER = MemberId(1), MemberId(2)


def contexts(requests: list[ReadRequest]) -> list[bytes]:
    return [request.context for request in requests]


def test_a_read_never_joins_a_round_that_has_started() -> None:
    rounds = ReadRounds()
    rounds.add(ReadRequest(ME, b"a"))
    rounds.start(LogIndex(5), ME)
    rounds.add(ReadRequest(PEER, b"b"))
    assert contexts(rounds.finish()) == [b"a"]
    assert contexts(rounds.waiting) == [b"b"]


def test_an_answer_of_an_earlier_round_does_not_count() -> None:
    rounds = ReadRounds()
    rounds.add(ReadRequest(ME, b"a"))
    rounds.start(LogIndex(5), ME)
    late = rounds.context()
    rounds.finish()
    rounds.add(ReadRequest(ME, b"b"))
    rounds.start(LogIndex(6), ME)
    assert not rounds.acknowledge(PEER, late)
    assert not rounds.acknowledge(PEER, b"")
    assert rounds.acks == {ME: True}
    assert rounds.acknowledge(PEER, rounds.context())
    assert rounds.acks == {ME: True, PEER: True}


def test_a_round_of_a_former_term_does_not_count_either() -> None:
    rounds = ReadRounds()
    rounds.add(ReadRequest(ME, b"a"))
    rounds.start(LogIndex(5), ME)
    late = rounds.context()
    rounds.reset()
    assert not rounds.acknowledge(PEER, late)
    rounds.add(ReadRequest(ME, b"b"))
    rounds.start(LogIndex(6), ME)
    assert not rounds.acknowledge(PEER, late)


def test_waiting_reads_are_bounded() -> None:
    rounds = ReadRounds()
    for _ in range(WAITING_MAX + 5):
        rounds.add(ReadRequest(ME, b""))
    assert len(rounds.waiting) == WAITING_MAX
