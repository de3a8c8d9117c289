"""watch in its forms, make-mirror, and the environment that watch gives to the command it runs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from integration.etcd.etcdctl.transcript import FORMATS, Session, check_same
from integration.peers.etcd import Etcdctl, EtcdServer, RealEtcd
from integration.peers.process import wait_until

MIRROR_TIMEOUT_S = 20.0


def change(session: Session) -> None:
    """A put, an overwrite, a lease's key, a delete, and an end to wait for."""
    session.run("put a 1")
    session.run("put a 2")
    session.run("put other 1")
    session.run("put ab 3")
    session.run("del a")
    session.run("put a end")


@pytest.mark.parametrize("output", [name for name in FORMATS if name != "table"])
def test_watch_shows_events(servers: list[EtcdServer], output: str) -> None:
    """From now on and from an old revision, a key and a prefix, with and without the pairs before."""

    def play(session: Session) -> None:
        change(session)
        end = "end|ZW5k"
        for flags in ("--rev=2", "--rev=2 --prev-kv", "--prefix --rev=3", "--rev=4 --prev-kv --prefix"):
            with session.background(f"watch a {flags} -w {output}") as watch:
                watch.wait_output(end)
                watch.finish(signal.SIGINT)
        with session.background(f"watch a b -w {output} --rev=2") as watch:
            watch.wait_output(end)
            change(session)
            watch.wait_output(end, count=2)
            watch.finish(signal.SIGINT)

    check_same(servers, play)


def test_watch_says_why_it_is_canceled(servers: list[EtcdServer]) -> None:
    """A compacted revision, and arguments that are no watch."""

    def play(session: Session) -> None:
        change(session)
        session.run("compaction 5")
        for command in ("watch a --rev=3", "watch a --rev=3 -w json", "watch", "watch a --rev=x"):
            session.run(command)

    check_same(servers, play)


def test_interactive_watches_share_one_stream(servers: list[EtcdServer]) -> None:
    """watch -i, with options and progress requests typed in."""

    def play(session: Session) -> None:
        change(session)
        with session.background("watch --prev-kv -i", stdin=True) as watch:
            watch.type("watch a --rev=2")
            watch.wait_output("end")
            watch.type("watch --prev-kv --rev=2 a")
            watch.wait_output("end", count=2)
            watch.type("progress")
            watch.wait_output("progress notify: 7")
            watch.finish(signal.SIGINT)

    check_same(servers, play)


def test_watch_tells_progress_by_itself(servers: list[EtcdServer]) -> None:
    """With --progress-notify, each interval in which nothing else was told."""

    def play(session: Session) -> None:
        session.run("put a 1")
        with session.background("watch other --progress-notify") as watch:
            watch.wait_output("progress notify: 2\n", count=2)
            session.run("put other 1")
            watch.wait_output("progress notify: 3\n", count=2)
            watch.wait_output("PUT\nother\n1\nprogress notify: 3\n")

    check_same(servers, play)


def test_watch_runs_a_command_for_each_event(servers: list[EtcdServer]) -> None:
    """Its environment tells the revision, the kind, the key and the value."""

    def play(session: Session) -> None:
        change(session)
        shown = "echo $ETCD_WATCH_REVISION $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE"
        with session.background(f"watch a --rev=2 -- sh -c '{shown}'") as watch:
            watch.wait_output('"end"')
            watch.finish(signal.SIGINT)

    check_same(servers, play)


def test_make_mirror_copies_and_follows(servers: list[EtcdServer], tmp_path: Path) -> None:
    """What was there and what comes, under another prefix, to a real etcd; deletes and transactions too."""
    with RealEtcd(tmp_path / "destination") as destination:

        def play(session: Session) -> None:
            mine = f"from-{session.server.kind}-{session.server.client_port}"
            copied = Etcdctl.of(destination)

            def held() -> list[str]:
                return copied("get", mine, "--prefix").replace(mine, "").splitlines()

            for number in range(150):
                session.run(f"put m/{number:03} {number}")
            session.run("put elsewhere 1")
            command = f"make-mirror --prefix m/ --dest-prefix {mine}/ {destination.client_url}"
            with session.background(command):
                wait_until(lambda: len(held()) == 300, MIRROR_TIMEOUT_S, "the mirror holds what was there")
                session.run("txn", stdin="\nput m/new 1\ndel m/000\n\n\n")
                session.run("del m/01 --prefix")
                session.run("put m/last 1")
                wait_until(lambda: "/last" in held(), MIRROR_TIMEOUT_S, "the mirror follows")
            session.note("the destination's copy", 0, "\n".join(held()))

        check_same(servers, play)
