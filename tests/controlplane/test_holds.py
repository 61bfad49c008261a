"""What keeps a wave from being promoted, and what never keeps it from being rolled back."""

from collections.abc import Callable
from typing import Any

import pytest

from controlplane.commands import ExtendBake, Pause, Reject, Resume, Withdraw
from controlplane.errors import InvalidInput, NotHeld, SamePerson
from controlplane.flags import ChangeExposure
from events.event import Actor
from events.timestamps import DAY, HOUR, MINUTE
from tests.controlplane.samples import plan
from tests.controlplane.stage import ALICE, BOB, CAROL, DORA, Rehearsal, types

PAUSE = Pause(reason="the provider has an outage")


def running(**changes: Any) -> Rehearsal:
    """In wave 1, an hour of which 55 minutes are over."""
    rehearsal = Rehearsal(plan(**changes))
    rehearsal.starts()
    rehearsal.passes(55 * MINUTE)
    return rehearsal


def proposed(**changes: Any) -> Rehearsal:
    """Wave 1 passes, and its promotion is proposed."""
    rehearsal = running(**changes)
    rehearsal.passes(5 * MINUTE)
    assert "promotion_proposed" in types(rehearsal.judges())
    return rehearsal


def resume(by: Actor = BOB) -> Resume:
    return Resume(resumed_by=by, reason="over")


# Pausing


def test_paused_nothing_is_proposed_and_the_clock_stands_still() -> None:
    rehearsal = running()
    assert types(rehearsal.does(PAUSE)) == ["held"]
    rehearsal.passes(DAY, every_us=HOUR)
    assert types(rehearsal.judges()) == ["wave_judged", "exposure_confirmed"]
    assert rehearsal.rollout.reason == "paused by alice: the provider has an outage"
    assert rehearsal.world.wave.lasted_us(rehearsal.now) == 55 * MINUTE


def test_resumed_the_wave_lasts_what_was_left_of_it() -> None:
    rehearsal = running()
    rehearsal.does(PAUSE)
    rehearsal.passes(DAY, every_us=HOUR)
    assert types(rehearsal.does(resume())) == ["hold_released"]
    rehearsal.passes(5 * MINUTE - 1)
    assert "promotion_proposed" not in types(rehearsal.judges())
    rehearsal.passes(1)
    assert "promotion_proposed" in types(rehearsal.judges())


def test_a_pause_ends_what_was_proposed() -> None:
    rehearsal = proposed()
    assert types(rehearsal.does(PAUSE)) == ["proposal_lapsed", "held"]
    assert rehearsal.rollout.state == "holding"


def test_paused_twice_is_paused_once() -> None:
    rehearsal = running()
    rehearsal.does(PAUSE)
    assert rehearsal.does(Pause(reason="again")) == []


@pytest.mark.parametrize("reason", ["", " \t"])
def test_who_pauses_says_why(reason: str) -> None:
    with pytest.raises(InvalidInput, match="to pause needs a reason"):
        running().does(Pause(reason=reason))


@pytest.mark.parametrize("by", [ALICE, BOB])
def test_anybody_resumes_from_a_pause(by: Actor) -> None:
    rehearsal = running()
    rehearsal.does(PAUSE)
    assert types(rehearsal.does(resume(by))) == ["hold_released"]


def test_what_nobody_holds_is_not_resumed() -> None:
    rehearsal = running()
    with pytest.raises(NotHeld, match="held by: nothing"):
        rehearsal.does(resume())
    rehearsal.freezes()
    rehearsal.passes(HOUR)
    rehearsal.judges()
    with pytest.raises(NotHeld, match="held by: frozen"):
        rehearsal.does(resume())


# Rejecting, withdrawing


def rejected() -> Rehearsal:
    rehearsal = proposed()
    id_ = rehearsal.rollout.proposal.id
    rehearsal.does(Reject(proposal=id_, rejected_by="bob", reason="no"), BOB)
    return rehearsal


