"""The last snapshot on disk: what a process answers from before, or without, the server."""

import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from controlplane.client.known import Snapshot
from controlplane.client.locks import FileLock
from events.timestamps import Timestamp

logger = logging.getLogger(__name__)

_FORMAT = 1
_BINARY = getattr(os, "O_BINARY", 0)


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content."""

    format: int
    url: str
    heard_at: Timestamp
    """When the server last confirmed this, by the clock of who wrote it."""
    snapshot: Snapshot


class _Head(msgspec.Struct, frozen=True):
    """What is read first: the rest may be of another format."""

    format: int
    url: str


class SnapshotFile:
    """One file that several processes may keep up to date; each write replaces it as a whole."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url

    def load(self) -> Saved | None:
        """What was saved last; None, with a warning, where that is torn or of something else."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("the snapshot %s cannot be read: %s", self._path, error)
            return None
        try:
            head = msgspec.json.decode(data, type=_Head)
            if (head.format, head.url) == (_FORMAT, self._url):
                return msgspec.json.decode(data, type=Saved)
            problem = f"it is of format {head.format}, from {head.url}"
        except (msgspec.DecodeError, ValueError) as error:
            problem = str(error)
        logger.warning("the snapshot %s is ignored: %s", self._path, problem)
        return None

    def save(self, snapshot: Snapshot, heard_at: Timestamp, *, back: bool) -> bool:
        """Write it, unless the file is further on, or being written. Raises OSError.

        `back`: the server itself went back to this position, and the file must, too.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock.take(self._path.with_suffix(".lock"))
        if lock is None:
            return False
        try:
            if not back and self._is_behind(snapshot):
                return True
            saved = Saved(format=_FORMAT, url=self._url, heard_at=heard_at, snapshot=snapshot)
            self._replace(msgspec.json.encode(saved))
        finally:
            lock.release()
        return True

    def _is_behind(self, snapshot: Snapshot) -> bool:
        with suppress(OSError, msgspec.DecodeError):
            there = msgspec.json.decode(self._path.read_bytes(), type=Saved)
            return (
                there.url == self._url
                and there.snapshot.environment == snapshot.environment
                and there.snapshot.position > snapshot.position
            )
        return False

    def _replace(self, data: bytes) -> None:
        draft = self._path.with_suffix(".tmp")  # Of one writer at a time: who holds the lock.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
