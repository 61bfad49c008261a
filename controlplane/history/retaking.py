"""Taking every decision of a stretch again, from the events alone: it must come out the same."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from controlplane.errors import InvalidInput
from controlplane.history.differences import Difference
from controlplane.history.redeciding import Redecided, Seen, as_of, decide, is_decision, see
from controlplane.history.replaying import Replay
from events.codec import encode
from events.event import Event, RecordedEvent
from events.rollouts import RollbackStalled, RolloutRolledBack
from projections.frames import Stepping
from projections.replay import History
from projections.timelines import about, stretch

Recorded = RecordedEvent[Event]
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Retaken:
    """What came of deciding again."""

    judgements: int
    """Looks at waves, each with all that it led to."""
    alerts: int
    """Alerts that rules raised or resolved."""
    rollbacks: int
    """What criteria, time or rules switched off, and rollbacks that reports confirmed."""
    incidents: int
    """Alerts, by the incident that each of them opened or joined, or neither."""
    untold: int
    """Decisions that do not tell what they were made of, or are another evaluator's."""
    differences: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        """Whether everything that could be decided again came out the same."""
        return not self.differences


def retake_story(
    story: Replay, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Retaken:
    """Every decision of a story: of a file, of all that is in it. Raises InvalidInput."""
    if story.flag is None:
        raise InvalidInput(reason="say of which flag: --flag NAME, an incident, or a rollout")
    start = story.start if story.complete_from is None else story.complete_from
    return retake(story.history, story.flag, start, story.end, progress)


def retake(
    history: History,
    flag: str,
    start: int,
    end: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Retaken:
    """Decide again, about one flag, all that rules and criteria decided; event for event.

    Folded from the first event on: no snapshot is believed here. `progress` is called with
    decisions done, and decisions in all.
    """
    events = list(about(flag, stretch(history.log, start, end)))
    places = [place for place, one in enumerate(events) if is_decision(one.event)]
    seen = _seen(history, flag, [events[place] for place in places])
    stood = Stepping(history, 0)
    counted: Counter[str] = Counter()
    found: list[Difference] = []
    for done, place in enumerate(places):
        progress(done, len(places))
        recorded, together = events[place], _together(events, place)
        if place and _is_second(recorded, events[place - 1]):
            continue  # It was decided with the one before.
        stood.forward(recorded.position - 1)
        if recorded.position not in seen:
            counted["untold"] += 1
            continue
        for redecided in decide(stood, seen[recorded.position], recorded, together):
            counted[redecided.kind] += 1
            found += _differences(recorded.position, redecided)
    progress(len(places), len(places))
    return Retaken(
        judgements=counted["judgements"],
        alerts=counted["alerts"],
        rollbacks=counted["rollbacks"],
        incidents=counted["incidents"],
        untold=counted["untold"],
        differences=tuple(found),
    )


def _seen(history: History, flag: str, decisions: Sequence[Recorded]) -> dict[int, Seen]:
    """By position: what was seen, as of the position that each decision tells."""
    stepping, seen = Stepping(history, 0), {}
    for recorded in sorted(decisions, key=lambda one: as_of(one.event)):
        if position := as_of(recorded.event):
            stepping.forward(position)
            if (found := see(stepping, recorded.event, flag)) is not None:
                seen[recorded.position] = found
    return seen


def _together(events: Sequence[Recorded], place: int) -> list[Recorded]:
    """From a decision on, what was recorded with it: by the same hand at the same moment."""
    first, found = events[place], list[Recorded]()
    for other in islice(events, place, None):
        if (other.occurred_at, other.actor) != (first.occurred_at, first.actor):
            break
        if found and other.type == first.type:
            break  # Another one, and its own consequences.
        found.append(other)
    return found


def _is_second(recorded: Recorded, before: Recorded) -> bool:
    """Whether it is the confirmation that came with a rollback's stalling."""
    return (
        isinstance(recorded.event, RolloutRolledBack)
        and isinstance(before.event, RollbackStalled)
        and before.occurred_at == recorded.occurred_at
    )


def _differences(position: int, found: Redecided) -> Iterator[Difference]:
    """Event for event."""
    told, decided = [_said(one) for one in found.told], [_said(one) for one in found.decided]
    for place in range(max(len(told), len(decided))):
        was = told[place] if place < len(told) else _NOTHING
        is_ = decided[place] if place < len(decided) else _NOTHING
        if was != is_:
            yield Difference(position, found.kind, was, is_)


def _said(event: Event) -> str:
    return f"{event.TYPE} {encode(event)}"