def test_rejected_it_is_held_for_good_and_goes_on_being_watched() -> None:
    rehearsal = rejected()
    rehearsal.passes(10 * DAY, every_us=12 * HOUR)
    assert types(rehearsal.judges()) == ["wave_judged"]
    assert rehearsal.rollout.reason == "rejected by bob: no"


@pytest.mark.parametrize("by", [BOB, CAROL, Actor(kind="token", id="release-bot")])
def test_who_did_not_ask_for_it_releases_a_rejected_wave(by: Actor) -> None:
    rehearsal = rejected()
    assert types(rehearsal.does(resume(by), by)) == ["hold_released"]
    assert types(rehearsal.judges())[-1] == "promotion_proposed"
    assert rehearsal.rollout.proposal.id == "checkout-r1-p2"


@pytest.mark.parametrize("by", [ALICE, Actor.person(" ALICE "), Actor(kind="token", id="alice")])
def test_who_asked_for_it_does_not_undo_a_rejection(by: Actor) -> None:
    rehearsal = rejected()
    with pytest.raises(SamePerson):
        rehearsal.does(resume(by), by)
    rehearsal.does(PAUSE)
    with pytest.raises(SamePerson):  # Nor together with a pause of his own.
        rehearsal.does(resume(by), by)


def test_withdrawn_it_is_held_until_anybody_resumes_it() -> None:
    rehearsal = proposed()
    id_ = rehearsal.rollout.proposal.id
    rehearsal.does(Withdraw(proposal=id_, withdrawn_by="alice", reason="a fix comes"))
    assert "promotion_proposed" not in types(rehearsal.judges())
    rehearsal.does(resume(ALICE))
    assert "promotion_proposed" in types(rehearsal.judges())


# Freezes


def test_frozen_nothing_is_proposed_until_it_is_over() -> None:
    rehearsal = running()
    rehearsal.freezes()
    rehearsal.passes(HOUR)
    assert types(rehearsal.judges())[-1] == "held"
    assert rehearsal.rollout.reason == (
        "every criterion passes, but frozen until lifted by freeze-1 (peak)"
    )
    assert rehearsal.judges() == []
    rehearsal.thaws()
    assert types(rehearsal.judges()) == ["wave_judged", "hold_released", "promotion_proposed"]


def test_a_freeze_leaves_what_was_proposed_and_delays_its_promotion() -> None:
    rehearsal = proposed()
    rehearsal.freezes()
    assert types(rehearsal.judges()) == ["wave_judged"]
    assert types(rehearsal.approves())[-1] == "promotion_delayed"
    assert rehearsal.rollout.state == "promoting"
    rehearsal.passes(HOUR)
    assert "wave_entered" not in types(rehearsal.judges())
    rehearsal.thaws()
    assert types(rehearsal.judges())[-2:] == ["wave_promoted", "wave_entered"]
    assert rehearsal.flag.percentage == 50


def test_a_window_of_the_plan_freezes_as_well() -> None:
    """START is 2027-01-15, eight in the morning."""
    window = {"name": "rush hour", "starts": "2027-01-15T08:30", "duration": "2h"}
    rehearsal = running(freezes=[window])
    rehearsal.passes(5 * MINUTE)
    assert types(rehearsal.judges())[-1] == "held"
    assert "frozen until 2027-01-15T10:30Z by rush hour (in the plan)" in rehearsal.rollout.reason
    rehearsal.passes(90 * MINUTE)
    assert types(rehearsal.judges())[-1] == "promotion_proposed"


def test_a_freeze_is_over_when_it_is_over() -> None:
    rehearsal = running()
    rehearsal.freezes()
    rehearsal.passes(HOUR)
    rehearsal.judges()
    rehearsal.waits(20 * MINUTE)  # Now it is stale as well; the freeze is still on.
    assert "hold_released" not in types(rehearsal.judges())


