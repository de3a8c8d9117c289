"""Requests that change the tree: which record each opcode carries and which planner decides it."""

from __future__ import annotations

from typing import Final, final

from zkbridge.errors import MARSHALLING_ERROR, RECONFIG_DISABLED, UNIMPLEMENTED
from zkbridge.jute.multi import MultiRequest
from zkbridge.jute.records import (
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    ReconfigRequest,
    SetACLRequest,
    SetDataRequest,
)
from zkbridge.plan.create import plan_create
from zkbridge.plan.delete import plan_delete
from zkbridge.plan.multi import plan_multi
from zkbridge.plan.plan import FailedMulti, Plan, PlanContext
from zkbridge.plan.session import plan_close_session
from zkbridge.plan.set_acl import plan_set_acl
from zkbridge.plan.set_data import plan_set_data
from zkbridge.protocol import opcodes
from zkbridge.server.clock import wall_ms
from zkbridge.tree.overlay import Overlay

_BODY: Final = 8


@final
class WriteRequests:
    """Decodes and plans. `opcodes` are those that it takes."""

    opcodes: Final = frozenset(
        {
            opcodes.CREATE,
            opcodes.CREATE2,
            opcodes.CREATE_CONTAINER,
            opcodes.CREATE_TTL,
            opcodes.DELETE,
            opcodes.SET_DATA,
            opcodes.SET_ACL,
            opcodes.MULTI,
            opcodes.RECONFIG,
            opcodes.CLOSE_SESSION,
        }
    )

    def __init__(self, overlay: Overlay, is_reconfig_enabled: bool) -> None:
        self._overlay: Final = overlay
        self._is_reconfig_enabled: Final = is_reconfig_enabled

    def plan(self, opcode: int, frame: bytes, context: PlanContext) -> Plan | FailedMulti | int:
        """The plan, or an error code, or STALL. Raises JuteError if the request can't be decoded."""
        context.now_ms = wall_ms()
        overlay = self._overlay
        if opcode == opcodes.SET_DATA:
            return plan_set_data(SetDataRequest.decode(frame, _BODY), overlay, context)
        if opcode in (opcodes.CREATE, opcodes.CREATE2, opcodes.CREATE_CONTAINER):
            return plan_create(CreateRequest.decode(frame, _BODY), opcode, overlay, context)
        if opcode == opcodes.MULTI:
            return plan_multi(MultiRequest.decode(frame, _BODY), overlay, context)
        if opcode == opcodes.DELETE:
            return plan_delete(DeleteRequest.decode(frame, _BODY), overlay, context)
        if opcode == opcodes.CREATE_TTL:
            return plan_create(CreateTTLRequest.decode(frame, _BODY), opcode, overlay, context)
        if opcode == opcodes.SET_ACL:
            return plan_set_acl(SetACLRequest.decode(frame, _BODY), overlay, context)
        if opcode == opcodes.CLOSE_SESSION:
            return plan_close_session(context.session_id, overlay, context)
        if opcode == opcodes.RECONFIG:
            ReconfigRequest.decode(frame, _BODY)
            # A standalone ZooKeeper knows no reconfiguration even where it is enabled.
            return UNIMPLEMENTED if self._is_reconfig_enabled else RECONFIG_DISABLED
        return MARSHALLING_ERROR
