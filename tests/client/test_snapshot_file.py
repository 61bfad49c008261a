"""The last snapshot on disk: whole or not at all, and never an older one over a newer one."""

from pathlib import Path

import pytest

from controlplane.client.locks import FileLock
from controlplane.client.snapshot_file import SnapshotFile
from tests.client.flags import flag, snapshot

URL = "https://plane.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "flags.json"


def position(file: SnapshotFile) -> int | None:
    saved = file.load()
    return saved and saved.snapshot.position


def test_what_is_saved_is_loaded(path: Path) -> None:
    file = SnapshotFile(path, URL)
    assert file.load() is None
    assert file.save(snapshot(5, flag("a", 1)), 1234, back=False)
    saved = file.load()
    assert saved is not None
    assert (saved.heard_at, saved.snapshot.position, saved.format) == (1234, 5, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in path.parent.iterdir()) == ["flags.json", "flags.lock"]


def test_cut_at_any_place_it_is_ignored_with_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = SnapshotFile(path, URL)
    file.save(snapshot(5, flag("a", 1)), 1, back=False)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert file.load() is None
    assert "is ignored" in caplog.text
    assert file.save(snapshot(1), 1, back=False)
    assert position(file) == 1


@pytest.mark.parametrize(
    "foreign",
    [
        b"\0" * 4096,
        b"PK\x03\x04",
        b'{"format":2,"url":"https://plane.example"}',
        b'{"format":1,"url":"https://plane.example","heard_at":1,"snapshot":null}',
        b'{"format":1,"url":"https://other.example","heard_at":1,"snapshot":{}}',
    ],
)
def test_what_is_of_something_else_is_ignored_with_a_warning(
    path: Path, foreign: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(foreign)
    assert SnapshotFile(path, URL).load() is None
    assert "is ignored" in caplog.text


def test_a_folder_in_its_place_is_ignored_with_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir(parents=True)
    assert SnapshotFile(path, URL).load() is None
    assert "cannot be read" in caplog.text


def test_a_process_that_is_behind_does_not_take_the_others_back(path: Path) -> None:
    mine, other = SnapshotFile(path, URL), SnapshotFile(path, URL)
    mine.save(snapshot(9), 1, back=False)
    assert other.save(snapshot(5), 2, back=False)
    assert position(mine) == 9
    assert other.save(snapshot(5, environment="staging"), 2, back=False)
    assert position(mine) == 5


def test_where_the_server_went_back_the_file_does(path: Path) -> None:
    file = SnapshotFile(path, URL)
    file.save(snapshot(9), 1, back=False)
    file.save(snapshot(5), 2, back=True)
    assert position(file) == 5


def test_while_another_writes_it_is_left_for_the_next_time(path: Path) -> None:
    path.parent.mkdir(parents=True)
    file = SnapshotFile(path, URL)
    lock = FileLock.take(path.with_suffix(".lock"))
    assert lock is not None
    assert not file.save(snapshot(9), 1, back=False)
    lock.release()
    assert file.save(snapshot(9), 1, back=False)
