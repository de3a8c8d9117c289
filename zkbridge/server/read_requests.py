"""Requests that change nothing in the tree: decode, answer from the replica, register the watch in the same step.

Each handler takes the connection, the request's frame and the ids that the connection had when the request came, and
returns the reply's body or an error code. None awaits, so no change falls between the data that a client is given and
the watch that it is given with it (reference section 4.5, guarantee 6). All raise JuteError on a short request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from zkbridge.errors import BAD_ARGUMENTS, MARSHALLING_ERROR, NO_NODE, OK
from zkbridge.jute.multi import MultiReadRequest, MultiRequest
from zkbridge.jute.records import (
    AddWatchRequest,
    CheckWatchesRequest,
    ClientInfo,
    ExistsRequest,
    GetACLRequest,
    GetAllChildrenNumberRequest,
    GetChildren2Request,
    GetChildrenRequest,
    GetDataRequest,
    GetEphemeralsRequest,
    RemoveWatchesRequest,
    SetWatches,
    SetWatches2,
    WhoAmIResponse,
)
from zkbridge.jute.wire import JuteError, read_int
from zkbridge.protocol import opcodes
from zkbridge.protocol.replies import RefusedAnswer
from zkbridge.server.client import Client
from zkbridge.server.statistics import STAT_BYTES, Namespaces
from zkbridge.sessions.credentials import client_infos
from zkbridge.tree import reads
from zkbridge.tree.acl import READ, Credentials, check_acl
from zkbridge.tree.replica import Replica
from zkbridge.watches.resume import resume_watches
from zkbridge.watches.table import WatchTable

_BODY: Final = 8
"""Offset of a request's record behind its header."""

_EMPTY: Final = b""
_ADD_WATCH_DONE: Final = bytes(4)
_ADD_WATCH_PERSISTENT: Final = 0
_ADD_WATCH_RECURSIVE: Final = 1
_NEVER_WATCHED: Final = "no path"
"""What a null path is looked up as: a watcher type that is none is still found out first."""

COUNT_BYTES: Final = 4


def bytes_of_names(answer: bytes) -> int:
    """What ZooKeeper counts of a list of names: those alone, without their lengths."""
    return len(answer) - COUNT_BYTES - COUNT_BYTES * read_int(answer, 0)


ReadHandler = Callable[[Client, bytes, Credentials], bytes | int | RefusedAnswer]


