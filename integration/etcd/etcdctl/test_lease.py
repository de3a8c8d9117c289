"""lease, lock and elect."""

from __future__ import annotations

import signal

from integration.etcd.etcdctl.transcript import FORMATS, TTL_S, Session, check_same
from integration.peers.etcd import Etcdctl, EtcdServer
from integration.peers.process import wait_until

GRANTED = r"lease ([0-9a-f]+) granted"


def test_lease_commands(servers: list[EtcdServer]) -> None:
    """grant, list, timetolive, keep-alive, revoke: in all formats, with and without keys, and what is refused."""

    def play(session: Session) -> None:
        for name in FORMATS[1:]:
            session.run(f"lease grant {TTL_S} -w {name}")
        session.run(f"lease grant {TTL_S}", remember="lease", pattern=GRANTED)
        session.run("put b 1 --lease={lease}")
        session.run("put a 1 --lease={lease} -w json")
        session.run("* lease timetolive {lease}")
        session.run('get --prefix "" --keys-only')
        session.run("del b")
        # Of several keys etcd keeps no order.
        session.run("* lease timetolive {lease} --keys")
        session.run("get a -w json")
        session.run("* lease keep-alive {lease} --once")
        with session.background("lease keep-alive {lease}") as renewals:
            renewals.wait_output("keepalived")
            renewals.finish(signal.SIGINT)
        session.run("* lease list")
        session.run("* lease revoke {lease}")
        session.run("* lease timetolive {lease}")
        session.run("lease keep-alive {lease} --once")
        session.run("lease keep-alive {lease}")
        session.run("put a 1 --lease={lease}")
        session.run('get "" --from-key')
        session.run("lease grant 9000000001")
        for command in ("lease grant", "lease grant x", "lease grant 1 2", "lease revoke", "lease revoke x"):
            session.run(command)
        for command in ("lease timetolive", "lease timetolive x", "lease keep-alive", "lease keep-alive x --once"):
            session.run(command)
        session.run("lease grant 1")
        session.run("lease grant -- -5")

    check_same(servers, play)


def test_lock_lets_one_in_after_the_other(servers: list[EtcdServer]) -> None:
    """The key of the holder, the one that waits, and a command that runs under the lock."""

    def play(session: Session) -> None:
        with session.background("lock name") as first:
            first.wait_output("name/")
            with session.background("lock name") as second:
                etcdctl = Etcdctl.of(session.server)
                wait_until(
                    lambda: len(etcdctl("get", "name", "--prefix", "--keys-only").split()) == 2, 10, "the second waits"
                )
                session.run("get name --prefix --count-only -w fields")
                assert second.output() == ""
                first.finish(signal.SIGINT)
                second.wait_output("name/")
                second.finish(signal.SIGINT)
        session.run("lock name sh -c 'echo inside; exit 7'")
        session.run("lock name --ttl=5 -- sh -c 'echo $ETCD_LOCK_REV'")
        session.run("lock")
        session.run("get name --prefix")

    check_same(servers, play)


def test_elect_makes_one_leader_and_tells_who(servers: list[EtcdServer]) -> None:
    """A leader, an observer, a second one that comes to lead when the first is gone."""

    def play(session: Session) -> None:
        with session.background("elect office alice") as alice:
            alice.wait_output("alice")
            with session.background("elect office --listen") as observer:
                observer.wait_output("alice")
                with session.background("elect office bob") as bob:
                    alice.finish(signal.SIGINT)
                    bob.wait_output("bob")
                    observer.wait_output("bob")
                    bob.finish(signal.SIGINT)
                observer.finish(signal.SIGINT)
        session.run("elect office")
        session.run("elect")
        session.run("get office --prefix")

    check_same(servers, play)
