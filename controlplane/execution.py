"""The one loop: read → fold → decide → append → retry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import msgspec

from controlplane.errors import LeaseLost, TooManyConflicts
from controlplane.requests import Request
from events.access import CommandAccepted
from events.errors import ControlPlaneError, VersionConflict
from events.event import Actor, Event, NewEvent, RecordedEvent
from events.log import EventLog, Query
from events.timestamps import Timestamp
from projections.precedents import precedent
from projections.projection import Projection, S

T = TypeVar("T")
_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Context:
    """On whose behalf a command runs, and what it belongs to."""

    actor: Actor
    correlation_id: str | None = None
    causation_id: str | None = None


@dataclass(frozen=True)
class Fence:
    """A stream whose version says whose turn it is: who goes by an older one has lost it."""

    stream: str
    version: int


class Transaction:
    """What a command read and what it wants to append: all of it, or nothing.

    Every stream it folded must still be at that version when it appends, whether or not it
    appends to it: so a decision over several streams is as safe as one over one.
    """

    def __init__(
        self, log: EventLog, now: Timestamp, new_id: Callable[[], str], context: Context
    ) -> None:
        self.now = now
        self._log = log
        self._new_id = new_id
        self._context = context
        self._versions: dict[str, int] = {}
        self._read: dict[str, list[RecordedEvent[Event]]] = {}
        self._staged: list[NewEvent] = []

    def read(self, stream: str) -> list[RecordedEvent[Event]]:
        """One stream's events."""
        events = self._log.read_stream(stream)
        # Read again, it must still be what it was at first: that may have been acted on.
        self._versions.setdefault(stream, events[-1].version if events else 0)
        self._read[stream] = events
        return events

    def fold(self, projection: Projection[S], stream: str, key: str) -> S:
        """The state of one stream, as of its last event."""
        return projection.fold(key, self.read(stream))

    def fold_with_latest(
        self, projection: Projection[S], key: str, stream: str, other: str, type_: str
    ) -> S:
        """The state of one stream together with the latest event of a type of another one.

        For states that keep only the last of a long series: it need not be read as a whole.
        """
        events = self.read(stream)
        latest = self._log.search(Query(stream=other, newest_first=True, limit=1))
        self._versions.setdefault(other, latest[0].version if latest else 0)
        if latest and latest[0].type != type_:
            latest = self._log.search(Query(stream=other, type=type_, newest_first=True, limit=1))
        return projection.fold(key, sorted([*events, *latest], key=lambda event: event.position))

    def guard(self, stream: str, version: int) -> None:
        """Append only if the stream is still at this version, though it was not read."""
        self._versions.setdefault(stream, version)

    def stage(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        cause: str | None = None,
        belongs_to: str | None = None,
    ) -> str | None:
        """Add events to what will be appended; the id of the last one, or `cause` if none.

        `cause`: the id of the event that led to them, where none of their own stream did just now;
        `belongs_to`: their correlation id. What has no cause at all, not even a command over HTTP,
        follows from what was read of its stream: an approval from its proposal.
        """
        for event in events:
            staged = (new for new in reversed(self._staged) if new.stream == stream)
            just_now = precedent(event, staged)
            led_to = just_now.id if just_now else cause or self._context.causation_id
            if led_to is None:
                before = precedent(event, reversed(self._read.get(stream, [])))
                led_to = before.id if before else None
            new = NewEvent(
                stream=stream,
                event=event,
                id=self._new_id(),
                occurred_at=self.now,
                actor=self._context.actor,
                correlation_id=belongs_to or self._context.correlation_id,
                causation_id=led_to,
            )
            self._staged.append(new)
        return self._staged[-1].id if events else cause

    def stage_first(self, stream: str, event: Event, id_: str) -> None:
        """Put one in front of all that was staged, under the id that they name as their cause."""
        behind, self._staged = self._staged, []
        context, self._context = self._context, replace(self._context, causation_id=None)
        self.stage(stream, [event])
        self._context = context
        self._staged = [*(msgspec.structs.replace(new, id=id_) for new in self._staged), *behind]

    def foresee(self, projection: Projection[S], state: S, events: Sequence[Event]) -> S:
        """The state as it will be once these events are in the log.

        For what is decided on them at once.
        """
        for event in events:
            state = projection.evolve(state, self._provisional(event))
        return state

    def _provisional(self, event: Event) -> RecordedEvent[Event]:
        """As it would be recorded, its place in the log left open."""
        return RecordedEvent(
            environment="",
            position=0,
            id="",
            stream="",
            version=0,
            type=event.TYPE,
            schema_version=event.SCHEMA_VERSION,
            occurred_at=self.now,
            recorded_at=self.now,
            actor=self._context.actor,
            correlation_id=None,
            causation_id=None,
            data="",
            hash="",
            event=event,
        )

    @property
    def staged(self) -> Sequence[NewEvent]:
        """What will be appended."""
        return self._staged

    @property
    def versions(self) -> Mapping[str, int]:
        """Which streams were read, and at which version."""
        return self._versions


def execute(
    log: EventLog,
    work: Callable[[Transaction], T],
    *,
    clock: Callable[[], Timestamp],
    new_id: Callable[[], str],
    context: Context,
    fence: Fence | None = None,
    request: Request | None = None,
) -> tuple[T, int]:
    """Run `work` until what it decided still holds when it is appended; its result, the position.

    The position is that of the last appended event, 0 where nothing changed. What came from
    outside as a `request` is recorded in front of what it led to; done before under the same key,
    it is not done again: its result then was a text or None. Raises what `work` raises,
    LogUnavailable, LeaseLost where the fence has moved, KeyReused, PreconditionFailed, and
    TooManyConflicts after 50 attempts.
    """
    if request is not None:
        return _execute_request(log, work, clock, new_id, context, request)
    for _ in range(_ATTEMPTS):
        transaction = Transaction(log, clock(), new_id, context)
        if fence is not None:  # First: of several conflicts, the first one is told.
            transaction.guard(fence.stream, fence.version)
        result = work(transaction)
        if not transaction.staged:
            return result, 0
        try:
            receipts = log.append(transaction.staged, expected=transaction.versions)
        except VersionConflict as conflict:
            if fence is not None and conflict.details["stream"] == fence.stream:
                raise LeaseLost from conflict
            continue
        return result, receipts[-1].position
    raise TooManyConflicts(attempts=_ATTEMPTS)


def _execute_request(
    log: EventLog,
    work: Callable[[Transaction], T],
    clock: Callable[[], Timestamp],
    new_id: Callable[[], str],
    context: Context,
    request: Request,
) -> tuple[T, int]:
    for _ in range(_ATTEMPTS):
        if (earlier := request.earlier(log)) is not None:
            done = cast("CommandAccepted", earlier.event).result
            return cast("T", done or None), earlier.position
        id_ = new_id()
        transaction = Transaction(log, clock(), new_id, replace(context, causation_id=id_))
        if request.expects is not None:
            transaction.guard(request.about, request.expects)
        if request.key:
            transaction.guard(request.stream, 0)
        try:
            request.refuse_changed(log)
            result = work(transaction)
        except ControlPlaneError:
            # What speaks against it may be that it was done just now, under the same key.
            if request.earlier(log) is None:
                raise
            continue
        changed = bool(transaction.staged)
        said = result if isinstance(result, str) else ""
        transaction.stage_first(request.stream, request.accepted(changed=changed, result=said), id_)
        try:
            receipts = log.append(transaction.staged, expected=transaction.versions)
        except VersionConflict:
            continue
        request.recorded = True
        return result, receipts[-1].position
    raise TooManyConflicts(attempts=_ATTEMPTS)
