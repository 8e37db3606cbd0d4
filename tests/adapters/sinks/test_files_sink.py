"""Files of samples: rotated by size and age, deleted when they are old, whole whatever happens."""

from __future__ import annotations

import os

import pytest

from nightowl.adapters.sample_files import read_samples
from nightowl.adapters.sinks.files import Files
from nightowl.core.errors import DeliveryFailed
from nightowl.core.series import Series
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample

AT = 1_700_000_000.0


def sink(folder, **options) -> Files:
    return Files(SinkSettings(name="f", kind="files", options={"path": str(folder)} | options))


def snapshot(at: float, count: int = 2) -> list[Sample]:
    return [Sample("check_up", (("check", str(number)),), at, 1.0) for number in range(count)]


def test_snapshots_are_appended_to_one_file_that_backtest_reads(tmp_path) -> None:
    written = sink(tmp_path / "new" / "folder")
    for at in (AT, AT + 10):
        assert written.emit(snapshot(at), at) == {}
    [file] = (tmp_path / "new" / "folder").iterdir()
    found = read_samples(file)
    assert list(found[Series("check_up", (("check", "1"),))].times) == [AT, AT + 10]


def test_a_new_file_is_begun_by_size_and_by_age(tmp_path) -> None:
    written = sink(tmp_path, max_size=200, max_age=60.0)
    for at in (AT, AT + 1, AT + 2, AT + 3, AT + 70):
        written.emit(snapshot(at), at)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert all(file.stat().st_size <= 200 for file in files)
    assert sum(len(file.read_text().splitlines()) - 1 for file in files) == 10


def test_files_of_this_sink_that_are_old_are_deleted_and_no_others(tmp_path) -> None:
    (tmp_path / "mine.csv").write_text("x,1,2\n")
    (tmp_path / "f-b-20231114T221320.000Z.csv").write_text("x,1,2\n")
    written = sink(tmp_path, max_age=60.0, keep=100.0)
    for at in (AT, AT + 61, AT + 122, AT + 183):
        written.emit(snapshot(at), at)
    own = [file.name for file in tmp_path.glob("f-2023*")]
    assert len(own) == 2
    assert len(list(tmp_path.iterdir())) == 4


def test_a_row_that_could_not_be_written_whole_is_cut_off_again(tmp_path, monkeypatch) -> None:
    written = sink(tmp_path)
    written.emit(snapshot(AT), AT)
    [file] = tmp_path.iterdir()
    before, write = file.read_bytes(), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda place, data: write(place, data[:20]))  # as a disk that is full does
        with pytest.raises(DeliveryFailed, match="no space left on device"):
            written.emit(snapshot(AT + 10), AT + 10)
    assert file.read_bytes() == before
    written.emit(snapshot(AT + 10), AT + 10)
    assert sum(len(read_samples(each)[Series("check_up", (("check", "0"),))].times) for each in tmp_path.iterdir()) == 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryFailed, match="cannot be written"):
        sink(tmp_path / "file" / "folder").emit(snapshot(AT), AT)
