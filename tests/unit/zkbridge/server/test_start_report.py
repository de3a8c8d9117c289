"""A slow start is a warning; only a write that failed makes it an error."""

from zkbridge.server.start_report import report_wait


def test_merely_waiting_is_a_warning_that_blames_nothing() -> None:
    report = report_wait(is_out_of_room=False)
    assert (report.level, report.event) == ("warning", "store_awaited")
    assert "none has failed" in report.reason
    assert "free some space" not in report.cure


def test_a_write_without_room_is_an_error_that_names_the_cure() -> None:
    report = report_wait(is_out_of_room=True)
    assert (report.level, report.event) == ("error", "store_not_writable")
    assert "free some space" in report.cure
