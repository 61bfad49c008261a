from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.criteria.looks import due_us
from controlplane.criteria.trend_down import TrendDown
from events.timestamps import HOUR
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import (
    HOLD,
    arm,
    check,
    in_windows,
    judge,
    seen,
    wave,
    window,
)

TREND = TrendDown()
ONLY_A_TREND = TrendDown(or_not_worse_by=None)
BEFORE = wave(arm(400, 8), wave=1)
FALLING, LEVEL, RISING = (9, 8, 7, 6, 5, 4, 3, 2), (4, 4, 5, 4, 4, 5, 4, 4), range(2, 10)
LAST = 2 * HOLD


def watched(*bad: int, of: int = 100, slow: bool = False) -> WaveEvidence:
    return wave(**in_windows(bad, of=of, slow=slow), lasted_us=len(bad) * 6 * HOUR)


@pytest.mark.parametrize(
    ("evidence", "after", "verdict", "sentence"),
    [
        (wave(), LAST, "NO_DATA", "no executions yet$"),
        (watched(3, 4), 12 * HOUR, "INCONCLUSIVE", "first look for a trend in 12h; 7 of 200 fai"),
        (
            watched(3, 4, 5, 4),
            HOLD,
            "INCONCLUSIVE",
            r"4 windows to see a trend in, need 8 \(look 1 of 3, the next in 12h\); 16 of 400",
        ),
        (
            watched(*LEVEL),
            LAST,
            "INCONCLUSIVE",
            r"not shown to fall: \+0.0 points a day over 8 windows, p = 0.\d+, need p <= 0.0083 .*",
        ),
        (
            watched(*FALLING),
            LAST,
            "PASS",
            r"falls: -4.0 points a day over 8 windows, p = \S+, need p <= 0.0083 \(look 3 of 3\)$",
        ),
        (
            watched(*RISING),
            LAST,
            "FAIL",
            r"rises: \+4.0 points a day over 8 windows, p = \S+, fails from p <= 0.0033 .*; 44 of",
        ),
        (
            watched(0, 0),
            12 * HOUR,
            "INCONCLUSIVE",
            "first look .*; 0 of 200 failed = 0.0%, .*; about \\d+ more executions at this rate, ",
        ),
        (
            watched(*[0] * 8),
            LAST,
            "PASS",
            "nothing that could fall: 0 of 800 failed = 0.0%, in the wave before 8 of 400 = 2.0%",
        ),
        (watched(*RISING, of=9000), LAST, "PASS", "44 of 72000 failed = 0.1%, in the wave before"),
    ],
)
def test_it_falls_or_is_no_worse_than_before(
    evidence: WaveEvidence, after: int, verdict: str, sentence: str
) -> None:
    judgement = judge(TREND, evidence, after=after, previous=BEFORE)
    check(judgement, "error_rate_trend", verdict, sentence)


