"""Server-sent events, read as they come (the event stream format of the HTML standard)."""

from collections.abc import Iterator
from typing import NamedTuple

LARGEST_EVENT = 256 * 1024 * 1024
"""In bytes. A line that never ends must not fill the memory."""


class Message(NamedTuple):
    """One event of a stream."""

    event: str
    data: bytes
    id: str
    """The last id that the stream has told, with this event or before it."""


class Parser:
    """Gives the events in a stream of bytes, however it is cut into chunks."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # Of the line that has not ended yet.
        self._size = 0  # Of the event that has not ended yet.
        self._after_cr = False
        self._at_start = True
        self._event = ""
        self._data: list[bytes] = []
        self._id = ""
        self.retry_seconds = 0.0
        """How long the server wants to be left alone after this stream has ended."""

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The events that end in this chunk. Raises ValueError for one that is too large."""
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]  # The second half of a line's end.
            self._after_cr = False
        if not chunk:
            return
        self._after_cr = chunk[-1:] == b"\r"
        self._size += len(chunk)
        *lines, rest = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._pieces.append(line)
            whole = b"".join(self._pieces)
            self._pieces.clear()
            message = self._line(whole)
            if message is not None:
                yield message
        if rest:
            self._pieces.append(rest)
        if self._size > LARGEST_EVENT:
            raise ValueError(f"an event of more than {LARGEST_EVENT} bytes")

    def _line(self, line: bytes) -> Message | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data.append(value)
            case b"event":
                self._event = value.decode("utf-8", "replace")
            case b"id" if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
            case b"retry" if value.isdigit():
                self.retry_seconds = int(value[:9]) / 1000
            case _:
                pass  # A comment, or a field of a later day.
        return None

    def _dispatch(self) -> Message | None:
        event, data = self._event or "message", self._data
        self._event, self._data, self._size = "", [], 0
        return Message(event, b"\n".join(data), self._id) if data else None
