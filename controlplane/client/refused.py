"""What the server will never take is kept for somebody to look at."""

import logging
import os
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

LIMIT_BYTES = 16 * 1024 * 1024
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class RefusedFile:
    """`refused.ndjson`: a line for each, with the reason and the execution; up to a size."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.count = 0

    def add(self, line: bytes, reason: str) -> None:
        """Count one, and write it down where there is a file."""
        self.count += 1
        if f"{self.count}".rstrip("0") == "1":  # The 1st, 10th, 100th …: there may be many.
            logger.warning("%d executions were refused; this one: %s", self.count, reason)
        if self._path is None:
            return
        try:
            execution: object = msgspec.json.decode(line)
        except msgspec.DecodeError:
            execution = line.decode("utf-8", "replace")
        data = msgspec.json.encode({"reason": reason, "execution": execution}) + b"\n"
        try:
            descriptor = os.open(self._path, _APPEND, 0o600)
            try:
                if os.fstat(descriptor).st_size < LIMIT_BYTES:
                    os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.warning("it could not be written to %s: %s", self._path, error)
