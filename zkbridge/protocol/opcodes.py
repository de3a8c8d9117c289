"""Operation codes of the client port. Source: ZooKeeper ZooDefs.OpCode, reference section 2.2."""

from typing import Final

CREATE: Final = 1
DELETE: Final = 2
EXISTS: Final = 3
GET_DATA: Final = 4
SET_DATA: Final = 5
GET_ACL: Final = 6
SET_ACL: Final = 7
GET_CHILDREN: Final = 8
SYNC: Final = 9
PING: Final = 11
GET_CHILDREN2: Final = 12
CHECK: Final = 13
MULTI: Final = 14
CREATE2: Final = 15
RECONFIG: Final = 16
CHECK_WATCHES: Final = 17
REMOVE_WATCHES: Final = 18
CREATE_CONTAINER: Final = 19
DELETE_CONTAINER: Final = 20
CREATE_TTL: Final = 21
MULTI_READ: Final = 22
AUTH: Final = 100
SET_WATCHES: Final = 101
SASL: Final = 102
GET_EPHEMERALS: Final = 103
GET_ALL_CHILDREN_NUMBER: Final = 104
SET_WATCHES2: Final = 105
ADD_WATCH: Final = 106
WHO_AM_I: Final = 107
CLOSE_SESSION: Final = -11
CREATE_SESSION: Final = -10
ERROR: Final = -1

PING_XID: Final = -2

SHORT_NAMES: Final[dict[int, str]] = {
    CREATE: "CREA",
    DELETE: "DELE",
    EXISTS: "EXIS",
    GET_DATA: "GETD",
    SET_DATA: "SETD",
    GET_ACL: "GETA",
    SET_ACL: "SETA",
    GET_CHILDREN: "GETC",
    SYNC: "SYNC",
    PING: "PING",
    GET_CHILDREN2: "GETC",
    CHECK: "CHEC",
    MULTI: "MULT",
    CREATE2: "CREA",
    RECONFIG: "RECO",
    CHECK_WATCHES: "CHKW",
    REMOVE_WATCHES: "REMW",
    CREATE_CONTAINER: "CREA",
    DELETE_CONTAINER: "DELE",
    CREATE_TTL: "CREA",
    MULTI_READ: "MLTR",
    SET_WATCHES: "SETW",
    SET_WATCHES2: "STW2",
    ADD_WATCH: "ADDW",
    GET_EPHEMERALS: "GETE",
    GET_ALL_CHILDREN_NUMBER: "GETACN",
    WHO_AM_I: "HOMI",
    CREATE_SESSION: "SESS",
    CLOSE_SESSION: "CLOS",
}
"""What `cons` prints as the last operation of a connection."""
