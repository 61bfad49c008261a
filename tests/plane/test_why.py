"""From what somebody was served back to the look that spoke for it, and down again."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from controlplane import ControlPlane
from events.access import CommandAccepted
from events.event import Event, NewEvent, RecordedEvent
from events.log import EventLog
from projections.audit import Effect
from tests.journeys.traffic import FLAG, Clock
from tests.plane.audited import Audited, audited, drafted, promoted, rolled_back
from tests.plane.lived import Deed, lived, lives

PROMOTED = [
    *("rollout.wave_judged", "rollout.promotion_proposed", "rollout.proposal_approved"),
    *("rollout.wave_promoted", "rollout.wave_entered"),
]


@pytest.fixture
def story(clock: Clock) -> Iterator[Audited]:
    """A rollout from its draft to the end of its rollback."""
    with ControlPlane("memory://", clock=clock) as plane:
        told = audited(plane, clock)
        for part in (drafted, promoted, rolled_back):
            part(told)
        yield told


def causes(plane: ControlPlane, event: RecordedEvent[Event]) -> list[str]:
    return [one.type for one in plane.audit.why(event.position).causes]


def last(plane: ControlPlane, type_: str) -> RecordedEvent[Event]:
    return plane.events(type=type_, newest_first=True, limit=1)[0]


def below(effects: tuple[Effect, ...]) -> list[str]:
    return [name for one in effects for name in (one.event.type, *below(one.effects))]


def refuse_effects_first(log: EventLog) -> None:
    """Every cause is in the log, and before what it led to: so none leads round."""
    known: set[str] = set()
    for event in log.read(0, 10**9):
        assert event.causation_id is None or event.causation_id in known, event
        known.add(event.id)


def test_a_promotion_goes_back_to_the_look_that_proposed_it(story: Audited) -> None:
    changed = next(one for one in story.plane.events(actor="ben") if one.type.startswith("flag."))
    over_http = [*PROMOTED[:2], "access.command_accepted", *PROMOTED[2:]]
    assert causes(story.plane, changed) == over_http
    look = story.plane.audit.why(changed.position).causes[0]
    led_to = below(story.plane.audit.why(look.position).effects)
    assert [one for one in led_to if one in over_http[1:]] == over_http[1:]
    assert led_to[-1] == "flag.exposure_changed"


def test_a_start_goes_back_to_the_draft(story: Audited) -> None:
    enabled = last(story.plane, "flag.enabled")
    assert causes(story.plane, enabled) == [
        *("rollout.drafted", "rollout.submitted", "access.command_accepted"),
        *("rollout.start_approved", "rollout.armed", "rollout.started", "rollout.wave_entered"),
    ]


def test_whose_command_it_was_is_not_whose_proposal_it_was(story: Audited) -> None:
    """The end of a rollback follows from an alert; a command before that is no command of it."""
    for deed in story.plane.audit.who_changed(FLAG):
        assert deed.command is None or deed.command.actor == deed.event.actor
    confirmed = last(story.plane, "rollout.rolled_back")
    assert causes(story.plane, confirmed) == ["alert.raised", "rollout.rollback_started"]
    released = last(story.plane, "rollout.hold_released")
    assert causes(story.plane, released) == ["rollout.held"]


def test_every_cause_is_an_earlier_event(story: Audited) -> None:
    refuse_effects_first(story.plane.log)


@settings(max_examples=15)
@given(lives)
def test_in_any_life_every_cause_is_an_earlier_event(life: list[Deed]) -> None:
    with lived(life, None) as found:
        refuse_effects_first(found.plane.log)
        for event in found.plane.events(limit=10**6):
            why = found.plane.audit.why(event.position)
            assert why.missing is None
            told = [one.position for one in (*why.causes, why.event)]
            assert told == sorted(set(told))


def before_causes(log: EventLog) -> list[NewEvent]:
    """As it was written before rollouts' events told their causes, but for commands over HTTP."""
    told = log.read(0, 10**9)
    by_id = {one.id: one for one in told}

    def cause(event: RecordedEvent[Event]) -> str | None:
        nearest = event
        while nearest.causation_id is not None:
            nearest = by_id[nearest.causation_id]
            own = (nearest.occurred_at, nearest.actor) == (event.occurred_at, event.actor)
            if own and isinstance(nearest.event, CommandAccepted):
                return nearest.id
        return event.causation_id if event.type.startswith("flag.") else None

    return [
        NewEvent(
            stream=one.stream,
            event=one.event,
            id=one.id,
            occurred_at=one.occurred_at,
            actor=one.actor,
            correlation_id=one.correlation_id,
            causation_id=cause(one),
        )
        for one in told
    ]


def test_an_older_log_that_tells_fewer_causes_is_answered_from_all_the_same(story: Audited) -> None:
    with ControlPlane("memory://", clock=story.clock) as plane:
        plane.log.append(before_causes(story.plane.log))
        assert plane.head().position == story.plane.head().position
        entered = last(plane, "rollout.wave_entered")
        assert causes(plane, entered) == [*PROMOTED[:2], "access.command_accepted", *PROMOTED[2:4]]
        down = plane.audit.why(last(plane, "rollout.promotion_proposed").position)
        assert below(down.effects)[:1] == ["access.command_accepted"]
        for event in plane.events(limit=10**6):
            assert plane.audit.why(event.position).missing is None
