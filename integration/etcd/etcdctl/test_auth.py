"""user, role and auth: what each changes, what it allows and what it refuses."""

from __future__ import annotations

from integration.etcd.etcdctl.transcript import Session, check_same, play_text
from integration.peers.etcd import EtcdServer

USERS_AND_ROLES = """
* auth status
auth enable
auth disable
* user add root --new-user-password=rootpw
auth enable
* role add root
* user grant-role root root
* user grant-role root root
* user add alice --new-user-password=alicepw
user add alice --new-user-password=again
user add "" --new-user-password=x
user add bob:bobpw
user add cert --no-password
user add empty --new-user-password=
user add
user add a b --new-user-password=x
* user list
* user get root
* user get nobody
user get
* role add reader
role add reader
role add ""
role add
* role grant-permission reader read key
role grant-permission reader read a d
role grant-permission reader readwrite dir/ --prefix
role grant-permission reader write z --from-key
role grant-permission reader write ""
role grant-permission reader write b a
role grant-permission reader fly b
role grant-permission nobody read b
role grant-permission reader
role grant-permission reader read "" --prefix
role grant-permission reader write key
* role get reader
* role get nobody
* role list
* role revoke-permission reader key
role revoke-permission reader key
role revoke-permission reader a d
role revoke-permission reader dir/ --prefix
role revoke-permission reader z --from-key
role revoke-permission nobody key
* user grant-role alice reader
user grant-role alice nobody
user grant-role nobody reader
user get alice --detail
* user revoke-role alice reader
user revoke-role alice reader
user revoke-role nobody reader
user grant-role alice reader
* role delete reader
role delete reader
user get alice
* user delete bob
user delete bob
user delete
"""

ENABLED = """
put key 0
put other 0
put dir/a 0
user add root:rootpw
role add root
user grant-role root root
user add alice:alicepw
role add r
role grant-permission r readwrite key
role grant-permission r read dir/ --prefix
role grant-permission r write w
user grant-role alice r
user add nopw --no-password
auth enable
auth enable
put key 1
get key
auth status
--user root:rootpw auth status
--user root:rootpw auth status -w json
--user root:rootpw put key 1
--user root:wrong get key
--user nobody:x get key
--user nopw:x get key
--user alice:alicepw put key 2
--user alice:alicepw get key
--user alice --password alicepw get key
--user alice:alicepw put other 2
--user alice:alicepw get other
--user alice:alicepw get dir/ --prefix
--user alice:alicepw get dir/ --prefix --count-only -w fields
--user alice:alicepw get dir --prefix
--user alice:alicepw get "" --from-key
--user alice:alicepw put dir/a 3
--user alice:alicepw put w 3
--user alice:alicepw put w 3 --prev-kv
--user alice:alicepw put key 3 --prev-kv
--user alice:alicepw del key --prev-kv
--user alice:alicepw del w
--user alice:alicepw del dir/ --prefix
--user alice:alicepw compaction 2
--user alice:alicepw user list
--user alice:alicepw user get alice
--user alice:alicepw user get root
--user alice:alicepw role get r
--user alice:alicepw role get root
--user alice:alicepw role list
--user alice:alicepw member list -w simple
--user alice:alicepw endpoint status
--user alice:alicepw endpoint health
--user alice:alicepw endpoint hashkv
--user alice:alicepw alarm list
--user alice:alicepw alarm disarm
--user alice:alicepw defrag
--user alice:alicepw snapshot save {folder}/no
--user alice:alicepw move-leader 1
--user alice:alicepw downgrade cancel
--user alice:alicepw lease list
--user alice:alicepw lease grant 600
--user alice:alicepw auth disable
--user alice:alicepw watch other --rev=1
endpoint health
member list
--user root:rootpw user delete root
--user root:rootpw role delete root
--user root:rootpw user revoke-role root root
--user root:rootpw user revoke-role alice r
--user alice:alicepw get key
--user root:rootpw auth disable
get key
auth status
"""


def test_users_roles_and_permissions(servers: list[EtcdServer]) -> None:
    """Everything that can be said about them, while nothing is enforced."""
    check_same(servers, play_text(USERS_AND_ROLES))


def test_what_is_allowed_while_auth_is_enabled(servers: list[EtcdServer]) -> None:
    """To root, to a user with a role, to a wrong password and to nobody."""
    check_same(servers, play_text(ENABLED))


def test_passwords_from_stdin(servers: list[EtcdServer]) -> None:
    """user add and user passwd as scripts use them."""

    def play(session: Session) -> None:
        session.run("user add root --interactive=false", stdin="first\n")
        session.run("user passwd root --interactive=false", stdin="second\n")
        session.run("user passwd nobody --interactive=false", stdin="x\n")
        session.run("role add root")
        session.run("user grant-role root root")
        session.run("auth enable")
        session.run("--user root:first get a")
        session.run("--user root:second get a")
        session.run("--user root:second user passwd root --interactive=false", stdin="third\n")
        session.run("--user root:second get a")
        session.run("--user root:third get a")

    check_same(servers, play)


def test_a_transaction_needs_what_all_its_parts_need(servers: list[EtcdServer]) -> None:
    """The branch not taken too, and the pairs that a compare or prev-kv reads."""

    def play(session: Session) -> None:
        for command in (
            "user add root:pw",
            "role add root",
            "user grant-role root root",
            "user add u:pw",
            "role add r",
        ):
            session.run(command)
        session.run("role grant-permission r readwrite k")
        session.run("user grant-role u r")
        session.run("auth enable")
        for text in (
            "\nput k 1\nget k\n\n\n",
            "\nput k 1\n\nput other 1\n\n",
            'mod("other") > "0"\n\nput k 1\n\n\n',
            "\nget other\n\n\n",
            "\ndel k --prev-kv\n\n\n",
        ):
            session.run("--user u:pw txn", stdin=text)

    check_same(servers, play)
