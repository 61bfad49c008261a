"""Judging again: what was not judged, or had no leave, is found in the log."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from controlplane.assessment import EVALUATOR
from events.event import Actor, Event, NewEvent
from events.flags import EVERYONE
from events.judgements import WaveJudged, judgement_stream
from events.promotions import PromotionProposed, WavePromoted
from events.rollouts import WaveEntered, rollout_stream
from events.timestamps import HOUR, MINUTE
from tests.journeys.traffic import AN_HOUR, Rolling


def forge(rolling: Rolling, *events: Event, at: int = 0) -> None:
    """Append what nobody decided; the hash chain is none the worse for it."""
    streams = {WaveJudged: judgement_stream(rolling.id)}
    new = [
        NewEvent(
            stream=streams.get(type(event), rollout_stream(rolling.id)),
            event=event,
            id=str(UUID(int=rolling.plane.head().position * 100 + number)),
            occurred_at=at or rolling.service.clock.now,
            actor=Actor.person("mallory"),
        )
        for number, event in enumerate(events)
    ]
    rolling.plane.log.append(new)
    rolling.plane.verify()


def found(rolling: Rolling) -> set[str]:
    verification = rolling.plane.rollouts.verify(rolling.id)
    assert verification.identical == (not verification.differences)
    return {difference.what for difference in verification.differences}


def test_what_was_judged_and_approved_is_identical(rolling: Rolling) -> None:
    rolling.advance_to(3)
    rolling.hold(12, batches=6 * AN_HOUR)
    assert found(rolling) == set()


def test_a_promotion_without_approval_is_found(rolling: Rolling) -> None:
    rolling.hold(6)
    entered = rolling.plane.events(type="rollout.wave_entered")[0].event
    assert isinstance(entered, WaveEntered)
    wider = replace(entered, wave=2, name="wave 2", audience=EVERYONE, percentage=100)
    forge(rolling, WavePromoted(rollout=rolling.id, proposal="", wave=1, to="wave 2"), wider)
    assert found(rolling) == {"approval"}


def test_a_wave_entered_without_a_promotion_is_found(rolling: Rolling) -> None:
    entered = rolling.plane.events(type="rollout.wave_entered")[0].event
    assert isinstance(entered, WaveEntered)
    forge(rolling, replace(entered, wave=2, name="wave 2"))
    assert found(rolling) == {"approval"}


@pytest.mark.parametrize(("evaluator", "what"), [(EVALUATOR, "verdict"), (99, "evaluator")])
def test_a_judgement_that_was_made_up_is_found(rolling: Rolling, evaluator: int, what: str) -> None:
    rolling.hold(6)
    judged = rolling.plane.events(type="rollout.wave_judged")[0].event
    assert isinstance(judged, WaveJudged)
    now = rolling.service.clock.now
    forge(rolling, replace(judged, verdict="PASS", judged_at=now, evaluator=evaluator))
    assert what in found(rolling)


def test_a_judgement_of_an_earlier_evaluator_is_counted_and_not_called_wrong(
    rolling: Rolling,
) -> None:
    rolling.hold(6)
    judged = rolling.plane.events(type="rollout.wave_judged")[0].event
    assert isinstance(judged, WaveJudged)
    forge(rolling, replace(judged, verdict="PASS", evaluator=0))
    verification = rolling.plane.rollouts.verify(rolling.id)
    assert (verification.identical, verification.incomparable) == (True, 1)


def test_a_proposal_that_looks_at_a_better_past_is_found(rolling: Rolling) -> None:
    rolling.propose()
    proposed = rolling.plane.events(type="rollout.promotion_proposed")[0]
    event = proposed.event
    assert isinstance(event, PromotionProposed)
    rolling.service.clock.advance(HOUR)
    rolling.service.runs(20, failed=20, over=MINUTE)
    forge(rolling, replace(event, proposal=f"{rolling.id}-p9"), at=proposed.occurred_at)
    assert "time" in found(rolling)
