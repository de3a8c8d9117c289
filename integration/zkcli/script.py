"""What is typed into zkCli: every command that a standalone server answers, its modes, and its errors.

FIRST and SECOND are two clients on one server; the second comes when the first has left, so that it finds what is
persistent and finds no ephemerals. A line starting with `--` is not typed: it names what follows.
"""

from __future__ import annotations

import base64
import hashlib


def digest_id(user_and_password: str) -> str:
    """The id under which ZooKeeper's digest scheme knows `user:password`."""
    digest = base64.b64encode(hashlib.sha1(user_and_password.encode()).digest()).decode()
    return f"{user_and_password.split(':')[0]}:{digest}"


SUPER_DIGEST = digest_id("super:test")
ALICE_DIGEST = digest_id("alice:secret")

FIRST = """
-- a fresh server
ls /
ls -s /zookeeper
ls -R /
stat /
get /zookeeper/config
config
config -s
version
whoami
getAllChildrenNumber /
getEphemerals

-- create in all modes
create /plain
create /app data
create /app/empty ""
create -s /app/seq- one
create -s /app/seq- two
create -s /app/
create -e /app/eph mine
create -e -s /app/eseq- mine
create -c /app/box
create -c /app/box/inner
create -t 3600000 /app/ttl kept
create -s -t 3600000 /app/ttlseq- kept
create /app/acl data world:anyone:cdrwa
create /app/limited data world:anyone:r
create /app/unicode žluť→😀
ls /app
ls -s /app
ls -R /
stat /app/eph
stat /app/box
stat /app/ttl
get /app/unicode
get -s /app
get -b /app
get -x /app
get /plain
getAllChildrenNumber /app
getEphemerals
getEphemerals /app
getEphemerals /elsewhere

-- creates that are refused
create /app data
create /missing/child data
create /app/eph/child data
create -e -c /app/both
create -e -t 1000 /app/both
create -t 0 /app/bad
create -t -5 /app/bad
create app data
create /app//double
create /app/../up
create /app/.
create /app/slash/
create /app/bad data world:anyone:xyz
create /app/bad data digest:nocolon:cdrwa
create /app/bad data ip:not.an.address:r
create /app/bad data nosuchscheme:x:cdrwa
create /app/bad data auth::cdrwa
create /zookeeper/mine data

-- set
set /app changed
set -s /app changed-again
set -v 2 /app third
set -v 1 /app wrong-version
set -s -v 3 /app fourth
set /missing data
set /app/limited data
get -s /app

-- watches that fire once
get -w /app
set /app watched
set /app not-watched-any-more
ls -w /app
create /app/child one
delete /app/child
stat -w /app/later
create /app/later
delete /app/later
stat -w /plain
set /plain x
delete /plain
get -w /app/child2
create /plain
ls -w /plain
delete /plain
config -w
printwatches

-- watches that stay
create /w
addWatch /w
create /w/a one
create /w/a/b two
set /w/a/b three
delete /w/a/b
addWatch -m PERSISTENT /w/a
set /w/a four
create /w/a/c
removewatches /w
create /w/quiet
removewatches /w
removewatches /w/a
removewatches /w/a -d
addWatch -m NONSENSE /w
addWatch /not/there/yet
get -w /w
ls -w /w
removewatches /w -d
removewatches /w -c
get -w /w
removewatches /w -a
set /w silent
deleteall /w

-- delete
delete /app
delete /missing
delete -v 7 /app/empty
delete -v 0 /app/empty
delete /app/eph
delete /
delete /zookeeper
delete /zookeeper/config
create /tree
create /tree/a
create /tree/a/b
create /tree/a/c
create /tree/d
deleteall /tree -b 2
ls /tree
deleteall /tree
deleteall /app/limited
getEphemerals

-- access
getAcl /
getAcl -s /app
getAcl /zookeeper/config
getAcl /missing
create /own mine
create /own/child mine
addauth digest alice:secret
whoami
setAcl /own auth::cdrwa
getAcl -s /own
setAcl -v 0 /own world:anyone:r
setAcl -s -v 1 /own auth:ignored:cdrwa,ip:127.0.0.1:r
getAcl /own
setAcl -R /own auth::cdrwa
getAcl /own/child
setAcl /own digest:nobody:wrong:x
setAcl /own
setAcl /missing world:anyone:r
create /shared data digest:ALICE:cdrwa
get /shared
create /noread data world:anyone:w
get /noread
ls /noread
stat /noread
getAcl /noread
set /noread written

-- quotas
create /quota data
create /quota/in 12345
setquota -n 3 /quota
listquota /quota
setquota -b 100 -N 5 -B 200 /quota
create /quota/in/a 123
set /quota more-data
listquota /quota
create -e /quota/e mine
delete /quota/in/a
listquota /quota
setquota -n 1 /quota
setquota -n 2 /quota/in
setquota -n 2 /
listquota /quota/in
delquota -n /quota
listquota /quota
delquota -b -N -B /quota
listquota /quota
delquota /quota
listquota /quota
ls -R /zookeeper
setquota -n 2 /quota/in
setquota -n 2 /quota
get /zookeeper/quota/quota/in/zookeeper_stats
delquota /quota/in
delquota /quota/in
delquota /missing
setquota -n 3 /missing
setquota -n 0 /quota
setquota -b x /quota
setquota /quota
setquota -n 1 /zookeeper/quota/x
setquota -n 1 quota
deleteall /quota

-- the rest
sync /
sync /app
sync /missing
listquota /app
listquota /
getAllChildrenNumber /missing
ls /missing
ls -R /missing
ls nopath
get nopath
get /app/
stat //
reconfig -add server.2=localhost:1:2;3
history
redo 4
nonsense
ls
create
set /app
get -q /app
quit
"""

SECOND = """
-- the next client finds the tree and none of the ephemerals
whoami
ls -R /
ls -s /app
stat /app/ttl
get /own
ls /own
set /own refused
create /own/more refused
delete /own/child
setAcl /own world:anyone:cdrwa
deleteall /own
get /shared
addauth digest alice:wrong
get /own
addauth digest alice:secret
get /own
get /shared
set /zookeeper/config x
addauth digest super:test
get /noread
setAcl /own world:anyone:cdrwa
getAcl /own
deleteall /own
deleteall /app
delete /shared
delete /noread
ls -R /
stat /
connect ADDRESS
ls /
close
ls /
quit
"""

REFUSED = """
addauth nosuchscheme x
ls /
"""
"""The end of a client whose scheme nobody knows; whether it hears of that before or in its next command is a race."""

ARGUMENTS = [
    ["create", "/argv", "from the command line"],
    ["get", "/argv"],
    ["ls", "-R", "/"],
    ["create", "/argv", "again"],
    ["get", "/missing"],
    ["deleteall", "/argv"],
]
"""Commands given as arguments: one client each, its output and its exit status."""


def commands(text: str, address: str) -> list[str]:
    """The lines that are typed."""
    lines = [line.strip().replace("ALICE", ALICE_DIGEST).replace("ADDRESS", address) for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("--")]
