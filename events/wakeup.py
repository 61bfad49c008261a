"""How a follower learns that the log has grown: at once here, soon elsewhere."""

import threading
from collections.abc import Callable
from typing import Protocol

from events.database import Database
from events.errors import LogUnavailable

_POLL_SECONDS = 0.1
_RETRY_SECONDS = 1.0


class Wakeup(Protocol):
    """Knows, or finds out, how far the log is."""

    def wait(self, after: int, timeout: float) -> int:
        """Block until the log is beyond `after` or the timeout; the last known position."""

    def advance(self, position: int) -> None:
        """Tell every waiter in this process."""

    def close(self) -> None:
        """Wake everyone for the last time."""


class Signal:
    """Waiters in one process, woken by whoever appends there."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._position = 0
        self._closed = False

    def wait(self, after: int, timeout: float) -> int:
        """See Wakeup.wait."""
        with self._condition:
            self._condition.wait_for(lambda: self._position > after or self._closed, timeout)
            return self._position

    def advance(self, position: int) -> None:
        """See Wakeup.advance."""
        with self._condition:
            if position > self._position:
                self._position = position
                self._condition.notify_all()

    def close(self) -> None:
        """See Wakeup.close."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed


class Poll(Signal):
    """Other processes cannot signal us: look at the head now and then, in between listen."""

    def __init__(self, position: Callable[[], int]) -> None:
        super().__init__()
        self._look = position

    def wait(self, after: int, timeout: float) -> int:
        """See Wakeup.wait."""
        while True:
            self.advance(self._look())
            step = min(_POLL_SECONDS, timeout)
            position = super().wait(after, step)
            timeout -= step
            if position > after or timeout <= 0 or self.closed:
                return position


class Listen(Signal):
    """PostgreSQL tells: one connection of this process LISTENs, in a thread."""

    def __init__(self, database: Database, channel: str, position: Callable[[], int]) -> None:
        super().__init__()
        self._database = database
        self._channel = channel
        self._look = position
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listen {channel}", daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        while not self.closed:
            try:
                self._listen()
            except LogUnavailable:
                # Waiters poll by their own timeouts until the server is back.
                self._ready.set()
                with self._condition:
                    self._condition.wait_for(lambda: self._closed, _RETRY_SECONDS)

    def _listen(self) -> None:
        from psycopg import Error, connect, sql  # noqa: PLC0415  why: an extra

        url = self._database.url.set(drivername="postgresql")
        try:
            with connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                self.advance(self._look())
                self._ready.set()
                while not self.closed:
                    for _notice in connection.notifies(timeout=_POLL_SECONDS):
                        # Anybody may send a notice: what counts is where the log is.
                        self.advance(self._look())
                        if self.closed:
                            return
        except Error as error:
            raise LogUnavailable(cause=error) from error

    def close(self) -> None:
        """See Wakeup.close."""
        super().close()
        self._thread.join(2 * _RETRY_SECONDS)


def wakeup_for(database: Database, channel: str, position: Callable[[], int]) -> Wakeup:
    """What this database has to offer."""
    if database.dialect == "postgresql":
        return Listen(database, channel, position)
    return Poll(position)
