"""What a look comes to: the first thing that speaks against going on."""

from typing import Any
from unittest.mock import patch

import pytest

from controlplane.assessment import Assessment, assess, digest
from controlplane.criteria.rate_below import RateBelow
from events import EVERYONE
from events.timestamps import HOUR, MINUTE
from projections.arms import Split
from projections.flags import Exposure
from projections.interventions import Interventions, SignOff
from projections.waves import WaveEvidence
from tests.controlplane.samples import (
    GUARD,
    HOLDING_GUARD,
    PLANNED,
    arm,
    plan,
    plan_data,
    seen,
    world,
)
from tests.projections.flag_events import BETA
from tests.projections.recording import START

GOOD = seen(300)
BAD = seen(300, 100)


def assessed(wave: WaveEvidence, after: int = HOUR, **circumstances: Any) -> Assessment:
    return assess(world(wave, after, **circumstances))


def said(look: Assessment) -> tuple[str, str, str | None]:
    return look.verdict, look.action, look.hold


def test_when_everything_passes_approval_is_asked_for() -> None:
    look = assessed(GOOD)
    assert (*said(look), look.reason) == ("PASS", "promote", None, "every criterion passes")
    assert [judgement.criterion for judgement in look.judgements] == ["error_rate", "bake_time"]
    assert (look.confirmed, look.baked, look.overdue, look.ready_in_us) == (True, True, "", 0)


# Failures


def test_a_guardrail_fails_on_little_data() -> None:
    assert assessed(seen(5, 5), after=MINUTE).action == "rollback"


def test_a_criterion_that_holds_is_no_guardrail() -> None:
    look = assessed(BAD, plan=plan([HOLDING_GUARD]))
    assert said(look) == ("FAIL", "hold", "criterion")
    assert look.reason.startswith("error_rate: 100 of 300 failed = 33.3%")


def test_a_guardrail_rolls_back_though_another_criterion_only_holds() -> None:
    both = plan([{**HOLDING_GUARD, "name": "a"}, {**GUARD, "name": "b"}])
    look = assessed(BAD, plan=both)
    assert look.action == "rollback"
    assert look.reason.startswith("b: ")


def test_a_criterion_that_warns_keeps_nothing_from_going_on() -> None:
    warns = plan([{**GUARD, "on_fail": "warn"}, {"kind": "zero_events"}])
    look = assessed(BAD, plan=warns)
    assert [one.verdict for one in look.judgements] == ["FAIL", "PASS", "PASS"]
    assert said(look) == ("PASS", "promote", None)
    assert look.reason.startswith("every criterion that must passes; warned of: error_rate FAIL (")


def test_without_an_execution_nothing_passes() -> None:
    short = plan_data([{"kind": "manual"}])["waves"]
    short[0]["hold"] = "10m"
    signed = SignOff("sign_off", 1, "", "bob", "", START)
    vouched = Interventions(sign_offs=(signed,))
    empty = seen(clock_from=START)
    look = assessed(empty, 10 * MINUTE, plan=plan(waves=short), interventions=vouched)
    assert look.verdict != "PASS"


def test_a_violated_invariant_rolls_back_though_no_rule_saw_it() -> None:
    look = assessed(seen(300, violations=1), plan=plan([{"kind": "zero_events"}]))
    assert (look.verdict, look.action) == ("FAIL", "rollback")
    assert look.reason == "critical_alerts: 1 invariant violations; need none"


# What is served


@pytest.mark.parametrize(
    ("exposures", "reason"),
    [
        ((), "the flag serves 0 % of beta, not the planned 10 %"),
        ((Exposure(BETA, 9.999),), "the flag serves 9.999 % of beta, not the planned 10 %"),
        ((Exposure(EVERYONE, 50),), "the flag serves 0 % of beta, not the planned 10 %"),
        (
            (*PLANNED, Exposure(EVERYONE, 50)),
            "the flag serves 50 % of everyone, more than the planned 0 %",
        ),
    ],
)
def test_what_is_not_served_as_planned_is_held(exposures: Any, reason: str) -> None:
    look = assessed(GOOD, exposures=exposures)
    assert said(look) == ("INCONCLUSIVE", "hold", "exposure")
    assert look.reason == reason


def test_the_soak_is_served_as_the_last_wave() -> None:
    fresh = seen(300, wave=3, last_at=START + 3 * HOUR)
    wide, narrow = (Exposure(EVERYONE, 50),), PLANNED
    assert assessed(fresh, 3 * HOUR, number=3, exposures=narrow).hold == "exposure"
    assert assessed(fresh, 3 * HOUR, number=3, exposures=wide).action == "promote"


