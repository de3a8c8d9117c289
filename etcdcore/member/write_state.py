"""Whether commands are taken, and why not: one answer from several reasons, told to the listeners when it changes."""

from collections.abc import Sequence
from typing import Final, final

from etcdcore.errors import CoreError, NoLeader, NoSpace
from etcdcore.member.ports import Host
from etcdcore.member.proposals import RevisionListener


@final
class WriteState:
    """`refusal` is None while commands are taken. The gravest reason counts: stopped, not leading, no room.

    An alarm refuses nothing here, since commands that free room are taken all the same; but the listeners are told, as
    of a full disk, and whoever asks in a user's name is refused when his command is applied.
    """

    __slots__ = (
        "_alarm",
        "_host",
        "_is_engine_full",
        "_is_log_full",
        "_leading_error",
        "_listeners",
        "_stopped",
        "_told",
        "refusal",
    )

    def __init__(self, listeners: Sequence[RevisionListener], host: Host) -> None:
        self._listeners: Final = listeners
        self._host: Final = host
        self._leading_error: CoreError | None = NoLeader()
        self._is_log_full = False
        self._is_engine_full = False
        self._stopped: CoreError | None = None
        self.refusal: CoreError | None = self._leading_error
        self._alarm: CoreError | None = None
        self._told: CoreError | None = self._leading_error

    @property
    def is_alarmed(self) -> bool:
        return self._alarm is not None

    @property
    def is_leading(self) -> bool:
        return self._leading_error is None

    @property
    def is_full(self) -> bool:
        return self._is_log_full or self._is_engine_full

    def set_leading(self, error: CoreError | None) -> None:
        """None: this member leads and has applied all that came before its term."""
        self._leading_error = error
        self._update()

    def set_log_full(self, is_full: bool) -> None:
        self._is_log_full = is_full
        self._update()

    def set_engine_full(self, is_full: bool) -> None:
        self._is_engine_full = is_full
        self._update()

    def set_alarm(self, error: CoreError | None) -> None:
        """What an alarm makes of commands that grow the store; None: there is none."""
        if error != self._alarm:
            self._alarm = error
            self._update()

    def stop(self, error: CoreError) -> None:
        """For good."""
        self._stopped = error
        self._update()

    @property
    def is_stopped(self) -> bool:
        """Whether the refusal is one for good."""
        return self._stopped is not None

    def _update(self) -> None:
        refusal = self._stopped or self._leading_error or (NoSpace() if self.is_full else None)
        if refusal != self.refusal:
            self.refusal = refusal
            self._host.refusal_changed()
        told = refusal or self._alarm
        if told != self._told:
            self._told = told
            for listener in self._listeners:
                listener.write_state_changed(told)
