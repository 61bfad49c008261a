"""Taking every decision of a stretch again, from the events alone: it must come out the same."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile

from controlplane.errors import InvalidInput
from controlplane.history.accounting import account, must_be_accounted
from controlplane.history.differences import Difference
from controlplane.history.redeciding import Kind, Redecided, Seen, as_of, decide, is_decision, see
from controlplane.history.replaying import Replay
from events.codec import encode
from events.event import Event, RecordedEvent
from events.flags import FlagDisabled
from events.incidents import IncidentEvent
from events.judgements import WaveJudged
from events.rollouts import RollbackStarted
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
    decisions = [one for one in events if is_decision(one)]
    places = [p for p, one in enumerate(events) if is_decision(one) or must_be_accounted(one)]
    seen = _seen(history, flag, decisions)
    stood = Stepping(history, 0)
    counted: Counter[str] = Counter()
    found: list[Difference] = []
    accounted = _cut_off(history, start, events)
    for done, place in enumerate(places):
        progress(done, len(places))
        recorded, together = events[place], _together(events, place)
        if recorded.position in accounted:
            continue  # It was decided with one before.
        stood.forward(recorded.position - 1)
        if recorded.position in seen:
            for redecided in decide(stood, seen[recorded.position], recorded, together):
                counted[redecided.kind] += 1
                accounted |= {one.position for one in redecided.told}
                found += _differences(recorded.position, redecided)
        elif is_decision(recorded):
            counted["untold"] += 1
            accounted |= _came_of(recorded, together)
        else:
            outcome = account(stood, recorded, _turn(events, place))
            counted["untold"] += outcome == "untold"
            counted["rollbacks"] += outcome == "same"
            if outcome == "forged":
                nobody = Redecided(_kind(recorded.event), [recorded], [])
                found += _differences(recorded.position, nobody)
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
            if (found := see(stepping, recorded, flag)) is not None:
                seen[recorded.position] = found
    return seen


def _together(events: Sequence[Recorded], place: int) -> list[Recorded]:
    """From a decision on, what was recorded with it: by the same hand at the same moment."""
    first, found = events[place], list[Recorded]()
    for other in islice(events, place, None):
        if (other.occurred_at, other.actor) != (first.occurred_at, first.actor):
            break
        if found and (other.type == first.type or as_of(other.event) >= first.position):
            break  # Another one, and its own consequences.
        found.append(other)
    return found


def _turn(events: Sequence[Recorded], place: int) -> list[Recorded]:
    """All around an event that was recorded by the same hand at the same moment."""
    before = takewhile(
        partial(_is_by_the_same, events[place]), (events[at] for at in range(place, -1, -1))
    )
    after = takewhile(partial(_is_by_the_same, events[place]), islice(events, place + 1, None))
    return [*before, *after]


def _is_by_the_same(one: Recorded, other: Recorded) -> bool:
    return (one.occurred_at, one.actor) == (other.occurred_at, other.actor)


def _came_of(recorded: Recorded, together: Sequence[Recorded]) -> set[int]:
    """What an untold decision led to: of a look all that is with it, of an alert what it caused."""
    caused = {recorded.id}
    for one in together:
        if one.causation_id in caused or isinstance(recorded.event, WaveJudged):
            caused.add(one.id)
    return {one.position for one in together if one.id in caused}


def _cut_off(history: History, start: int, events: Sequence[Recorded]) -> set[int]:
    """What was recorded with the last event before the stretch: what led to it lies there."""
    before = history.log.read(start - 1, 1) if start else []
    if not before or before[0].position != start:
        return set()
    rest = takewhile(partial(_is_by_the_same, before[0]), events)
    return {one.position for one in rest if not is_decision(one)}


def _kind(event: Event) -> Kind:
    if isinstance(event, IncidentEvent):
        return "incidents"
    return "rollbacks" if isinstance(event, RollbackStarted | FlagDisabled) else "judgements"


def _differences(position: int, found: Redecided) -> Iterator[Difference]:
    """Event for event."""
    told, decided = [_said(one.event) for one in found.told], [_said(one) for one in found.decided]
    for place in range(max(len(told), len(decided))):
        was = told[place] if place < len(told) else _NOTHING
        is_ = decided[place] if place < len(decided) else _NOTHING
        if was != is_:
            yield Difference(position, found.kind, was, is_)


def _said(event: Event) -> str:
    return f"{event.TYPE} {encode(event)}"
