"""A file that one process holds for as long as it lives, whatever it dies of."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        """Raise OSError where another process holds it."""
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(_descriptor: int) -> None:
        """Closing does it."""
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        """Raise OSError where another process holds it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        """Not by closing: a child that was forked meanwhile may have it open, too."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FileLock:
    """Held from when it is taken. The system lets go of it when the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Hold the file, made where it is missing; None where it is held. Raises OSError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
            if _is_at(descriptor, path):
                return cls(path, descriptor)
        except OSError:
            os.close(descriptor)
            return None
        os.close(descriptor)  # Who held it removed it just now: what we hold, nobody sees.
        return None

    def release(self) -> None:
        """Let go of it."""
        _unlock(self._descriptor)
        os.close(self._descriptor)

    def forget(self) -> None:
        """In a forked child: it is the parent's, who holds on."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Let go of it for good."""
        if sys.platform == "win32":  # There, what is open cannot be removed.
            self.release()
        with suppress(OSError):
            self.path.unlink()
        if sys.platform != "win32":
            self.release()


def _is_at(descriptor: int, path: Path) -> bool:
    return os.path.samestat(os.fstat(descriptor), path.stat())