@pytest.mark.parametrize(
    ("split", "hold"),
    [
        (Split(30, 270), None),
        (Split(150, 150), "split"),
        (Split(300, 0), None),
        (Split(0, 300), "split"),
    ],
    ids=["as planned", "too many", "nobody reports the old path", "nobody has the new one"],
)
def test_whom_clients_serve_is_held_against_the_plan(split: Split, hold: str | None) -> None:
    look = assessed(seen(300, split=split))
    assert look.hold == hold
    if hold:
        assert "units on the new path" in look.reason


def test_a_wave_that_nobody_reports_is_held_in_time() -> None:
    assert assessed(seen(), 30 * MINUTE).hold is None
    assert assessed(seen(), 30 * MINUTE + 1).hold == "exposure"
    assert assessed(seen(others=arm(300)), 31 * MINUTE).hold == "exposure"
    assert assessed(seen(1, last_at=START + 31 * MINUTE), 31 * MINUTE).hold is None


# Time


def test_stale_evidence_never_promotes() -> None:
    assert assessed(GOOD, HOUR + 15 * MINUTE).action == "promote"
    assert said(assessed(GOOD, HOUR + 15 * MINUTE + 1)) == ("NO_DATA", "wait", None)


@pytest.mark.parametrize(
    ("wave", "after", "verdict", "reason"),
    [
        (
            seen(),
            30 * MINUTE,
            "NO_DATA",
            "nobody of beta has reported the new code in this wave yet",
        ),
        (seen(30), HOUR, "INCONCLUSIVE", "error_rate: 0 of 30 failed"),
        (seen(300, last_at=START + MINUTE), MINUTE, "INCONCLUSIVE", "bake_time: 59m of 60m to go"),
        (seen(30, last_at=START + MINUTE), MINUTE, "INCONCLUSIVE", "; bake_time: 59m of 60m"),
        (seen(300, covered_us=20 * MINUTE), HOUR, "INCONCLUSIVE", "bake_time: 40m of 60m to go"),
    ],
    ids=["no data", "too little", "too early", "both", "after a silence"],
)
def test_what_does_not_pass_yet_is_waited_for(
    wave: WaveEvidence, after: int, verdict: str, reason: str
) -> None:
    look = assessed(wave, after)
    assert said(look) == (verdict, "wait", None)
    assert reason in look.reason


def test_an_extension_is_time_to_go() -> None:
    look = assessed(GOOD, interventions=Interventions(extended_us=HOUR))
    assert look.reason == "bake_time: 60m of 120m to go"
    assert (look.baked, look.ready_in_us) == (False, HOUR)


def test_evidence_of_another_rollout_is_no_evidence() -> None:
    look = assessed(GOOD, 20 * MINUTE, rollout="checkout-r0")
    assert (look.verdict, look.action, look.confirmed) == ("NO_DATA", "wait", False)


# Faults


@pytest.mark.parametrize(("wave", "action"), [(GOOD, "wait"), (BAD, "rollback")])
def test_a_faulty_criterion_promotes_nothing_and_stops_no_other(
    wave: WaveEvidence, action: str
) -> None:
    judge = RateBelow.judge

    def faulty(criterion: RateBelow, seen: Any) -> Any:
        if criterion.name == "faulty":
            raise ZeroDivisionError("by nothing")
        return judge(criterion, seen)

    with patch.object(RateBelow, "judge", faulty):
        look = assessed(wave, plan=plan([{**GUARD, "name": "faulty"}, GUARD]))
    assert look.action == action
    error = look.judgements[0]
    assert error.verdict == "ERROR"
    assert error.sentence == "could not be judged: ZeroDivisionError: by nothing"
    if action == "wait":
        assert look.verdict == "ERROR"


# Evidence


def test_the_evidence_of_a_wave_is_its_own_and_the_one_before_is_known() -> None:
    second = world(seen(2, wave=2), number=2)
    assert second.wave.executions == 2
    before = second.seen().previous
    assert before is not None
    assert before.wave == 1
    assert world(GOOD).seen().previous is None


def test_the_digest_tells_evidence_apart() -> None:
    assert digest(seen(300)) == digest(seen(300))
    assert len({digest(wave) for wave in (seen(300), seen(301), seen(300, 1))}) == 3


def test_what_is_judged_twice_is_judged_alike() -> None:
    assert assess(world(seen(300, 3))) == assess(world(seen(300, 3)))
