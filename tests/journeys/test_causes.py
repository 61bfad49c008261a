"""What the log tells of why: every decision names the event that it follows from."""

import pytest

from events.event import Event, RecordedEvent
from events.timestamps import HOUR
from tests.journeys.traffic import ENOUGH, ON_CALL, Rolling


def chain(rolling: Rolling, type_: str) -> list[str]:
    """From the first cause to the latest event of a type."""
    (event,) = rolling.plane.events(type=type_, newest_first=True, limit=1)
    found = [event.type]
    while event.causation_id is not None:
        (event,) = cause_of(rolling, event)
        found.insert(0, event.type)
    return found


def cause_of(rolling: Rolling, event: RecordedEvent[Event]) -> list[RecordedEvent[Event]]:
    earlier = rolling.plane.events(before=event.position, limit=10**6)
    return [one for one in earlier if one.id == event.causation_id]


APPROVED = ["rollout.wave_judged", "rollout.promotion_proposed", "rollout.proposal_approved"]
EXPOSED = ["rollout.wave_promoted", "rollout.wave_entered", "flag.exposure_changed"]


def test_a_wave_that_people_let_through(rolling: Rolling) -> None:
    rolling.approve(rolling.propose())
    assert chain(rolling, "flag.exposure_changed") == [*APPROVED, *EXPOSED]


def test_a_promotion_that_waited_for_a_freeze(rolling: Rolling) -> None:
    proposal = rolling.propose()
    freeze = rolling.plane.freezes.declare(reason="an audit", actor=ON_CALL)
    rolling.approve(proposal)
    rolling.service.clock.advance(HOUR // 30)
    rolling.service.serves(ENOUGH)
    rolling.plane.freezes.lift(freeze.id, reason="over", actor=ON_CALL)
    rolling.plane.tick()
    assert rolling.now.wave == 2
    assert chain(rolling, "flag.exposure_changed") == [
        *(*APPROVED, "rollout.promotion_delayed", *EXPOSED)
    ]
    assert chain(rolling, "freeze.lifted") == ["freeze.declared", "freeze.lifted"]


def test_a_rollback_by_a_criterion(rolling: Rolling) -> None:
    rolling.service.runs(ENOUGH, failed=36)
    rolling.plane.rollouts.evaluate_all()
    assert chain(rolling, "flag.disabled") == [
        *("rollout.wave_judged", "rollout.rollback_started", "flag.disabled")
    ]
    rolling.service.clock.advance(HOUR)
    rolling.plane.rollouts.evaluate_all()
    assert chain(rolling, "rollout.rolled_back")[1:] == [
        *("rollout.rollback_started", "rollout.rolled_back")
    ]


@pytest.mark.parametrize("said", ["reject", "withdraw"])
def test_what_people_do_not_want(rolling: Rolling, said: str) -> None:
    proposal = rolling.propose()
    getattr(rolling.plane.rollouts, said)(proposal, actor=ON_CALL, reason="not on a Friday")
    past = {"reject": "rollout.proposal_rejected", "withdraw": "rollout.proposal_withdrawn"}[said]
    assert chain(rolling, "rollout.held") == [*APPROVED[:2], past, "rollout.held"]
    rolling.plane.rollouts.resume(rolling.id, actor=ON_CALL, reason="it is Monday")
    assert chain(rolling, "rollout.hold_released")[-2:] == [
        *("rollout.held", "rollout.hold_released")
    ]


def test_an_alert_and_what_became_of_it(rolling: Rolling) -> None:
    rolling.service.runs(20, failed=15)
    rolling.plane.tick()
    for alert in rolling.plane.alerts.open():
        rolling.plane.alerts.acknowledge(alert.id, actor=ON_CALL)
        rolling.plane.alerts.resolve(alert.id, actor=ON_CALL, reason="mended")
    assert chain(rolling, "alert.acknowledged") == ["alert.raised", "alert.acknowledged"]
    assert chain(rolling, "alert.resolved") == ["alert.raised", "alert.resolved"]
    (incident,) = rolling.plane.incidents.open()
    rolling.plane.incidents.close(incident.id, actor=ON_CALL, reason="mended")
    assert chain(rolling, "incident.closed") == [
        *("alert.raised", "incident.opened", "incident.closed")
    ]


def test_an_override_that_a_second_person_agreed_to(rolling: Rolling) -> None:
    plane = rolling.plane
    plane.rollouts.request_override(rolling.id, "error_rate", actor="ana", reason="known")
    plane.rollouts.approve_override(f"{rolling.id}-o1", actor=ON_CALL)
    asked = "rollout.override_requested"
    assert chain(rolling, "rollout.override_approved") == [asked, "rollout.override_approved"]
