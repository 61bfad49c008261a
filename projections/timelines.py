"""What belongs to a flag in a stretch of the log, and what of it people want to read."""

from collections.abc import Iterable, Iterator

from events.access import CommandAccepted
from events.concerning import flag_of
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.freezes import FREEZE_STREAM, FreezeDeclared, FreezeEvent
from events.judgements import WaveJudged
from events.log import Replayable

Recorded = RecordedEvent[Event]
_PAGE = 5000


def stretch(log: Replayable, after: int, upto: int) -> Iterator[Recorded]:
    """The events above a position up to another one, in order."""
    while after < upto and (page := log.read(after, min(_PAGE, upto - after))):
        yield from (event for event in page if event.position <= upto)
        after = page[-1].position


def about(
    flag: str, events: Iterable[Recorded], without: frozenset[str] = frozenset()
) -> Iterator[Recorded]:
    """Those that concern a flag, and the commands from outside that led to any of them.

    `without`: freezes that are left out, with their lifting.
    """
    command: Recorded | None = None
    for event in events:
        if isinstance(event.event, CommandAccepted):
            command = event  # What it led to follows it, in one transaction.
        elif concerns(flag, event.event) and getattr(event.event, "freeze", None) not in without:
            if command is not None and event.causation_id == command.id:
                yield command
                command = None
            yield event


def concerns(flag: str, event: Event) -> bool:
    """Whether it is one of the flag's own, of its rollouts, alerts, incidents, or of a freeze.

    All freezes: they are one row, and whoever steps must pass every event that a row rests on.
    """
    return flag_of(event) == flag or isinstance(event, FreezeEvent)


def elsewhere(flag: str, log: Replayable) -> frozenset[str]:
    """The freezes that name flags, and not this one: they are no part of its story."""
    return frozenset(
        one.event.freeze
        for one in log.read_stream(FREEZE_STREAM)
        if isinstance(one.event, FreezeDeclared) and one.event.flags and flag not in one.event.flags
    )


def told(events: Iterable[Recorded]) -> Iterator[Recorded]:
    """What is worth a line: no executions, and of looks at a wave those with another verdict."""
    verdicts: dict[str, str] = {}
    for event in events:
        match event.event:
            case BatchExecuted():
                continue
            case WaveJudged(rollout=rollout, verdict=verdict):
                if verdicts.get(rollout) == verdict:
                    continue
                verdicts[rollout] = verdict
            case _:
                pass
        yield event
