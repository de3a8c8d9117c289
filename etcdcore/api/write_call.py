"""A client's call that waits for its command to be applied, and does not wait for ever.

Invariant: it is answered once, by whichever comes first: the member's decision or the end of its time. After the
latter the command may still be applied, which is what the status says.
"""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from etcdcore.errors import CoreError, RequestTimedOut
from etcdcore.member.proposals import Proposal
from etcdcore.rpc.calls import Call


@mypyc_attr(allow_interpreted_subclasses=True)
class WriteCall(Proposal):
    """Its subclasses say what the result is answered with."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call: Final = call

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.call.refuse(error)

    def time_out(self) -> None:
        """It has waited for as long as a request may take."""
        self.call.refuse(RequestTimedOut())


def time_out_all(proposals: Sequence[Proposal | None]) -> int:
    """How many calls were among them. Plain Python can't ask this (see `MethodTable`)."""
    count = 0
    for proposal in proposals:
        if isinstance(proposal, WriteCall):
            proposal.time_out()
            count += 1
    return count
