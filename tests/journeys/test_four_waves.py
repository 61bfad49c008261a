"""The deployment plan as it is written: four waves, the soak, real durations, a clock we turn."""

from collections import Counter

import pytest

from events.timestamps import DAY, HOUR
from tests.journeys.traffic import AN_HOUR, ENGINEER, FLAG, ON_CALL, Rolling, types

WAVES = [
    # hours, stage, percentage of internal, beta and public users
    (24, "wave 1", (10, 0, 0)),
    (48, "wave 2", (10, 25, 0)),
    (48, "wave 3", (50, 50, 50)),
    (48, "wave 4", (100, 100, 100)),
]


def shares(rolling: Rolling) -> list[float]:
    return [rolling.service.share(group=group) for group in ("internal", "beta", "public")]


def test_four_waves_and_a_soak_make_a_rollout(rolling: Rolling) -> None:
    plane, clock, started = rolling.plane, rolling.service.clock, rolling.service.clock.now
    for hours, name, wanted in WAVES:
        assert (rolling.now.state, rolling.now.wave_name) == ("entering", name)
        assert shares(rolling) == pytest.approx(wanted, abs=8)
        rolling.hold(hours - 6, batches=6 * AN_HOUR)
        assert rolling.now.proposal is None, "proposed before its time"
        rolling.service.serves(100)
        proposal = rolling.propose(6)
        assert rolling.now.state == "proposed"
        assert shares(rolling) == pytest.approx(wanted, abs=8), "raised without approval"
        plane.rollouts.approve(proposal, actor=ON_CALL)
    assert rolling.now.state == "soaking"
    rolling.hold(13 * 24, step=24, batches=24 * AN_HOUR)
    assert rolling.now.proposal is None
    plane.rollouts.approve(rolling.propose(24), actor=ON_CALL)
    assert rolling.now.state == "completed"
    assert rolling.now.ended_at - started == 24 * HOUR + 3 * 48 * HOUR + 14 * DAY
    assert clock.now == rolling.now.ended_at
    assert plane.flags.get(FLAG).rollout is None
    assert shares(rolling) == [100, 100, 100]
    assert plane.metrics.total(FLAG).executions > 400
    counts = Counter(types(plane, correlation_id=rolling.id))
    assert counts["rollout.wave_promoted"] == counts["rollout.promotion_proposed"] == 5
    assert counts["rollout.completed"] == 1
    assert plane.alerts.all() == []
    plane.verify()
    judged_again = plane.rollouts.verify(rolling.id)
    assert judged_again.identical
    assert (judged_again.proposals, judged_again.incomparable) == (5, 0)
    assert judged_again.judgements == counts["rollout.wave_judged"] > 5


def test_what_a_wave_has_seen_does_not_count_for_the_next(rolling: Rolling) -> None:
    rolling.advance_to(2)
    status = rolling.plane.rollouts.status(rolling.id)
    assert (status.evidence.executions, status.rollout.verdict) == (0, "NO_DATA")
    rolling.hold(48, step=48, batches=5)
    assert rolling.now.proposal is None
    assert "more executions at this rate" in rolling.now.reason


def test_only_the_rollout_raises_the_exposure_while_it_runs(rolling: Rolling) -> None:
    with pytest.raises(Exception, match="is in charge") as refusal:
        rolling.plane.flags.set_percentage(FLAG, 100, actor=ENGINEER)
    assert rolling.id in str(refusal.value)
    with pytest.raises(Exception, match="is in charge"):
        rolling.plane.flags.archive(FLAG, actor=ENGINEER)
    with pytest.raises(Exception, match="is in charge"):
        rolling.plane.rollouts.start(flag=FLAG, actor=ENGINEER)


def test_a_second_attempt_starts_from_wave_1(rolling: Rolling) -> None:
    rolling.advance_to(3)
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="trying again")
    again = rolling.plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    assert (again.id, again.wave, again.attempt) == (f"{FLAG}-r2", 1, 2)
    assert shares(rolling) == pytest.approx((10, 0, 0), abs=8)
    assert rolling.plane.rollouts.status(again.id).evidence.executions == 0