@pytest.mark.parametrize("previous", [None, wave(wave=1)])
@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (watched(*[0] * 8), "PASS", "nothing that could fall: 0 of 800 failed = 0.0%, upper bound"),
        (watched(*LEVEL), "INCONCLUSIVE", ".*, need < 2 % without a wave before; at this rate it"),
        (watched(*FALLING), "PASS", "falls: "),
        (watched(*RISING), "FAIL", "rises: "),
    ],
)
def test_without_a_wave_before_the_share_itself_must_be_as_low(
    previous: WaveEvidence | None, evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    judgement = judge(TREND, evidence, after=LAST, previous=previous)
    check(judgement, "error_rate_trend", verdict, sentence)


@pytest.mark.parametrize(
    ("bad", "verdict"),
    [(FALLING, "PASS"), (LEVEL, "INCONCLUSIVE"), ([0] * 8, "INCONCLUSIVE"), (RISING, "FAIL")],
)
def test_where_only_a_fall_will_do_nothing_else_passes(bad: Any, verdict: str) -> None:
    judgement = judge(ONLY_A_TREND, watched(*bad), after=LAST, previous=BEFORE)
    assert judgement.verdict == verdict
    assert judgement.ready_in_us is None


def test_slow_executions_are_looked_at_alike() -> None:
    slow = TrendDown(measure="slow_share", threshold="500ms", or_not_worse_by=None)
    assert judge(slow, watched(*FALLING, slow=True), after=LAST).verdict == "PASS"
    assert judge(slow, watched(*FALLING), after=LAST).verdict == "INCONCLUSIVE"


def test_a_sentence_carries_both_ways_to_pass() -> None:
    judgement = judge(TREND, watched(*LEVEL), after=LAST, previous=BEFORE)
    _, shown, outlook = judgement.sentence.split("; ")
    assert shown.startswith("34 of 800 failed = 4.2%, in the wave before 8 of 400 = 2.0%: +2.3")
    assert shown.endswith(" points, upper bound +6.1, need < +2")
    assert outlook == "at this rate it will not pass"


def test_a_look_is_due_after_the_hold_and_after_each_half_of_it() -> None:
    assert [due_us(HOLD, number) for number in (1, 2, 3)] == [24 * HOUR, 36 * HOUR, 48 * HOUR]


@given(st.integers(0, 12 * HOUR - 1), st.sampled_from([1, 2]))
def test_between_two_looks_the_answer_stays_what_it_was(later: int, number: int) -> None:
    # A window of an hour: eight of them are over at the first look.
    rising = in_windows([one // 2 for one in range(60)])
    due, evidence = due_us(HOLD, number), wave(**rising, window_us=HOUR)
    at, between = (judge(ONLY_A_TREND, evidence, after=due + wait) for wait in (0, later))
    assert (at.verdict, at.numbers) == (between.verdict, between.numbers)


def test_after_the_last_look_there_is_no_other() -> None:
    evidence = wave(**in_windows([4] * 48 + list(range(60, 0, -1))), window_us=HOUR)
    for after in (2 * HOLD, 4 * HOLD):
        judgement = judge(ONLY_A_TREND, evidence, after=after)
        check(judgement, "error_rate_trend", "INCONCLUSIVE", r".* \(look 3 of 3, the last\)$")
        assert judgement.numbers["windows"] == 48


def test_a_window_that_is_not_over_does_not_count_nor_one_without_executions() -> None:
    windows = [window(number, 100, 9 - number) for number in (0, 1, 2, 3, 4, 6, 7, 8, 9)]
    evidence = wave(arm(900, 30), windows=windows)
    judgement = judge(ONLY_A_TREND, evidence, after=LAST)
    assert judgement.numbers["windows"] == 7
    assert judgement.verdict == "INCONCLUSIVE"
    enough = judge(ONLY_A_TREND, evidence, after=60 * HOUR, hold_us=30 * HOUR)
    assert (enough.numbers["windows"], enough.verdict) == (9, "PASS")


def test_fewer_looks_find_more_each() -> None:
    evidence = watched(5, 7, 6, 5, 3, 4, 2, 1)
    once, thrice = (
        TrendDown(or_not_worse_by=None, looks=looks).judge(seen(evidence, hold_us=held, after=LAST))
        for looks, held in ((1, LAST), (3, HOLD))
    )
    assert once.numbers["p_falling"] == thrice.numbers["p_falling"]
    assert once.progress >= thrice.progress


bad_in_windows = st.lists(st.integers(0, 100), min_size=8, max_size=12)


@settings(max_examples=40)
@given(bad_in_windows, st.sampled_from([TREND, ONLY_A_TREND]))
def test_what_is_higher_in_every_window_than_before_never_passes(
    bad: list[int], criterion: TrendDown
) -> None:
    rising = sorted(bad)
    judgement = judge(criterion, watched(*rising), after=LAST)
    assert judgement.verdict != "PASS" or sum(rising) / (100 * len(rising)) < 0.02
    assert judge(criterion, watched(*reversed(rising)), after=LAST).verdict != "FAIL"


@pytest.mark.parametrize(
    "wrong", [{"looks": 4}, {"looks": 0}, {"min_windows": 7}, {"or_not_worse_by": 0}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrendDown(**wrong)
