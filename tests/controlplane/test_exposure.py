"""What the split of units says of plans that serve some more than others."""

from typing import Any

import pytest

from controlplane.errors import InvalidInput
from controlplane.flags import ChangeExposure
from controlplane.plans import Plan
from events.timestamps import MINUTE
from tests.controlplane.samples import BETA, GUARD, plan, plan_data
from tests.controlplane.stage import BOB, CAROL, Rehearsal, types


def two(first: dict[str, Any], second: dict[str, Any]) -> Plan:
    """The sample plan with two waves that serve otherwise."""
    waves = plan_data([GUARD])["waves"]
    served = [wave | stage for wave, stage in zip(waves, (first, second), strict=True)]
    return plan([GUARD], waves=served)


def in_wave_2(plan: Plan) -> Rehearsal:
    rehearsal = Rehearsal(plan)
    rehearsal.starts()
    rehearsal.passes(MINUTE, every_us=MINUTE)
    rehearsal.skips(BOB)
    rehearsal.approves(CAROL)
    rehearsal.waits(MINUTE)
    return rehearsal


def serve(rehearsal: Rehearsal, audience: str, on: int, off: int) -> None:
    rehearsal.serves(on, off=off, audience=audience)


EVERYONE = {"name": "everyone"}


def test_a_wave_for_everyone_takes_in_those_of_narrower_waves() -> None:
    rehearsal = in_wave_2(
        two({"audience": BETA, "percentage": 10}, {"audience": EVERYONE, "percentage": 50})
    )
    serve(rehearsal, "beta", 100, 100)
    serve(rehearsal, "everyone", 200, 200)
    assert rehearsal.look().assessment.hold is None


def test_a_wave_that_is_not_served_as_planned_is_held() -> None:
    rehearsal = in_wave_2(
        two({"audience": BETA, "percentage": 10}, {"audience": EVERYONE, "percentage": 50})
    )
    serve(rehearsal, "everyone", 100, 300)
    assert rehearsal.look().assessment.hold == "split"


def test_all_of_a_few_and_then_some_of_everyone_is_a_plan() -> None:
    rehearsal = in_wave_2(
        two({"audience": BETA, "percentage": 100}, {"audience": EVERYONE, "percentage": 10})
    )
    serve(rehearsal, "beta", 100, 0)
    serve(rehearsal, "everyone", 100, 900)
    assert rehearsal.look().assessment.hold is None, rehearsal.look().assessment.reason


def test_a_plan_goes_forward() -> None:
    with pytest.raises(InvalidInput, match=r"wave 2 serves 10 % of beta after 50 %"):
        two({"audience": BETA, "percentage": 50}, {"audience": BETA, "percentage": 10})


# Once they were found at another share, it takes a PASS to believe them again


def astray() -> Rehearsal:
    """Held, for clients serve a quarter instead of a half."""
    rehearsal = in_wave_2(
        two({"audience": BETA, "percentage": 10}, {"audience": EVERYONE, "percentage": 50})
    )
    serve(rehearsal, "everyone", 100, 300)
    assert "held" in types(rehearsal.judges())
    return rehearsal


def turned_down_and_up(rehearsal: Rehearsal) -> None:
    """Counted anew."""
    for percentage in (0, 50):
        rehearsal.steers_flag(ChangeExposure(percentage=percentage))
    rehearsal.waits(MINUTE)


def test_counted_anew_few_units_are_not_believed_yet() -> None:
    rehearsal = astray()
    turned_down_and_up(rehearsal)
    serve(rehearsal, "everyone", 30, 30)
    assert "hold_released" not in types(rehearsal.judges())
    look = rehearsal.look().assessment
    assert look.reason.startswith("clients did not serve the planned share; since then: 30 of 60")
    assert look.hold == "split"


def test_counted_anew_enough_units_at_the_planned_share_are() -> None:
    rehearsal = astray()
    turned_down_and_up(rehearsal)
    serve(rehearsal, "everyone", 60, 60)
    assert "hold_released" in types(rehearsal.judges())
