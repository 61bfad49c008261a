"""The Python API, and the only place that wires things together."""

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from controlplane import checkpoints
from controlplane import clock as edge
from controlplane.errors import InvalidInput
from controlplane.lease import DEFAULT_TTL_US, Lease, MemoryLease, SqlLease
from controlplane.measurements import Measurements
from controlplane.migrations.upgrade import bring_up_to_date
from controlplane.outgoing.standings import MemoryStandings, SqlStandings, Standings
from controlplane.outgoing.wiring import asks, outgoing
from controlplane.plane.access import Access
from controlplane.plane.alerts import Alerts
from controlplane.plane.audit import Audit
from controlplane.plane.core import Core
from controlplane.plane.executions import Executions
from controlplane.plane.flags import Flags
from controlplane.plane.freezes import Freezes
from controlplane.plane.incidents import Incidents
from controlplane.plane.proving import proof_of, witness
from controlplane.plane.questions import FARTHEST, Question
from controlplane.plane.readmodels import ReadModels
from controlplane.plane.remembering import Remembering
from controlplane.plane.rollouts import Rollouts
from controlplane.plane.scheduling import Candidate, Schedule, schedule_of
from controlplane.plane.snapshot import FlagSnapshot
from controlplane.plane.webhooks import Webhooks
from controlplane.settings import load
from events.chain import Head
from events.checkpoints import Checkpoint
from events.database import Database
from events.errors import EventNotFound
from events.event import Event, RecordedEvent
from events.log import EventLog, ReadOnly
from events.memory_log import MemoryLog
from events.sql_log import SqlLog
from events.timestamps import Timestamp
from projections.catalog import PROJECTIONS
from projections.replay import History
from projections.rows import MemoryRows, Rows
from projections.runner import Runner
from projections.snapshots import MemorySnapshots, Snapshots
from projections.sql_rows import SqlRows
from projections.sql_snapshots import SqlSnapshots


