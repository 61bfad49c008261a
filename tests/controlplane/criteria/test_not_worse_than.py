from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.criteria.not_worse_than import NotWorseThan
from controlplane.statistics import difference
from projections.arms import Arm
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import arm, check, judge, wave

CONTROL = NotWorseThan(margin=0.02)
PREVIOUS = NotWorseThan(margin=0.02, baseline="previous_wave")
SLOW = NotWorseThan(margin=0.02, measure="slow_share", threshold="500ms")


@pytest.mark.parametrize(
    ("criterion", "evidence", "verdict", "sentence"),
    [
        (CONTROL, wave(arm(9)), "NO_DATA", "no executions of the old code yet to compare with$"),
        (CONTROL, wave(arm(9), planned=100.0), "NO_DATA", ".*: all are to get the new one$"),
        (CONTROL, wave(control=arm(9)), "NO_DATA", "no executions of the new code yet$"),
        (
            CONTROL,
            wave(arm(400, 4), control=arm(380, 5)),
            "INCONCLUSIVE",
            r"4 of 400 failed = 1.0%, old code 5 of 380 = 1.3%: -0.3 points, upper .*13.4h$",
        ),
        (
            CONTROL,
            wave(arm(2000, 20), control=arm(2000, 20)),
            "PASS",
            r"20 of 2000 failed = 1.0%, .*: \+0.0 points, upper bound \+1.2, need < \+2$",
        ),
        (
            CONTROL,
            wave(arm(400, 60), control=arm(400, 4)),
            "FAIL",
            r"60 of 400 failed = 15.0%, .*: \+14.0 points, lower bound \+6.4, need < \+2$",
        ),
        (CONTROL, wave(arm(400, 40), control=arm(400, 20)), "INCONCLUSIVE", ".*will not pass$"),
        (
            SLOW,
            wave(arm(2000, slow=20), control=arm(2000, slow=20)),
            "PASS",
            r"20 of 2000 took over 500ms = 1.0%, old code 20 of 2000",
        ),
        (SLOW, wave(arm(400, slow=60), control=arm(400)), "FAIL", "60 of 400 took over 500ms"),
    ],
)
def test_it_is_held_against_the_old_code_at_the_same_time(
    criterion: NotWorseThan, evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(criterion, evidence), "not_worse", verdict, sentence)


@pytest.mark.parametrize(
    ("new", "old", "verdict", "sentence"),
    [
        (arm(9), None, "NO_DATA", "there is no wave before this one to compare with$"),
        (arm(9), arm(), "NO_DATA", "nothing ran in wave 1 to compare with$"),
        (arm(), arm(9), "NO_DATA", "no executions of the new code yet$"),
        (arm(400, 4), arm(300, 3), "INCONCLUSIVE", "4 of 400 .*, wave 1 3 of 300 = 1.0%: .*28.6h$"),
        (arm(2000, 20), arm(2000, 20), "PASS", "20 of 2000 failed = 1.0%, wave 1 20 of 2000"),
        (arm(400, 60), arm(400, 4), "FAIL", "60 of 400 failed = 15.0%, wave 1 4 of 400"),
    ],
)
def test_or_against_the_wave_before(new: Arm, old: Arm | None, verdict: str, sentence: str) -> None:
    previous = None if old is None else wave(old, wave=1)
    check(judge(PREVIOUS, wave(new), previous=previous), "not_worse", verdict, sentence)


def test_old_code_that_goes_on_running_is_counted_on_in_the_forecast() -> None:
    new, old = arm(400, 4), arm(300, 3)
    alone = judge(CONTROL, wave(new, control=old)).ready_in_us
    standing_still = judge(PREVIOUS, wave(new), previous=wave(old)).ready_in_us
    assert alone is not None
    assert standing_still is not None
    assert alone < standing_still


def test_its_numbers_can_be_computed_again() -> None:
    numbers = judge(CONTROL, wave(arm(400, 4), control=arm(380, 5))).numbers
    new, old = (4, 400), (5, 380)
    assert [numbers[name] for name in ("k", "n", "k_old", "n_old")] == [*new, *old]
    assert numbers["threshold"] == 0.02
    assert numbers["log_e_pass"] == difference.log_e_below(new, old, 0.02)
    assert numbers["log_e_fail"] == difference.log_e_above(new, old, 0.02)
    assert numbers["upper_bound"] == difference.upper_bound(new, old, 0.05)
    assert numbers["lower_bound"] == difference.lower_bound(new, old, 0.01)


counted = st.tuples(st.integers(1, 2000), st.integers(0, 200)).map(
    lambda pair: arm(pair[0], min(pair))
)


@settings(max_examples=40)
@given(counted, counted)
def test_a_difference_above_the_margin_never_passes_and_one_below_never_fails(
    new: Arm, old: Arm
) -> None:
    worse = new.failed / new.executions - old.failed / old.executions
    verdict = judge(CONTROL, wave(new, control=old)).verdict
    assert verdict != ("PASS" if worse >= 0.02 else "FAIL")


@settings(max_examples=40)
@given(counted, counted, st.integers(1, 300))
def test_more_failures_never_turn_a_fail_into_a_pass(new: Arm, old: Arm, more: int) -> None:
    before = judge(CONTROL, wave(new, control=old)).verdict
    worse = arm(new.executions, min(new.executions, new.failed + more))
    after = judge(CONTROL, wave(worse, control=old)).verdict
    assert (before, after) not in {("FAIL", "PASS"), ("INCONCLUSIVE", "PASS")}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"margin": 0}, "greater than 0"),
        ({"margin": 1}, "less than 1"),
        ({"measure": "slow_share"}, "slow_share needs a threshold that is counted exactly: 1ms, "),
        ({"measure": "slow_share", "threshold": "450ms"}, "needs a threshold that is counted"),
        ({"threshold": "500ms"}, "threshold is for slow_share: an error rate has none"),
        ({"baseline": "yesterday"}, "'control' or 'previous_wave'"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        NotWorseThan(**{"margin": 0.02, **wrong})


def test_it_holds_and_does_not_roll_back_unless_told_to() -> None:
    assert CONTROL.on_fail == "hold"
    assert NotWorseThan(margin=0.02, on_fail="rollback").on_fail == "rollback"
