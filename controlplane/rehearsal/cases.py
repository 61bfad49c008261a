"""What of a log is decided again: its rollouts, and flags that were served without one."""

from collections.abc import Iterable, Sequence

from controlplane.reading import Reading
from controlplane.rehearsal.outcomes import Case
from events.flags import FlagDisabled, FlagEnabled, flag_stream
from events.log import Replayable
from events.rollouts import RollbackStarted, RolloutStarted, rollout_stream
from projections.flags import FLAGS
from projections.incidents import INCIDENTS
from projections.rollouts import ROLLOUTS, Rollout


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
        went_wrong=rolled_back or _incidents(reading, rollout.flag, began, end),
    )


def between(
    reading: Reading, log: Replayable, start: int, end: int, flag: str | None, *, by_hand: bool
) -> list[Case]:
    """The rollouts that began in a stretch of the log; `by_hand`: and what was served without."""
    rollouts = [
        of_rollout(reading, log, rollout)
        for _, rollout in reading.scan(ROLLOUTS)
        if rollout.started_at and flag in (None, rollout.flag)
    ]
    found = [case for case in rollouts if case.end > start and case.start < end]
    if by_hand:
        for name, _ in reading.scan(FLAGS):
            if flag in (None, name):
                others = [case for case in rollouts if case.flag == name]
                found += _by_hand(reading, log, name, others, (start, end))
    return sorted(found, key=lambda case: (case.start, case.flag))


def _by_hand(
    reading: Reading, log: Replayable, flag: str, others: Sequence[Case], within: tuple[int, int]
) -> Iterable[Case]:
    """Each time from a switching on to the next switching off, while no rollout was about."""
    since: int | None = None
    head = log.head().position
    for recorded in [*log.read_stream(flag_stream(flag)), None]:
        position = recorded.position if recorded else head
        event = recorded.event if recorded else None
        if isinstance(event, FlagEnabled):
            since = position if since is None else since
        elif since is not None and (event is None or isinstance(event, FlagDisabled)):
            start, end = max(since, within[0]), min(position, within[1])
            if start < end and not any(one.start < end and start < one.end for one in others):
                wrong = _incidents(reading, flag, start, end)
                yield Case(flag=flag, start=start, end=end, went_wrong=wrong)
            since = None


def _incidents(reading: Reading, flag: str, start: int, end: int) -> bool:
    row = reading.get(INCIDENTS, flag)
    return any(start < incident.opened_position <= end for incident in row.all)
