from typing import Any
from unittest.mock import patch

import pytest

from controlplane.assessment import Assessment, assess, digest, wave_evidence
from controlplane.criteria.rate_below import RateBelow
from events import EVERYONE
from events.timestamps import HOUR, MINUTE
from projections.evidence import Evidence, WaveEvidence
from projections.flags import Exposure, Flag
from projections.rollouts import Rollout
from tests.controlplane.samples import GUARD, HOLDING_GUARD, plan, seen
from tests.projections.flag_events import BETA
from tests.projections.recording import START

ID = "checkout-r1"
PLANNED = (Exposure(BETA, 10),)
GOOD = seen(300)
BAD = seen(300, 100)


def assessed(
    wave: WaveEvidence,
    after: int = HOUR,
    *,
    plan: Any = plan([GUARD]),  # noqa: B008  why: frozen
    exposures: tuple[Exposure, ...] = PLANNED,
    number: int = 1,
    failed: tuple[str, ...] = (),
    rollout: str = ID,
    open_alerts: Any = {},  # noqa: B006  why: only read
) -> Assessment:
    """The first wave, an hour after it began, unless something else is said."""
    waves = [*(seen(wave=earlier) for earlier in range(1, number)), wave]
    return assess(
        Rollout(ID, wave=number, waves=2, wave_entered_at=START, failed=failed, state="observing"),
        plan,
        Flag("checkout", enabled=bool(exposures), exposures=exposures),
        Evidence("checkout", rollout, gathering=True, waves=waves, open_alerts=open_alerts),
        START + after,
    )


def test_when_everything_passes_approval_is_asked_for() -> None:
    look = assessed(GOOD)
    assert (look.verdict, look.action, look.reason) == ("PASS", "promote", "every criterion passes")
    assert [judgement.criterion for judgement in look.judgements] == ["error_rate", "bake_time"]


# A failed guardrail comes first

STALE = HOUR + 16 * MINUTE


@pytest.mark.parametrize(
    "circumstances",
    [
        {},
        {"after": MINUTE},
        {"after": STALE},
        {"exposures": ()},
        {"exposures": (), "after": STALE, "failed": ("other",)},
    ],
    ids=["at its end", "too early", "stale", "not served", "all of it"],
)
def test_a_failed_guardrail_rolls_back_whatever_else_is_wrong(circumstances: Any) -> None:
    look = assessed(BAD, **circumstances)
    assert (look.verdict, look.action) == ("FAIL", "rollback")
    assert look.reason.startswith("error_rate: 100 of 300 failed = 33.3%")


def test_a_guardrail_fails_on_little_data() -> None:
    assert assessed(seen(5, 5), after=MINUTE).action == "rollback"


def test_a_criterion_that_holds_is_no_guardrail() -> None:
    look = assessed(BAD, plan=plan([HOLDING_GUARD]))
    assert (look.verdict, look.action) == ("FAIL", "wait")
    assert look.reason == "error_rate failed in this wave; it is held"


def test_a_guardrail_rolls_back_though_another_criterion_only_holds() -> None:
    both = plan([{**HOLDING_GUARD, "name": "a"}, {**GUARD, "name": "b"}])
    look = assessed(BAD, plan=both)
    assert look.action == "rollback"
    assert look.reason.startswith("b: ")


def test_a_wave_that_failed_once_is_held_though_everything_passes_now() -> None:
    look = assessed(GOOD, failed=("p95",))
    assert (look.verdict, look.action) == ("FAIL", "wait")
    assert look.reason == "p95 failed in this wave; it is held"


# Then the exposure, then freshness, then the criteria


@pytest.mark.parametrize(
    ("exposures", "reason"),
    [
        ((), "the flag serves 0 % of beta, not the planned 10 %"),
        ((Exposure(BETA, 9.999),), "the flag serves 9.999 % of beta, not the planned 10 %"),
        ((Exposure(EVERYONE, 50),), "the flag serves 0 % of beta, not the planned 10 %"),
    ],
)
def test_what_is_not_served_as_planned_is_never_promoted(exposures: Any, reason: str) -> None:
    look = assessed(GOOD, exposures=exposures)
    assert (look.verdict, look.action, look.reason) == ("INCONCLUSIVE", "wait", reason)


