import io
from pathlib import Path
from threading import Thread
from typing import BinaryIO, cast

import pytest

from etcdcore.backup.export import Export, ExportCancelled, ExportFailed
from etcdcore.backup.schema import CONSISTENT_INDEX, encode_number
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.errors import EngineError
from etcdcore.mvcc.engine import KEY, LEASE, META, TABLE_NAMES, EngineView
from etcdcore.raft.messages import ConfState
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import MemberId


def engine_with(count: int) -> MemoryEngine:
    engine = MemoryEngine()
    for number in range(count):
        engine.append(KEY, b"%08d" % number, b"v" * (number % 300))
    engine.put(META, b"scheduledCompactRev", b"s")
    engine.put(META, CONSISTENT_INDEX, encode_number(3))
    engine.put(META, b"something of our own", b"x")
    engine.put(LEASE, b"l" * 8, b"lease")
    engine.commit()
    return engine


def export_to(file: BinaryIO, view: EngineView, room_bytes_min: int = 0) -> Export:
    return Export(view, 7, 2, ConfState((MemberId(9),)), file, room_bytes_min)


def test_a_file_holds_every_bucket_of_etcd_and_the_index_of_the_view(tmp_path: Path) -> None:
    with (tmp_path / "db").open("w+b") as file:
        size = export_to(file, engine_with(1000).open_view()).run()
        assert size == file.seek(0, 2)
        database = Database(FileSource(file))
        database.check()
        buckets = {name: dict(bucket.pairs()) for name, bucket in database.root.buckets()}
    assert set(buckets) == set(TABLE_NAMES)
    assert len(buckets[b"key"]) == 1000
    assert buckets[b"lease"] == {b"l" * 8: b"lease"}
    assert buckets[b"cluster"] == {b"clusterVersion": b"3.6.0"}
    assert buckets[b"meta"] == {
        b"consistent_index": encode_number(7),
        b"term": encode_number(2),
        b"confState": b'{"voters":[9],"auto_leave":false}',
        b"storageVersion": b"3.6.0",
        b"scheduledCompactRev": b"s",
    }


def test_what_is_written_meanwhile_is_not_in_the_file(tmp_path: Path) -> None:
    engine = engine_with(3)
    view = engine.open_view()
    engine.append(KEY, b"z", b"later")
    engine.commit()
    with (tmp_path / "db").open("w+b") as file:
        export_to(file, view).run()
        keys = dict(Database(FileSource(file)).root.buckets())[b"key"]
        assert [key for key, _ in keys.pairs()] == [b"%08d" % number for number in range(3)]


def test_a_cancelled_export_ends(tmp_path: Path) -> None:
    with (tmp_path / "db").open("w+b") as file:
        export = export_to(file, engine_with(100).open_view())
        export.cancel()
        with pytest.raises(ExportCancelled):
            export.run()


def test_a_view_closed_under_a_running_export_ends_it(tmp_path: Path) -> None:
    view = engine_with(50_000).open_view()
    errors: list[BaseException] = []

    def run(export: Export) -> None:
        try:
            export.run()
        except EngineError as error:
            errors.append(error)

    with (tmp_path / "db").open("w+b") as file:
        thread = Thread(target=run, args=(export_to(file, view),))
        thread.start()
        view.close()
        thread.join(10)
        assert not thread.is_alive()
    assert len(errors) == 1


def test_the_room_that_the_log_may_need_is_not_taken(tmp_path: Path) -> None:
    with (tmp_path / "db").open("w+b") as file, pytest.raises(ExportFailed, match="log may need"):
        export_to(file, engine_with(3).open_view(), 1 << 60).run()


class _FullFile(io.FileIO):
    """Takes so much, then the disk is full."""

    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_the_one_error(tmp_path: Path) -> None:
    with _FullFile(str(tmp_path / "db"), "w+") as file, pytest.raises(ExportFailed, match="No space left"):
        export_to(cast(BinaryIO, file), engine_with(3).open_view()).run()
