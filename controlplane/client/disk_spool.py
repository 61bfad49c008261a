"""Executions on disk, in segments: what was accepted outlives the process that accepted it.

    UUID.lock             held by the process whose segments these are
    UUID-00000001.ndjson  one execution a line, in the order they came

A process appends to segments of its own only, so nothing is ever written to one that another is
about to remove. What is left by a process whose lock nobody holds, another one adopts.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from controlplane.client.locks import FileLock
from controlplane.client.spool import MOST_IN_A_BATCH, Segment, Spool

logger = logging.getLogger(__name__)

_LARGEST_SEGMENT = 512 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
_NAME = re.compile(r"([0-9a-f-]{36})(?:\.lock|-\d{8}\.ndjson)")


class File(Segment):
    """A segment on disk."""

    def __init__(self, path: Path, count: int = 0, size: int = 0) -> None:
        self.path = path
        self.count = count
        self.size = size

    def read(self) -> list[bytes]:
        """See Segment.read. What follows the last line's end was never accepted."""
        *lines, _torn = self.path.read_bytes().split(b"\n")
        return [line for line in lines if line.strip()]

    def remove(self) -> None:
        """See Segment.remove."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:  # Sent again by the next process, they still count once.
            logger.warning("%s was sent, and cannot be removed: %s", self.path, error)


class DiskSpool(Spool):
    """A folder of segments. `new_id` gives UUIDs that ascend with time.

    `fsync`: what is accepted survives the loss of power, too, at the price of a wait for the disk.
    """

    durable = True

    def __init__(
        self, folder: Path, limit_bytes: int, new_id: Callable[[], str], *, fsync: bool = False
    ) -> None:
        self._folder = folder
        self._new_id = new_id
        self._fsync = fsync
        self._own: FileLock | None = None
        self._adopted: dict[str, FileLock] = {}
        self._descriptor = -1
        super().__init__(limit_bytes)

    def _empty(self) -> None:
        super()._empty()
        self._name = ""
        self._number = 0
        self._newest: File | None = None

    def forget_parent(self) -> None:
        """See Spool.forget_parent."""
        for lock in (self._own, *self._adopted.values()):
            if lock is not None:
                lock.forget()
        self._own, self._adopted = None, {}
        self._close_file()
        super().forget_parent()

    def _keep(self, line: bytes) -> None:
        newest = self._newest or self._open()
        data = line + b"\n"
        try:
            written = os.write(self._descriptor, data)
            if self._fsync:
                os.fsync(self._descriptor)
        except OSError:
            self._undo(newest)
            raise
        if written < len(data):
            self._undo(newest)
            raise OSError(f"only {written} of {len(data)} bytes were written")
        newest.count += 1
        newest.size += len(data)
        if newest.count >= MOST_IN_A_BATCH or newest.size >= _LARGEST_SEGMENT:
            self._seal()

    def _undo(self, newest: File) -> None:
        """Cut off a line that is not whole, or at least write nothing after it.

        A reader leaves it out, then: it has no end.
        """
        try:
            os.ftruncate(self._descriptor, newest.size)
        except OSError:
            self._seal()

    def _open(self) -> File:
        """Begin a segment, under a lock of this process's own. Raises OSError."""
        while self._own is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._name = self._new_id()
            # None: another process took the file for one left behind, just before it was held.
            self._own = FileLock.take(self._folder / f"{self._name}.lock")
        self._number += 1
        path = self._folder / f"{self._name}-{self._number:08}.ndjson"
        self._descriptor = os.open(path, _NEW, 0o600)
        self._newest = File(path)
        if self._fsync:
            _fsync_folder(self._folder)
        return self._newest

    def _seal(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._close_file()
            self._queue.append(newest)

    def _close_file(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def adopt(self) -> None:
        """See Spool.adopt."""
        if not self._folder.is_dir():
            return
        self._leave_emptied()
        names = {
            found[1] for path in self._folder.iterdir() if (found := _NAME.fullmatch(path.name))
        }
        for name in sorted(names - {self._name, *self._adopted}):
            if self.size >= self._limit // 2:
                return  # Others may take some; and there must be room for what is new.
            lock = FileLock.take(self._folder / f"{name}.lock")
            if lock is None:
                continue
            self._adopted[name] = lock
            segments = [_found(path) for path in sorted(self._folder.glob(f"{name}-*.ndjson"))]
            if segments:
                logger.info("%d segments of a process that is no more are sent", len(segments))
            self._add(segments)

    def _leave_emptied(self) -> None:
        """Remove the locks of what was adopted, once all of it was sent."""
        left = {path.name[:36] for path in self._folder.glob("*.ndjson")}
        for name in self._adopted.keys() - left:
            self._adopted.pop(name).remove()

    def close(self) -> None:
        """See Spool.close."""
        super().close()
        with self._lock:
            self._seal()
        if self._folder.is_dir():
            self._leave_emptied()
        for lock in self._adopted.values():
            lock.release()
        self._adopted = {}
        own, self._own = self._own, None
        if own is not None:
            own.release() if self.waiting else own.remove()


def _found(path: Path) -> File:
    data = path.read_bytes()
    return File(path, data.count(b"\n"), len(data))


def _fsync_folder(folder: Path) -> None:
    if os.name != "nt":  # There, a folder cannot be opened.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