def test_the_exposure_is_looked_at_before_freshness() -> None:
    assert "the flag serves" in assessed(GOOD, STALE, exposures=()).reason


def test_the_soak_is_served_as_the_last_wave() -> None:
    soak, served = seen(300, wave=3), (Exposure(EVERYONE, 50),)
    assert assessed(soak, 3 * HOUR, number=3, exposures=PLANNED).action == "wait"
    fresh = seen(300, wave=3, last_at=START + 3 * HOUR)
    assert assessed(fresh, 3 * HOUR, number=3, exposures=served).action == "promote"


def test_stale_evidence_never_promotes() -> None:
    assert assessed(GOOD, HOUR + 15 * MINUTE).action == "promote"
    look = assessed(GOOD, HOUR + 15 * MINUTE + 1)
    assert (look.verdict, look.action) == ("NO_DATA", "wait")
    assert look.reason == "no execution for 15m: the evidence is stale"


@pytest.mark.parametrize(
    ("wave", "after", "verdict", "reason"),
    [
        (seen(), HOUR, "NO_DATA", "error_rate: no executions yet"),
        (seen(30), HOUR, "INCONCLUSIVE", "error_rate: 0 of 30 failed"),
        (seen(300, last_at=START + MINUTE), MINUTE, "INCONCLUSIVE", "bake_time: 59m of 60m to go"),
        (seen(30, last_at=START + MINUTE), MINUTE, "INCONCLUSIVE", "; bake_time: 59m of 60m"),
    ],
    ids=["no data", "too little", "too early", "both"],
)
def test_what_does_not_pass_yet_is_waited_for(
    wave: WaveEvidence, after: int, verdict: str, reason: str
) -> None:
    look = assessed(wave, after)
    assert (look.verdict, look.action) == (verdict, "wait")
    assert reason in look.reason


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_while_an_alert_is_open_nothing_is_promoted(severity: Any) -> None:
    look = assessed(GOOD, open_alerts={"checkout/RULE/1": severity})
    assert (look.verdict, look.action) == ("INCONCLUSIVE", "wait")
    assert look.reason == f"{severity} alert checkout/RULE/1 is open"


def test_after_a_pause_the_wave_lasts_as_much_longer() -> None:
    paused = seen(300, covered_us=20 * MINUTE)
    look = assessed(paused)
    assert (look.verdict, look.action) == ("INCONCLUSIVE", "wait")
    assert look.reason == "bake_time: 40m of 60m to go"


def test_a_violated_invariant_rolls_back_though_no_rule_saw_it() -> None:
    look = assessed(seen(300, violations=1), plan=plan([{"kind": "zero_events"}]))
    assert (look.verdict, look.action) == ("FAIL", "rollback")
    assert look.reason == "critical_alerts: 1 invariant violations; need none"


def test_evidence_of_another_rollout_is_no_evidence() -> None:
    look = assessed(GOOD, rollout="checkout-r0")
    assert (look.verdict, look.action) == ("NO_DATA", "wait")


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


def test_the_evidence_of_a_wave_is_its_own() -> None:
    waves = [seen(1), seen(2, wave=2)]
    evidence = Evidence("checkout", ID, gathering=True, waves=waves)
    for number in (1, 2):
        rollout = Rollout(ID, wave=number, wave_entered_at=START + 5)
        assert wave_evidence(rollout, evidence).executions == number
    nothing = wave_evidence(Rollout(ID, wave=3, wave_entered_at=START + 5), evidence)
    assert nothing == WaveEvidence(3, START + 5)


def test_the_digest_tells_evidence_apart() -> None:
    assert digest(seen(300)) == digest(seen(300))
    assert len({digest(wave) for wave in (seen(300), seen(301), seen(300, 1))}) == 3
