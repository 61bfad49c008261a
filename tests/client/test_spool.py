"""The spool: whole lines or none, within its bounds, and never two owners of one segment."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from controlplane.client.disk_spool import DiskSpool
from controlplane.client.locks import FileLock
from controlplane.client.spool import MemorySpool, Spool

MakeSpool = Callable[..., DiskSpool]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[MakeSpool]:
    """Makes spools on one folder, as processes would."""
    numbers, made = count(1), []

    def make(limit: int = 10_000, **options: bool) -> DiskSpool:
        spool = DiskSpool(
            tmp_path / "spool", limit, lambda: str(UUID(int=next(numbers))), **options
        )
        made.append(spool)
        return spool

    yield make
    for spool in made:
        spool.close()


def drained(spool: Spool) -> list[bytes]:
    lines = []
    while (segment := spool.take()) is not None:
        lines += segment.read()
        spool.forget(segment)
    return lines


def dies(spool: DiskSpool) -> None:
    """What a kill leaves: the files as they are, the lock free."""
    assert spool._own is not None
    spool._own.release()
    spool._own = None


@pytest.mark.parametrize("kind", ["disk", "fsync", "memory"])
def test_what_goes_in_comes_out_in_order_and_once(kind: str, disk: MakeSpool) -> None:
    spool = MemorySpool(10**6) if kind == "memory" else disk(10**6, fsync=kind == "fsync")
    lines = [b"line %d" % n for n in range(2500)]
    assert all(spool.append(line) for line in lines[:1500])
    first = spool.take()
    assert first is not None
    assert (first.count, first.read(), spool.take()) == (1000, lines[:1000], first)
    assert all(spool.append(line) for line in lines[1500:])
    assert spool.waiting == 2500
    assert drained(spool) == lines
    assert (spool.waiting, spool.size, spool.arrived, spool.left) == (0, 0, 2500, 2500)


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_it_takes_what_fits_and_says_when_it_does_not(kind: str, disk: MakeSpool) -> None:
    spool = MemorySpool(20) if kind == "memory" else disk(20)
    assert [spool.append(b"123456789") for _ in range(3)] == [True, True, False]
    assert spool.problem == "20 bytes wait already"
    drained(spool)
    assert spool.append(b"123456789")
    assert spool.problem == ""


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_handler_that_interrupts_an_append_is_refused_not_deadlocked(
    kind: str, disk: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = MemorySpool(1000) if kind == "memory" else disk()
    keep, inner = spool._keep, []

    def interrupted(line: bytes) -> None:
        inner.append(spool.append(b"from a signal's handler"))
        keep(line)

    monkeypatch.setattr(spool, "_keep", interrupted)
    assert spool.append(b"line")
    assert inner == [False]
    assert drained(spool) == [b"line"]


def test_it_holds_what_personal_data_should_be_held_like(disk: MakeSpool, tmp_path: Path) -> None:
    disk().append(b"line")
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()} == {0o600}


def test_a_process_adopts_what_a_dead_one_left_and_nothing_of_a_live_one(disk: MakeSpool) -> None:
    dead, alive, heir = disk(), disk(), disk()
    assert dead.append(b"left behind")
    assert alive.append(b"still mine")
    dies(dead)
    heir.adopt()
    assert heir.waiting == 1
    assert drained(heir) == [b"left behind"]
    heir.adopt()
    assert drained(heir) == []
    assert drained(alive) == [b"still mine"]


def test_two_heirs_do_not_take_the_same(disk: MakeSpool) -> None:
    dead, one, other = disk(), disk(), disk()
    dead.append(b"left behind")
    dies(dead)
    one.adopt()
    other.adopt()
    assert (one.waiting, other.waiting) == (1, 0)
    one.close()
    other.adopt()
    assert drained(other) == [b"left behind"]


def test_when_all_is_sent_the_folder_is_empty(disk: MakeSpool, tmp_path: Path) -> None:
    dead, heir = disk(), disk()
    dead.append(b"a")
    heir.append(b"b")
    dies(dead)
    heir.adopt()
    drained(heir)
    heir.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_it_takes_no_more_from_the_dead_than_leaves_room_for_the_living(disk: MakeSpool) -> None:
    for _ in range(2):
        dead = disk(100)
        dead.append(b"x" * 60)
        dies(dead)
    heir = disk(100)
    heir.adopt()
    assert heir.waiting == 1
    assert heir.append(b"new")
    drained(heir)
    heir.adopt()
    assert heir.waiting == 1


def test_what_is_torn_was_never_accepted(disk: MakeSpool) -> None:
    dead, heir = disk(), disk()
    dead.append(b"whole")
    assert dead._newest is not None
    with dead._newest.path.open("ab") as file:
        file.write(b"\n  \nto")
    dies(dead)
    heir.adopt()
    assert drained(heir) == [b"whole"]
    assert heir.waiting == 0


def test_a_full_disk_refuses_and_leaves_no_trace(
    disk: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = disk()
    assert spool.append(b"before")
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    assert not spool.append(b"never accepted")
    assert "only 3 of 15 bytes were written" in spool.problem
    monkeypatch.setattr(os, "write", write)
    assert spool.append(b"after")
    assert drained(spool) == [b"before", b"after"]


def test_what_cannot_even_be_cut_off_is_left_out_by_the_reader(
    disk: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise OSError(5, "input/output error")

    spool, write = disk(), os.write
    assert spool.append(b"before")
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
        broken.setattr(os, "ftruncate", fails)
        assert not spool.append(b"never accepted")
    assert spool.append(b"after")
    assert drained(spool) == [b"before", b"after"]


def test_a_folder_that_cannot_be_made_refuses_and_says_why() -> None:
    spool = DiskSpool(Path("/dev/null/spool"), 1000, lambda: str(UUID(int=1)))
    assert not spool.append(b"line")
    assert "the disk does not take it" in spool.problem
    spool.adopt()
    spool.close()


def test_closed_it_takes_nothing_and_leaves_what_waits(disk: MakeSpool) -> None:
    first, second = disk(), disk()
    first.append(b"for the next one")
    first.close()
    assert not first.append(b"too late")
    second.adopt()
    assert drained(second) == [b"for the next one"]


def test_files_of_others_are_left_alone(disk: MakeSpool, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    for name in ("readme.txt", "x.lock", f"{UUID(int=9)}-1.ndjson", f"{UUID(int=9)}.lock.bak"):
        (tmp_path / "spool" / name).write_text("foreign\n")
    spool = disk()
    spool.adopt()
    assert spool.waiting == 0
    assert len(list((tmp_path / "spool").iterdir())) == 4


def test_a_lock_that_its_holder_removed_meanwhile_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.lock"
    first = FileLock.take(path)
    assert first is not None
    assert FileLock.take(path) is None
    opened = os.open

    def slowly(*args: object, **more: object) -> int:
        descriptor: int = opened(*args, **more)  # type: ignore[arg-type]  # why: passed on as it came
        first.remove()  # Between the opening and the locking.
        return descriptor

    with monkeypatch.context() as slow:
        slow.setattr(os, "open", slowly)
        assert FileLock.take(path) is None
    assert FileLock.take(path) is not None
