"""Rolling back: from every state, in one call, and followed to its end."""

import pytest

from events.timestamps import SECOND
from projections.rollouts import Rollout
from tests.journeys.traffic import FLAG, ON_CALL, Rolling


@pytest.mark.parametrize("state", ["paused", "frozen", "promoting", "rejected", "exposure"])
def test_it_is_rolled_back_whatever_holds_it(rolling: Rolling, state: str) -> None:
    proposal = rolling.propose()
    rollouts, freezes = rolling.plane.rollouts, rolling.plane.freezes
    if state == "paused":
        rollouts.pause(rolling.id, actor=ON_CALL, reason="x")
    elif state == "rejected":
        rollouts.reject(proposal, actor=ON_CALL, reason="x")
    elif state == "exposure":
        audience = rolling.plane.flags.get(FLAG).exposures[0].audience
        rolling.plane.flags.set_percentage(FLAG, 1, audience=audience, actor=ON_CALL)
        rolling.plane.tick()
    else:
        freezes.declare(reason="x", actor=ON_CALL)
        if state == "promoting":
            rolling.approve(proposal)
        else:
            rollouts.withdraw(proposal, actor=ON_CALL, reason="x")
    rollouts.abort(rolling.id, actor="anybody", reason="stop")
    assert (rolling.now.state, rolling.service.share()) == ("rolling_back", 0)


def confirmed(rolling: Rolling) -> Rollout:
    rolling.plane.rollouts.follow_rollbacks()
    return rolling.now


def test_a_rollback_is_confirmed_by_what_clients_report(rolling: Rolling) -> None:
    rolling.service.runs(5)
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="stop")
    rolling.service.clock.advance(SECOND)
    rolling.service.serves(20)
    assert confirmed(rolling).state == "rolling_back"
    rolling.service.clock.advance(5 * SECOND)
    assert confirmed(rolling).state == "rolled_back"
    (event,) = rolling.plane.events(type="rollout.rolled_back")
    assert (event.event.confirmed_by, event.event.took_us) == ("reports", 0)


def test_a_rollback_that_clients_do_not_follow_pages(rolling: Rolling) -> None:
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="stop")
    for _ in range(8):
        rolling.service.clock.advance(5 * SECOND)
        rolling.service.runs(3)
        rolling.plane.tick()
    (stalled,) = rolling.plane.events(type="rollout.rollback_stalled")
    assert stalled.event.reports >= 18
    alerts = {alert.rule: alert for alert in rolling.plane.alerts.open()}
    assert alerts["ROLLBACK_STALLED"].severity == "critical"
    assert rolling.now.state == "rolling_back"
    rolling.service.clock.advance(31 * SECOND)
    assert confirmed(rolling).state == "rolled_back"
    (event,) = rolling.plane.events(type="rollout.rolled_back")
    assert (event.event.confirmed_by, event.event.took_us) == ("silence", 40 * SECOND)
