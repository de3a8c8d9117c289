"""One Machine with a durable log, and short ways to make it lead and to talk to it."""

from random import Random

from etcdcore.raft.machine import Machine
from etcdcore.raft.messages import (
    MSG_APPEND_RESPONSE,
    MSG_PRE_VOTE_RESPONSE,
    MSG_VOTE_RESPONSE,
    ConfState,
    Entry,
    HardState,
    Message,
)
from etcdcore.raft.replicator import ROLE_CANDIDATE, ROLE_PRE_CANDIDATE, RaftConfig
from etcdcore.raft.storage import MemoryStorage
from etcdcore.types import LogIndex, MemberId, Term

ME = MemberId(1)


def machine(
    *terms: int,
    voters: tuple[int, ...] = (1, 2, 3),
    learners: tuple[int, ...] = (),
    term: int = 0,
    commit: int = 0,
    vote: int = 0,
    pre_vote: bool = False,
    check_quorum: bool = False,
    inflight_max: int = 8,
    max_message_bytes: int = 1000,
) -> Machine:
    """Member 1, with these terms in its log."""
    storage = MemoryStorage(ConfState(tuple(MemberId(i) for i in voters), tuple(MemberId(i) for i in learners)))
    storage.append([Entry(LogIndex(i + 1), Term(t), data=b"old") for i, t in enumerate(terms)])
    storage.set_hard_state(HardState(Term(term), MemberId(vote), LogIndex(commit)))
    config = RaftConfig(ME, 10, 1, max_message_bytes, inflight_max, pre_vote, check_quorum)
    return Machine(config, storage, Random(1))


def say(one: Machine, kind: int, sender: int, term: int | None = None, **fields: object) -> list[Message]:
    """Steps one message, in the current term unless another is given; returns all that it causes."""
    message = Message(kind, ME, MemberId(sender), Term(one.term if term is None else term), **fields)  # type: ignore[arg-type]  # fields are checked where they are read
    one.step(message)
    return take(one)


def take(one: Machine) -> list[Message]:
    """All messages that wait, before and after the disk."""
    one.flush_appends()
    messages = one.before_persist + one.after_persist
    one.before_persist = []
    one.after_persist = []
    one.check_invariants()
    return messages


def write(one: Machine) -> None:
    """Makes everything durable."""
    entries = one.log.unstable.take_entries()
    assert isinstance(one.log.storage, MemoryStorage)
    one.log.storage.append(entries)
    if entries:
        one.persisted(entries[-1].index, entries[-1].term)
    one.check_invariants()


def apply_all(one: Machine) -> None:
    """Applies what is committed, but for membership changes."""
    for entry in one.log.take_committed():
        one.applied(entry.index)


def elect(one: Machine) -> None:
    """Makes it the leader by the votes of all voters; its first appends are dropped."""
    one.campaign()
    for role, kind, ahead in (
        (ROLE_PRE_CANDIDATE, MSG_PRE_VOTE_RESPONSE, 1),
        (ROLE_CANDIDATE, MSG_VOTE_RESPONSE, 0),
    ):
        for voter in one.tracker.config.all_voters():
            if one.role == role and voter != ME:
                say(one, kind, voter, one.term + ahead)
    take(one)
    write(one)
    take(one)


def acknowledge(one: Machine, sender: int, index: int) -> list[Message]:
    """A follower has everything up to the index."""
    return say(one, MSG_APPEND_RESPONSE, sender, index=LogIndex(index))


def kinds(messages: list[Message]) -> list[int]:
    return [message.kind for message in messages]