# Exposure


def test_lowered_by_hand_the_wave_is_held_until_it_is_served_as_planned() -> None:
    rehearsal = proposed()
    audience = rehearsal.plan.waves[0].audience.to_audience()
    rehearsal.steers_flag(ChangeExposure(percentage=5, audience=audience))
    assert types(rehearsal.judges()) == ["wave_judged", "held", "proposal_lapsed"]
    assert rehearsal.rollout.reason == "the flag serves 5 % of beta, not the planned 10 %"
    rehearsal.steers_flag(ChangeExposure(percentage=10, audience=audience))
    assert types(rehearsal.judges()) == ["wave_judged", "hold_released", "promotion_proposed"]


def test_what_nobody_reports_is_held_in_time() -> None:
    rehearsal = Rehearsal(plan())
    rehearsal.starts()
    rehearsal.waits(30 * MINUTE)
    assert "held" not in types(rehearsal.judges())
    rehearsal.waits(1)
    assert types(rehearsal.judges()) == ["wave_judged", "held"]
    assert rehearsal.rollout.reason == "nobody reports the new code 30m after the wave began"
    rehearsal.serves(1)
    assert types(rehearsal.judges()) == ["wave_judged", "exposure_confirmed", "hold_released"]


def test_the_look_that_releases_a_hold_is_recorded_once() -> None:
    rehearsal = Rehearsal(plan())
    rehearsal.starts()
    rehearsal.waits(HOUR)
    rehearsal.judges()
    rehearsal.serves(1)
    assert types(rehearsal.judges())[-1] == "hold_released"
    assert rehearsal.judges() == []


# Longer


def test_a_bake_that_is_extended_lasts_as_much_longer() -> None:
    rehearsal = proposed()
    extended = rehearsal.does(ExtendBake(by_us=HOUR, reason="one more"))
    assert types(extended) == ["proposal_lapsed", "bake_extended"]
    assert rehearsal.rollout.state == "observing"
    rehearsal.passes(HOUR - 1)
    assert "promotion_proposed" not in types(rehearsal.judges())
    rehearsal.passes(1)
    assert types(rehearsal.judges())[-2:] == ["bake_completed", "promotion_proposed"]


@pytest.mark.parametrize(
    ("by_us", "reason"), [(0, "why"), (-1, "why"), (367 * DAY, "why"), (HOUR, " ")]
)
def test_a_bake_is_extended_by_some_time_for_a_reason(by_us: int, reason: str) -> None:
    with pytest.raises(InvalidInput):
        running().does(ExtendBake(by_us=by_us, reason=reason))


# Guardrails go on


def paused() -> Rehearsal:
    rehearsal = running()
    rehearsal.does(PAUSE)
    return rehearsal


def frozen() -> Rehearsal:
    rehearsal = running()
    rehearsal.freezes()
    rehearsal.passes(HOUR)
    rehearsal.judges()
    return rehearsal


def promoting() -> Rehearsal:
    rehearsal = proposed()
    rehearsal.freezes()
    rehearsal.approves()
    return rehearsal


HELD = [running, paused, frozen, proposed, promoting, rejected]


@pytest.mark.parametrize("begin", HELD)
def test_a_guardrail_rolls_back_whoever_holds_it(begin: Callable[[], Rehearsal]) -> None:
    rehearsal = begin()
    rehearsal.serves(60, failed=60)
    assert types(rehearsal.judges())[-1] == "rollback_started"
    assert not rehearsal.flag.enabled
    assert rehearsal.flag.rollout is None


@pytest.mark.parametrize("begin", HELD)
def test_anybody_rolls_back_whoever_holds_it(begin: Callable[[], Rehearsal]) -> None:
    rehearsal = begin()
    assert types(rehearsal.aborts(DORA))[-1] == "rollback_started"
    assert (rehearsal.flag.enabled, rehearsal.rollout.state) == (False, "rolling_back")
