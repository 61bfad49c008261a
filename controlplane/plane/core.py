"""What every part of the Python API stands on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from controlplane.errors import InvalidInput
from controlplane.execution import Context, Fence, Transaction, execute
from controlplane.plane.snapshot import FlagSnapshot
from controlplane.requests import current
from events.event import Actor
from events.log import EventLog
from events.timestamps import Timestamp, from_datetime, parse
from projections.projection import Projection, S
from projections.replay import History
from projections.rows import Rows
from projections.runner import Runner

T = TypeVar("T")
Who = str | Actor

_FENCE: ContextVar[Fence | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(fence: Fence) -> Iterator[None]:
    """Within it, commands of this thread append only while the fence stands, or raise LeaseLost."""
    before = _FENCE.set(fence)
    try:
        yield
    finally:
        _FENCE.reset(before)


@dataclass(frozen=True)
class Core:
    """One environment's log, its read models, and the edge."""

    log: EventLog
    rows: Rows
    runner: Runner
    snapshot: FlagSnapshot
    clock: Callable[[], Timestamp]
    new_id: Callable[[], str]
    history: History

    def run(self, work: Callable[[Transaction], T], context: Context) -> T:
        """Execute a command; return once the flags in memory and the read models reflect it."""
        result, position = execute(
            self.log,
            work,
            clock=self.clock,
            new_id=self.new_id,
            context=context,
            fence=_FENCE.get(),
            request=current(),
        )
        if position:
            # The flags first: a rollback must not wait for a backlog of measurements.
            self.snapshot.refresh()
            self.runner.catch_up(position)
        return result

    def append(self, work: Callable[[Transaction], object], context: Context) -> None:
        """Execute what answers nobody's request; the read models may follow later."""
        execute(self.log, work, clock=self.clock, new_id=self.new_id, context=context)

    def get(self, projection: Projection[S], key: str) -> S:
        """One row, up to date with the log; its initial state where there is none."""
        self.runner.catch_up()
        return self.rows.get_as_of(projection, key)[0]

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """Rows by key, up to date with the log."""
        self.runner.catch_up()
        return self.rows.scan(projection, start, stop)


def as_actor(who: Who) -> Actor:
    """A person by name, or an actor as given. Raises InvalidInput for nobody."""
    actor = Actor.person(printable(who).strip()) if isinstance(who, str) else who
    if not actor.id:
        raise InvalidInput(reason="say who acts: every change has a name to it")
    return actor


def printable(text: str) -> str:
    """The text as any log keeps it: switching off must not fail for the words it comes with."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)[:2000]


def context(who: Who, **belongs_to: Any) -> Context:
    """The context of a command by somebody."""
    return Context(actor=as_actor(who), **belongs_to)


def moment(value: datetime | str | None) -> Timestamp | None:
    """A datetime, or ISO 8601, in microseconds. Raises InvalidInput."""
    if value is None:
        return None
    if not isinstance(value, str | datetime):
        raise InvalidInput(reason=f"{value!r} is no moment: give a datetime or ISO 8601")
    try:
        return parse(value) if isinstance(value, str) else from_datetime(value)
    except ValueError as error:
        how = "write a date, a time and a zone, as in 2026-11-20T14:05Z"
        raise InvalidInput(reason=f"{value} is no moment: {error}; {how}") from error