class ControlPlane(Remembering):
    """One environment of one database.

    `url`: `sqlite:///FILE`, `postgresql://…`, or `memory://` to keep nothing; default: the
    setting CONTROLPLANE_DATABASE_URL. The database is brought up to date on opening. Raises
    InvalidInput, LogUnavailable, SchemaMismatch.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        environment: str | None = None,
        clock: Callable[[], Timestamp] = edge.now,
        new_id: Callable[[], str] = edge.new_id,
        chance: Callable[[int], bytes] = edge.chance,
    ) -> None:
        settings = load(database_url=url, environment=environment)
        self.url = settings.database_url
        self.environment = settings.environment
        self._database: Database | None = None
        log, rows = self._open(self.url, self.environment, clock)
        runner = Runner(log, rows, list(PROJECTIONS.values()))
        runner.open()
        self._snapshot = FlagSnapshot(log)
        history = History(ReadOnly(log), self._open_snapshots(), list(PROJECTIONS.values()))
        self._core = Core(log, rows, runner, self._snapshot, clock, new_id, history)
        self._lease = self._open_lease()
        self.log = log
        self.flags = Flags(self._core)
        self.executions = Executions(self._core)
        self.rollouts = Rollouts(self._core, asks(settings))
        self.alerts = Alerts(self._core)
        self.freezes = Freezes(self._core)
        self.incidents = Incidents(self._core)
        self.access = Access(self._core, chance)
        self.webhooks = Webhooks(self._core, self._open_standings(), outgoing(settings, clock))
        self.metrics = Measurements(self._core)
        self.projections = ReadModels(self._core)
        self.audit = Audit(self._core)
        _survive_fork(weakref.WeakMethod(self._forget_parent))

    def _forget_parent(self) -> None:
        """In a forked child: its connections and threads are the parent's."""
        self._snapshot.forget_thread()
        self.access.snapshot.forget_parent()
        self.log.forget_parent()
        self._core.runner.forget_parent()
        self._core.history.forget_parent()
        if self._database is not None:
            self._database.forget_parent()
        self._lease = self._open_lease()

    def _open_lease(self) -> Lease:
        if self._database is None:
            return MemoryLease(self._core.clock)
        return SqlLease(self._database, self.environment, self._core.clock)

    def _open_snapshots(self) -> Snapshots:
        if self._database is None:
            return MemorySnapshots()
        return SqlSnapshots(self._database, self.environment)

    def _open_standings(self) -> Standings:
        if self._database is None:
            return MemoryStandings()
        return SqlStandings(self._database, self.environment)

    def _open(
        self, url: str, environment: str, clock: Callable[[], Timestamp]
    ) -> tuple[EventLog, Rows]:
        if url == "memory://":
            return MemoryLog(environment, clock), MemoryRows()
        try:
            self._database = Database(url)
        except ValueError as error:  # A port or an option of the driver that is no number.
            raise InvalidInput(reason=f"the database's address is not valid: {error}") from error
        bring_up_to_date(self._database)
        return SqlLog(self._database, environment, clock), SqlRows(self._database, environment)

    @property
    def safe_url(self) -> str:
        """The database's address, without its password."""
        # Options may hold a password too, which SQLAlchemy would show.
        return str(self._database.url.set(query={})) if self._database else self.url

    @property
    def clock(self) -> Callable[[], Timestamp]:
        """What tells the time here."""
        return self._core.clock

    def schedule(self) -> Schedule | None:
        """Which scheduler looks at alerts and rollouts, and how often; None where none does."""
        return schedule_of(self.log, self._lease)

    def candidate(
        self, holder: str, *, evaluates_every_us: int, ttl_us: int = DEFAULT_TTL_US
    ) -> Candidate:
        """A scheduler that wants the lease, under a name that no other one has."""
        return Candidate(self._core, self._lease, holder, ttl_us, evaluates_every_us)

    def tick(self) -> None:
        """One look at everything: read models, alert rules, running waves."""
        self._core.runner.catch_up()
        self.alerts.watch()
        self.rollouts.evaluate_all()

    def events(self, **asked: Unpack[Question]) -> list[RecordedEvent[Event]]:
        """Events that meet all conditions, in order of the log.

        `slice`, `stream`, `type` (may end in a star: `flag.*`), `actor`, `kind`, `correlation_id`,
        `text` in reasons; `since` and `until` (exclusive), of when it happened unless `clock` is
        `recorded`; `after` and `before`, log positions, both exclusive; `newest_first`, `limit`.
        Raises InvalidInput.
        """
        return self.audit.events(**asked)

    def event(self, position: int) -> RecordedEvent[Event]:
        """The event at a log position. Raises EventNotFound."""
        found = self.log.read(position - 1, 1) if 1 <= position <= FARTHEST else []
        if not found:
            raise EventNotFound(position=position, last=self.head().position)
        return found[0]

    def head(self) -> Head:
        """Position and hash of the last event."""
        return self.log.head()

    def verify(
        self,
        *,
        expect: str | None = None,
        checkpoints: Iterable[Checkpoint] = (),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Head:
        """Walk the hash chain from the first event to the last. Raises ChainBroken.

        `expect`: `POSITION:HASH` as noted earlier, and `checkpoints`, as checkpoints.read gives
        them: the log must still hold them all.
        """
        noted = [checkpoint.head for checkpoint in checkpoints]
        return self.log.verify([*noted, *([witness(expect)] if expect else [])], progress)

    def checkpoint(
        self,
        key: Path,
        *,
        unverified: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Checkpoint:
        """Sign what the log is at this moment, with a private key in a file.

        The chain is walked first, unless it is to be signed `unverified`. Keep it where the
        database's administrators cannot write. Raises ChainBroken, InvalidInput, OSError.
        """
        signing = checkpoints.read_private_key(key)
        head = self.head() if unverified else self.verify(progress=progress)
        return checkpoints.sign(signing, self.environment, head, self.clock())

    def proof(self, after: int = 0, upto: int | None = None) -> Iterator[bytes]:
        """The lines of a file that proves a range of the log, without the database.

        Raises InvalidInput.
        """
        return proof_of(self.log, after, upto)

    def close(self) -> None:
        """Let go of threads and connections."""
        self._snapshot.close()
        self.log.close()
        self._snapshot.join()
        if self._database is not None:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _survive_fork(forget: weakref.WeakMethod[Callable[[], None]]) -> None:
    def in_child() -> None:
        method = forget()
        if method is not None:
            method()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)
