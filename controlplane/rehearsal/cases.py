"""What of a log is decided again: its rollouts, and flags that were served without one."""

from collections.abc import Iterable, Sequence

from controlplane.reading import Reading
from controlplane.rehearsal.outcomes import Case
from events.event import Event, RecordedEvent
from events.flags import FlagDisabled, FlagEnabled, flag_stream
from events.log import Replayable
from events.rollouts import RollbackStarted, RolloutStarted, rollout_stream
from projections.flags import FLAGS
from projections.incidents import INCIDENTS
from projections.rollouts import ROLLOUTS, Rollout

Recorded = RecordedEvent[Event]


def of_rollout(reading: Reading, log: Replayable, rollout: Rollout) -> Case:
    """A rollout, from its draft to its end, or to now."""
    stream = log.read_stream(rollout_stream(rollout.id))
    end = stream[-1].position if rollout.is_final else log.head().position
    rolled_back = any(isinstance(one.event, RollbackStarted) for one in stream)
    began = next((one.position for one in stream if isinstance(one.event, RolloutStarted)), end)
    return Case(
        flag=rollout.flag,
        rollout=rollout.id,
        start=stream[0].position - 1,
        end=end,
        began_at=rollout.started_at,
        ended_at=rollout.ended_at,
        went_wrong=rolled_back or _has_incident(reading, rollout.flag, began, end),
    )


def between(
    reading: Reading, log: Replayable, start: int, end: int, flag: str | None, *, by_hand: bool
) -> list[Case]:
    """What was under way in a stretch of the log, each case whole.

    `by_hand`: not only rollouts, but also flags that were served without.
    """
    rollouts = [
        of_rollout(reading, log, rollout)
        for _, rollout in reading.scan(ROLLOUTS)
        if rollout.started_at and flag in (None, rollout.flag)
    ]
    found = list(rollouts)
    if by_hand:
        for name, _ in reading.scan(FLAGS):
            if flag in (None, name):
                others = [case for case in rollouts if case.flag == name]
                found += _by_hand(reading, log, name, others)
    under_way = [case for case in found if case.end > start and case.start < end]
    return sorted(under_way, key=lambda case: (case.start, case.flag))


def _by_hand(
    reading: Reading, log: Replayable, flag: str, rollouts: Sequence[Case]
) -> Iterable[Case]:
    """Each time that it was on, from a switching on to a switching off, but while a rollout ran."""
    since: Recorded | None = None
    for recorded in log.read_stream(flag_stream(flag)):
        if isinstance(recorded.event, FlagEnabled) and since is None:
            since = recorded
        elif isinstance(recorded.event, FlagDisabled) and since is not None:
            yield from _outside(reading, flag, since, recorded.position, rollouts)
            since = None
    if since is not None:
        yield from _outside(reading, flag, since, log.head().position, rollouts)


def _outside(
    reading: Reading, flag: str, since: Recorded, end: int, rollouts: Sequence[Case]
) -> Iterable[Case]:
    """What of a time lies before, between and behind rollouts."""
    start, began_at = since.position, since.occurred_at
    for case in sorted(rollouts, key=lambda one: one.start):
        if case.end <= start or case.start >= end:
            continue
        if case.start > start:
            yield _case(reading, flag, start, case.start, began_at)
        start = case.end
        began_at = case.ended_at
    if start < end:
        yield _case(reading, flag, start, end, began_at)


def _case(reading: Reading, flag: str, start: int, end: int, began_at: int) -> Case:
    wrong = _has_incident(reading, flag, start, end)
    return Case(flag=flag, start=start, end=end, began_at=began_at, went_wrong=wrong)


def _has_incident(reading: Reading, flag: str, start: int, end: int) -> bool:
    row = reading.get(INCIDENTS, flag)
    return any(start < incident.opened_position <= end for incident in row.all)
