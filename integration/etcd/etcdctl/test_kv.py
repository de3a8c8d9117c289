"""put, get, del, txn and compaction, with all their flags."""

from __future__ import annotations

from integration.etcd.etcdctl.transcript import Session, check_same, play_text
from integration.peers.etcd import EtcdServer

PUTS = """
* put a 1
* put a 2 --prev-kv
put a --ignore-value
put a --ignore-value 3
put nothing --ignore-value
put a 3 --ignore-lease
put nothing 3 --ignore-lease
put a 3 --lease=123
put a 3 --lease=zz
put a 4 --hex
put dir/1 one
put dir/2 two
put dir/3 three
put dir/3 drei
put e ""
put "with blank" "two\\nlines"
put
put a b c
put "" x
"""

GETS = """
* get a
* get nothing
* get dir/ --prefix
* get a dir/2
get a --hex
get dir/ --prefix --hex -w json
* get dir/ --prefix --keys-only
* get dir/ --prefix --count-only
get dir/ --prefix --print-value-only
* get dir/2 --from-key
get "" --from-key --keys-only
get "" --prefix --keys-only
get "" --prefix --limit=2 --keys-only
* get dir/ --prefix --limit=1
get dir/ --prefix --order=DESCEND --keys-only
get dir/ --prefix --order=ASCEND --keys-only
get dir/ --prefix --order=UP
get dir/ --prefix --sort-by=MODIFY --order=DESCEND --keys-only
get dir/ --prefix --sort-by=CREATE --keys-only
get dir/ --prefix --sort-by=VALUE
get dir/ --prefix --sort-by=VERSION --order=DESCEND --limit=1
get dir/ --prefix --sort-by=KEY --order=DESCEND --limit=2
get dir/ --prefix --sort-by=SIZE
* get a --rev=2
get a --rev=3
get a --rev=1
get a --rev=1000
get dir/ --prefix --rev=8 --keys-only
get "" --prefix --min-mod-rev=8 --keys-only
get "" --prefix --max-mod-rev=8 --keys-only
get "" --prefix --min-create-rev=7 --max-create-rev=8 --keys-only
get a --consistency=s
get a --consistency=l
get a --consistency=x
get a --prefix --from-key
get a b --prefix
get
get a b c
get a --print-value-only --keys-only
get a --count-only --keys-only
"""

DELETES = """
* del nothing
put d1 1
put d2 2
put d3 3
put d4 4
put d5 5
* del d1 --prev-kv
put d1 1
del d1 d3 --prev-kv
del d1 d4 --range
del d4 --prefix --prev-kv
del d --from-key --prefix
del d5 --from-key --prev-kv
put f/1 1
put f/2 2
* del f/ --prefix
put f/1 1
* del f/ --prefix --prev-kv
del
del ""
get "" --prefix
"""

COMPACTIONS = """
put k 1
put k 2
put k 3
put k 4
compaction 3
compaction 3
compaction 2
compaction 100
compaction 4 --physical
compaction
compaction x
get k --rev=3
get k --rev=4
get k --rev=2 -w json
watch k --rev=2
compaction 5
get k
"""


def test_put_and_get_with_every_flag(servers: list[EtcdServer]) -> None:
    """Outputs in all formats, errors and exit statuses included."""
    check_same(servers, play_text(PUTS + GETS))


def test_del_with_every_flag(servers: list[EtcdServer]) -> None:
    """Keys, intervals, prefixes, what was deleted."""
    check_same(servers, play_text(DELETES))


def test_compaction(servers: list[EtcdServer]) -> None:
    """And reads and watches of what it took."""
    check_same(servers, play_text(COMPACTIONS))


def test_put_takes_its_value_from_stdin(servers: list[EtcdServer]) -> None:
    """As in `etcdctl put key < file`."""

    def play(session: Session) -> None:
        session.run("put a", stdin="from stdin\n")
        session.run("get a -w json")

    check_same(servers, play)


TXNS = [
    'mod("k") > "0"\n\nput k overwritten\n\nput k created\nput other 1\n\n',
    'mod("k") > "0"\n\nput k overwritten\nget k\nget k --prefix\n\nput k created\n\n',
    'value("k") = "overwritten"\nver("k") = "2"\ncreate("k") != "0"\n\nget k\ndel other\n\nget other\n\n',
    'value("k") < "a"\n\nput never 1\n\nget k o --limit=1\nget "" --from-key\n\n',
    'lease("k") = "0"\n\ndel k --prev-kv\ndel zz --prefix\n\n\n',
    "\n\n\n",
    "\nput k 1\nput k 2\n\n\n",
    "\ndel k\nput k 2\n\n\n",
    "\nput k 1 --lease=77\n\n\n",
    "\nget k --rev=1000\n\n\n",
    'size("k") = "1"\n\n\n\n',
    'mod("k") > "x"\n\n\n\n',
    "\nwatch k\n\n\n",
    "\n" + "".join(f"put k{number} 1\n" for number in range(129)) + "\n\n",
]


def test_txn(servers: list[EtcdServer]) -> None:
    """Every kind of compare and request, what is refused, and the interactive form."""

    def play(session: Session) -> None:
        for number, text in enumerate(TXNS):
            session.run("* txn" if number < 6 else "txn", stdin=text)
            session.run("txn -i", stdin=text)
        session.run('* get "" --from-key')

    check_same(servers, play)
