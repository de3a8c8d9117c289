"""What a transcript leaves out of a client's events, and what it keeps."""

from integration.zkcli.transcript import MARKER, events_of

CONNECTED = "state:SyncConnected type:None path:null zxid: -1"
DISCONNECTED = "state:Disconnected type:None path:null zxid: -1"
CLOSED = "state:Closed type:None path:null zxid: -1"
CHANGED = "state:SyncConnected type:NodeDataChanged path:/a zxid: 3"
COMMANDS = ["get -w /a", "connect ADDRESS", "ls /", "quit"]


def printed(*events: list[str]) -> str:
    """The events that came while each of the commands was carried out."""
    parts: list[str] = []
    for number, while_it in enumerate(events):
        parts += [f"\nWATCHER::\n\nWatchedEvent {event}\n" for event in while_it]
        if number < len(events) - 1:
            parts.append(MARKER.format(number) + "\n")
    return "".join(parts)


def test_the_end_of_a_client_is_left_out_with_and_without_a_disconnection() -> None:
    quiet = printed([CONNECTED, CHANGED], [CLOSED, CONNECTED], [], [])
    busy = printed([CONNECTED, CHANGED], [DISCONNECTED, CONNECTED], [CLOSED], [DISCONNECTED])
    assert events_of(quiet, COMMANDS) == events_of(busy, COMMANDS) == [CONNECTED, CHANGED, CONNECTED]


def test_a_disconnection_before_any_client_was_closed_is_kept() -> None:
    assert DISCONNECTED in events_of(printed([CONNECTED, DISCONNECTED, CONNECTED], [CLOSED], [], []), COMMANDS)


def test_a_closed_client_hides_one_disconnection_and_no_more() -> None:
    found = events_of(printed([CONNECTED], [DISCONNECTED, CONNECTED], [DISCONNECTED], []), COMMANDS)
    assert found.count(DISCONNECTED) == 1
