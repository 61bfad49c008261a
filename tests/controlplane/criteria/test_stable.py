from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.criteria.stable import Stable
from events.timestamps import HOUR
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, check, in_windows, judge, wave, window

RISING_NO_MORE = Stable(delta=0.02)
THE_SAME = Stable(delta=0.02, or_improving=False)


def watched(*bad: int, of: int = 100, slow: bool = False) -> WaveEvidence:
    return wave(**in_windows(bad, of=of, slow=slow))


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (wave(), "NO_DATA", "no executions yet$"),
        (
            wave(arm(200), windows=[window(2, 100), window(3, 100)]),
            "NO_DATA",
            "no executions in the first part of the hold to compare with$",
        ),
        (watched(1, 2), "INCONCLUSIVE", "3 of 200 failed in the first part = 1.5%; .*has none yet"),
        (
            watched(1, 2, 1, 2),
            "INCONCLUSIVE",
            r"3 of 200 failed in the second part = 1.5%, 3 of 200 in the first = 1.5%: \+0.0",
        ),
        (watched(20, 20, 20, 20, of=2000), "PASS", r".*: \+0.0 points, upper bound \+0.8, need <"),
        (watched(20, 20, 1, 1), "PASS", r".*: -19.0 points, upper bound -7.9, need < \+2$"),
        (watched(1, 1, 30, 30), "FAIL", r".*: \+29.0 points, lower bound \+13.\d, need < \+2$"),
    ],
)
def test_a_share_that_does_not_rise_is_stable(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(RISING_NO_MORE, evidence), "stable", verdict, sentence)


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (
            watched(1, 2, 1, 2),
            "INCONCLUSIVE",
            r".* between -4.8 and \+4.8, need within ±2; at this",
        ),
        (watched(20, 20, 20, 20, of=2000), "PASS", r".* between -0.8 and \+0.8, need within ±2$"),
        (watched(20, 20, 1, 1), "FAIL", r".* between -34.3 and -6.5, need within ±2$"),
        (watched(1, 1, 30, 30), "FAIL", ".* need within ±2$"),
    ],
)
def test_where_asked_for_it_must_not_fall_either(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(THE_SAME, evidence), "stable", verdict, sentence)


def test_the_second_part_begins_with_the_first_window_after_half_the_hold() -> None:
    early = wave(**in_windows([1]), lasted_us=HOUR)
    assert judge(RISING_NO_MORE, early, after=HOUR).sentence.endswith("the second begins in 11h")
    # Half of 20 h is in the middle of the window from 6 h to 12 h.
    evidence = watched(1, 1, 0)
    numbers = judge(RISING_NO_MORE, evidence, hold_us=20 * HOUR).numbers
    assert (numbers["n_old"], numbers["n"]) == (200, 100)


def test_slow_executions_are_compared_alike() -> None:
    slow = Stable(delta=0.02, measure="slow_share", threshold="500ms")
    check(judge(slow, watched(1, 1, 30, 30, slow=True)), "stable", "FAIL", "60 of 200 took over")
    assert judge(slow, watched(1, 1, 30, 30)).verdict == "INCONCLUSIVE"


def test_without_enough_executions_nothing_is_stable_however_flat() -> None:
    for few in (1, 10, 50):
        for criterion in (RISING_NO_MORE, THE_SAME):
            assert judge(criterion, watched(0, 0, 0, 0, of=few)).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("criterion", [RISING_NO_MORE, THE_SAME])
def test_what_the_forecast_says_is_enough(criterion: Stable) -> None:
    judgement = judge(criterion, watched(0, 0, 0, of=240))
    assert judgement.verdict == "INCONCLUSIVE"
    assert judgement.ready_in_us is not None
    more = round(judgement.ready_in_us * 720 / HOLD)
    for executions, verdict in ((more, "PASS"), (more - 1, "INCONCLUSIVE")):
        evidence = watched(0, 0, 0, of=240)
        evidence.windows.append(window(3, executions))
        assert judge(criterion, evidence).verdict == verdict


bad_in_windows = st.lists(st.integers(0, 100), min_size=4, max_size=8)


@settings(max_examples=40)
@given(bad_in_windows, st.sampled_from([RISING_NO_MORE, THE_SAME]))
def test_a_change_by_delta_never_passes_and_a_smaller_one_never_fails(
    bad: list[int], criterion: Stable
) -> None:
    first, second = sum(bad[:2]) / 200, sum(bad[2:]) / (100 * len(bad[2:]))
    change = second - first if criterion.or_improving else abs(second - first)
    assert judge(criterion, watched(*bad)).verdict != ("PASS" if change >= 0.02 else "FAIL")


@settings(max_examples=20)
@given(bad_in_windows, st.randoms(use_true_random=False))
def test_the_order_within_a_part_does_not_matter(bad: list[int], chance: Any) -> None:
    first, second = bad[:2], bad[2:]
    other = [*chance.sample(first, 2), *chance.sample(second, len(second))]
    assert judge(THE_SAME, watched(*bad)) == judge(THE_SAME, watched(*other))


@pytest.mark.parametrize("wrong", [{"delta": 0}, {"delta": 1}, {"delta": 0.1, "threshold": "1s"}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Stable(**wrong)
