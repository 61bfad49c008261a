"""How far each webhook is: of the moment, so in a table, and not in the log.

It is written after a delivery. Who is killed between the two delivers again, under the same id.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

from controlplane.tables import MOST_ERROR
from events.database import Database
from events.timestamps import Timestamp


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one webhook, or the redelivery of one dead letter, stands."""

    position: int
    """Up to here everything is dealt with."""
    attempts: int = 0
    """How often the next event was tried in vain."""
    next_attempt_at: Timestamp = 0
    delivered_at: Timestamp = 0
    """When something was delivered last; 0: never."""
    error: str = ""
    """What came of the last attempt; empty: it was delivered."""


class Standings(Protocol):
    """Those of one environment, by name."""

    def get(self, name: str) -> Standing | None:
        """Where it stands; None where it has not begun."""

    def all(self) -> dict[str, Standing]:
        """Where all of them stand."""

    def move(self, name: str, before: Standing, after: Standing) -> bool:
        """From one standing to the next; whether nobody else moved it since `before` was read.

        Who was overtaken moves nothing back. One that has not begun is moved from anywhere.
        """

    def forget(self, name: str) -> None:
        """It is over."""


class MemoryStandings:
    """Kept in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Standing] = {}

    def get(self, name: str) -> Standing | None:
        """See Standings.get."""
        return self._known.get(name)

    def all(self) -> dict[str, Standing]:
        """See Standings.all."""
        with self._lock:
            return dict(self._known)

    def move(self, name: str, before: Standing, after: Standing) -> bool:
        """See Standings.move."""
        with self._lock:
            known = self._known.get(name, before)
            if (known.position, known.attempts) != (before.position, before.attempts):
                return False
            self._known[name] = _kept(after)
        return True

    def forget(self, name: str) -> None:
        """See Standings.forget."""
        with self._lock:
            self._known.pop(name, None)


_TABLE = "webhook_standings"
_FACTS = "position, attempts, next_attempt_at, delivered_at, error"
_READ = f"SELECT name, {_FACTS} FROM {_TABLE} WHERE environment = ?"  # noqa: S608  why: constants
_MOVE = (
    f"UPDATE {_TABLE} SET position = ?, attempts = ?, next_attempt_at = ?, delivered_at = ?, "  # noqa: S608  why: constants
    "error = ? WHERE environment = ? AND name = ? AND position = ? AND attempts = ?"
)
_BEGIN = (
    f"INSERT INTO {_TABLE} ({_FACTS}, environment, name) VALUES (?, ?, ?, ?, ?, ?, ?) "  # noqa: S608  why: constants
    "ON CONFLICT (environment, name) DO NOTHING"
)
_FORGET = f"DELETE FROM {_TABLE} WHERE environment = ? AND name = ?"  # noqa: S608  why: constants


class SqlStandings:
    """Rows in the database."""

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment

    def get(self, name: str) -> Standing | None:
        """See Standings.get."""
        return self._read(f"{_READ} AND name = ?", name).get(name)

    def all(self) -> dict[str, Standing]:
        """See Standings.all."""
        return self._read(_READ)

    def _read(self, sql: str, *parameters: str) -> dict[str, Standing]:
        with self._database.read() as cursor:
            cursor.execute(self._database.sql(sql), (self._environment, *parameters))
            rows = cursor.fetchall()
        return {
            name: Standing(
                position=position,
                attempts=attempts,
                next_attempt_at=next_attempt_at,
                delivered_at=delivered_at,
                error=error,
            )
            for name, position, attempts, next_attempt_at, delivered_at, error in rows
        }

    def move(self, name: str, before: Standing, after: Standing) -> bool:
        """See Standings.move."""
        to = _kept(after)
        facts = (to.position, to.attempts, to.next_attempt_at, to.delivered_at, to.error)
        place = (self._environment, name)
        with self._database.write() as cursor:
            seen = (before.position, before.attempts)
            cursor.execute(self._database.sql(_MOVE), (*facts, *place, *seen))
            if cursor.rowcount == 0:
                cursor.execute(self._database.sql(_BEGIN), (*facts, *place))
            return cursor.rowcount == 1

    def forget(self, name: str) -> None:
        """See Standings.forget."""
        with self._database.write() as cursor:
            cursor.execute(self._database.sql(_FORGET), (self._environment, name))


def _kept(standing: Standing) -> Standing:
    """As the table keeps it."""
    return Standing(
        position=standing.position,
        attempts=standing.attempts,
        next_attempt_at=standing.next_attempt_at,
        delivered_at=standing.delivered_at,
        error=standing.error[:MOST_ERROR],
    )