@final
class ReadRequests:
    """One handler for each opcode, found in `handlers`."""

    __slots__ = ("_namespaces", "_replica", "_watches", "handlers")

    def __init__(self, replica: Replica, watches: WatchTable, namespaces: Namespaces) -> None:
        self._replica: Final = replica
        self._watches: Final = watches
        self._namespaces: Final = namespaces
        self.handlers: Final[dict[int, ReadHandler]] = {
            opcodes.EXISTS: self._exists,
            opcodes.GET_DATA: self._get_data,
            opcodes.GET_ACL: self._get_acl,
            opcodes.GET_CHILDREN: self._get_children,
            opcodes.GET_CHILDREN2: self._get_children2,
            opcodes.PING: self._ping,
            opcodes.MULTI_READ: self._multi_read,
            opcodes.GET_EPHEMERALS: self._get_ephemerals,
            opcodes.GET_ALL_CHILDREN_NUMBER: self._get_all_children_number,
            opcodes.WHO_AM_I: self._who_am_i,
            opcodes.SET_WATCHES: self._set_watches,
            opcodes.SET_WATCHES2: self._set_watches2,
            opcodes.ADD_WATCH: self._add_watch,
            opcodes.CHECK_WATCHES: self._check_watches,
            opcodes.REMOVE_WATCHES: self._remove_watches,
        }

    # The tree

    def _get_data(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = GetDataRequest.decode(frame, _BODY)
        path = request.path
        if path is None:
            return MARSHALLING_ERROR
        answer = reads.read_data(self._replica, path, credentials)
        if isinstance(answer, int):
            return answer
        self._namespaces.note(path, len(answer) - COUNT_BYTES)
        if request.watch:
            self._watches.add_data(path, client)
        return answer

    def _exists(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = ExistsRequest.decode(frame, _BODY)
        path = request.path
        if path is None:
            return MARSHALLING_ERROR
        if "\0" in path:
            return BAD_ARGUMENTS
        answer = reads.read_exists(self._replica, path, credentials)
        if not isinstance(answer, int):
            self._namespaces.note(path, len(answer))
        if request.watch and (not isinstance(answer, int) or answer == NO_NODE):
            self._watches.add_data(path, client)
        return answer

    def _get_children(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = GetChildrenRequest.decode(frame, _BODY)
        path = request.path
        if path is None:
            return MARSHALLING_ERROR
        answer = reads.read_children(self._replica, path, credentials)
        if isinstance(answer, int):
            return answer
        self._namespaces.note(path, bytes_of_names(answer) + STAT_BYTES)
        if request.watch:
            self._watches.add_child(path, client)
        return answer

    def _get_children2(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = GetChildren2Request.decode(frame, _BODY)
        path = request.path
        if path is None:
            return MARSHALLING_ERROR
        answer = reads.read_children2(self._replica, path, credentials)
        if isinstance(answer, int):
            return answer
        self._namespaces.note(path, bytes_of_names(answer))
        if request.watch:
            self._watches.add_child(path, client)
        return answer

    def _get_acl(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        path = GetACLRequest.decode(frame, _BODY).path
        return MARSHALLING_ERROR if path is None else reads.read_acl(self._replica, path, credentials)

    def _get_all_children_number(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        path = GetAllChildrenNumberRequest.decode(frame, _BODY).path
        return MARSHALLING_ERROR if path is None else reads.read_all_children_number(self._replica, path, credentials)

    def _get_ephemerals(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        prefix = GetEphemeralsRequest.decode(frame, _BODY).prefix_path
        return reads.read_ephemerals(self._replica, client.session_id, prefix)

    def _multi_read(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | RefusedAnswer:
        try:
            request = MultiReadRequest.decode(frame, _BODY)
        except JuteError:
            # ZooKeeper decodes both lists with one decoder. A multi of writes passes it and is refused while results
            # are made; anything else, two kinds in one list too, does not pass: then JuteError goes out from here.
            MultiRequest.decode(frame, _BODY)
            return RefusedAnswer(MARSHALLING_ERROR, reads.NO_RESULTS)
        code, body = reads.read_multi(self._replica, request, credentials)
        self._note_multi(request, credentials)
        return body if code == OK else RefusedAnswer(code, body)

    def _note_multi(self, request: MultiReadRequest, credentials: Credentials) -> None:
        """By namespace, as if each had come by itself; looked up again, since the results are one piece by now."""
        for _, operation in request.operations:
            path = operation.path
            if path is None:
                return
            znode = self._replica.znodes.get(path or "/")
            if znode is None or not check_acl(znode.acl, READ, credentials):
                continue
            if isinstance(operation, GetDataRequest):
                data = znode.data
                self._namespaces.note(path, STAT_BYTES + (0 if data is None else len(data)))
            else:
                names = reads.read_children(self._replica, path, credentials)
                self._namespaces.note(path, STAT_BYTES + (0 if isinstance(names, int) else bytes_of_names(names)))

    # The connection

    def _ping(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        return _EMPTY

    def _who_am_i(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        infos = [ClientInfo(scheme, user) for scheme, user in client_infos(credentials)]
        return WhoAmIResponse(infos).encode()

    # Watches

    def _set_watches(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = SetWatches.decode(frame, _BODY)
        code = resume_watches(
            self._watches,
            self._replica,
            client,
            request.relative_zxid,
            request.data_watches,
            request.exist_watches,
            request.child_watches,
        )
        return _EMPTY if code == OK else code

    def _set_watches2(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = SetWatches2.decode(frame, _BODY)
        code = resume_watches(
            self._watches,
            self._replica,
            client,
            request.relative_zxid,
            request.data_watches,
            request.exist_watches,
            request.child_watches,
            request.persistent_watches,
            request.persistent_recursive_watches,
        )
        return _EMPTY if code == OK else code

    def _add_watch(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = AddWatchRequest.decode(frame, _BODY)
        if request.mode not in (_ADD_WATCH_PERSISTENT, _ADD_WATCH_RECURSIVE):
            return MARSHALLING_ERROR
        if request.path is None:
            return _ADD_WATCH_DONE  # as in ZooKeeper; nothing could ever fire it, so it is not kept
        self._watches.add_persistent(request.path, client, request.mode == _ADD_WATCH_RECURSIVE)
        return _ADD_WATCH_DONE

    def _check_watches(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = CheckWatchesRequest.decode(frame, _BODY)
        code = self._watches.check(_NEVER_WATCHED if request.path is None else request.path, request.type, client)
        return _EMPTY if code == OK else code

    def _remove_watches(self, client: Client, frame: bytes, credentials: Credentials) -> bytes | int:
        request = RemoveWatchesRequest.decode(frame, _BODY)
        code = self._watches.remove(_NEVER_WATCHED if request.path is None else request.path, request.type, client)
        return _EMPTY if code == OK else code
