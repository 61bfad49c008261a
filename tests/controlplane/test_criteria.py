import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.quantile_below import QuantileBelow, exceedances
from controlplane.criteria.rate_below import RateBelow
from controlplane.criteria.verdict import WORST_FIRST, Seen, worst
from controlplane.criteria.zero_events import ZeroEvents
from controlplane.statistics.sequential import needed_without_failures
from events.rollouts import Judgement
from events.timestamps import DAY, HOUR, MINUTE, SECOND
from projections.evidence import WaveEvidence
from projections.metrics import LADDER_US
from tests.controlplane.samples import seen
from tests.projections.recording import START

ERROR_RATE = RateBelow(bound=0.05)
P95 = QuantileBelow(quantile=0.95, threshold="500ms")
ALERTS = ZeroEvents()


DAY_1 = START + DAY


def judge(criterion: Any, wave: WaveEvidence, after: int = 24 * HOUR) -> Judgement:
    return criterion.judge(Seen(wave=wave, hold_us=24 * HOUR, now=START + after))


CASES = [
    (ERROR_RATE, seen(), "NO_DATA", "no executions yet; error rate < 5 % needs at least 82"),
    (ERROR_RATE, seen(81), "INCONCLUSIVE", "0 of 81 failed = 0.0%, .* about 1 more executions"),
    (ERROR_RATE, seen(82), "PASS", r"0 of 82 failed = 0.0%, upper bound 5.0%, need error rate < 5"),
    (ERROR_RATE, seen(300, 9), "INCONCLUSIVE", r"9 of 300 failed = 3.0%, upper bound 6.\d%, need"),
    (ERROR_RATE, seen(4, 4), "INCONCLUSIVE", "4 of 4 failed = 100.0%, .* it will not pass"),
    (ERROR_RATE, seen(5, 5), "FAIL", r"5 of 5 failed = 100.0%, lower bound \d+\.\d%, need error"),
    (ERROR_RATE, seen(1000, 100), "FAIL", r"100 of 1000 failed = 10.0%, lower bound [5-9]\.\d%"),
    (P95, seen(), "NO_DATA", "no executions yet; P95 < 500ms needs at least 82"),
    (P95, seen(82), "PASS", "0 of 82 took over 500ms = 0.0%, upper bound 5.0%, need P95 < 500ms"),
    (P95, seen(300, slow=9), "INCONCLUSIVE", "9 of 300 took over 500ms = 3.0%"),
    (P95, seen(100, slow=30), "FAIL", "30 of 100 took over 500ms = 30.0%, lower bound"),
    (P95, seen(82, 82), "PASS", "0 of 82 took over 500ms"),
    (ALERTS, seen(), "NO_DATA", "no critical alert, but no executions either"),
    (ALERTS, seen(alerts=("a/B/1",)), "FAIL", "critical alert a/B/1; need none"),
    (ALERTS, seen(9, alerts=("a/B/1", "a/B/2")), "FAIL", "critical alert a/B/1; need none"),
    (ALERTS, seen(9, violations=3), "FAIL", "3 invariant violations; need none"),
    (ALERTS, seen(1, violations=1, alerts=("a/B/1",)), "FAIL", "critical alert a/B/1; need none"),
    (ALERTS, seen(1, last_at=DAY_1), "PASS", "none in 24h"),
    (ALERTS, seen(1), "INCONCLUSIVE", "none so far; need none in 24h"),
    (BAKE_TIME, seen(1, last_at=DAY_1), "PASS", "held for 24h"),
    (BAKE_TIME, seen(1), "INCONCLUSIVE", "23h of 24h to go"),
    (BAKE_TIME, seen(), "INCONCLUSIVE", "24h of 24h to go"),
]


@pytest.mark.parametrize(("criterion", "wave", "verdict", "sentence"), CASES)
def test_every_verdict_has_a_sentence_that_carries_its_numbers(
    criterion: Any, wave: WaveEvidence, verdict: str, sentence: str
) -> None:
    judgement = judge(criterion, wave)
    assert (judgement.criterion, judgement.verdict) == (criterion.name, verdict)
    assert re.match(sentence, judgement.sentence), judgement.sentence
    assert (judgement.progress == 1.0) == (verdict == "PASS")
    assert 0 <= judgement.progress <= 1


def test_before_its_time_is_up_nothing_is_over() -> None:
    watched = seen(1000, last_at=START + 6 * HOUR)
    no_alerts = judge(ALERTS, watched, after=6 * HOUR)
    assert (no_alerts.verdict, no_alerts.progress) == ("INCONCLUSIVE", 0.25)
    assert no_alerts.sentence == "none so far; need none in 24h"
    held = judge(BAKE_TIME, watched, after=6 * HOUR)
    assert (held.verdict, held.progress) == ("INCONCLUSIVE", 0.25)
    assert held.sentence == "18h of 24h to go"


def test_the_last_microsecond_counts() -> None:
    watched = seen(1, last_at=DAY_1 - MINUTE)
    almost, done = (judge(BAKE_TIME, watched, after=24 * HOUR - left) for left in (1, 0))
    assert (almost.verdict, almost.sentence) == ("INCONCLUSIVE", "1us of 24h to go")
    assert done.verdict == "PASS"


def test_a_clock_behind_the_wave_is_no_progress() -> None:
    for criterion in (BAKE_TIME, ALERTS):
        assert judge(criterion, seen(1, last_at=START), after=-MINUTE).progress == 0


def test_the_time_that_counts_is_the_time_that_was_watched() -> None:
    silent = seen(1000, last_at=DAY_1 - HOUR, covered_us=6 * HOUR)
    for criterion in (BAKE_TIME, ALERTS):
        judgement = judge(criterion, silent)
        assert (judgement.verdict, judgement.progress) == ("INCONCLUSIVE", 0.25)


def test_fourteen_silent_days_are_not_fourteen_stable_days() -> None:
    for criterion in (BAKE_TIME, ALERTS):
        assert judge(criterion, seen(1, last_at=START), after=14 * DAY).progress == 0


@given(st.integers(0, 14 * DAY), st.integers(0, 5))
def test_a_violated_invariant_is_never_passed_over(after: int, alerts: int) -> None:
    wave = seen(9, violations=1, alerts=("a/B/1",) * alerts, last_at=START + after)
    assert judge(ALERTS, wave, after).verdict == "FAIL"


@given(
    st.sampled_from([ERROR_RATE, P95, ALERTS]),
    st.integers(0, 30 * DAY // SECOND).map(lambda seconds: seconds * SECOND),
)
def test_no_data_is_never_a_pass_however_long_one_waits(criterion: Any, after: int) -> None:
    assert judge(criterion, seen(), after).verdict == "NO_DATA"


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.01, 0.5))
def test_a_share_at_or_above_the_bound_never_passes_and_one_below_never_fails(
    executions: int, failed: int, bound: float
) -> None:
    failed = min(failed, executions)
    verdict = judge(RateBelow(bound=bound), seen(executions, failed)).verdict
    assert verdict != ("PASS" if failed / executions >= bound else "FAIL")


def test_enough_executions_without_failure_are_what_the_no_data_sentence_says() -> None:
    for bound in (0.01, 0.05, 0.2):
        enough = needed_without_failures(bound, 0.05)
        criterion = RateBelow(bound=bound)
        assert f"at least {enough}" in judge(criterion, seen()).sentence
        assert judge(criterion, seen(enough)).verdict == "PASS"
        assert judge(criterion, seen(enough - 1)).verdict == "INCONCLUSIVE"


# Latency off the ladder

durations = st.lists(st.integers(0, 3_000_000) | st.integers(440_000, 460_000), max_size=60)


@given(durations, st.integers(0, 3_000_000) | st.just(450_000))
def test_what_certainly_exceeds_a_threshold_does_and_what_does_possibly_does(
    values: list[int], threshold: int
) -> None:
    wave = WaveEvidence(1, START, len(values))
    for value in values:
        wave.rungs.add(value)
        wave.durations.add(value)
    count = exceedances(wave, threshold)
    truth = sum(value > threshold for value in values)
    assert count.certain <= truth <= count.possible
    assert (count.certain == count.possible == truth) or threshold not in LADDER_US


def test_a_threshold_off_the_ladder_passes_on_possible_and_fails_on_certain_exceedances() -> None:
    off_ladder = QuantileBelow(quantile=0.95, threshold="450ms")
    # 449 ms shares a bucket with 450 ms: none of them took too long, but they may have.
    borderline = judge(off_ladder, seen(200, slow=200, slow_us=449_000))
    assert borderline.verdict == "INCONCLUSIVE"
    assert (borderline.numbers["certain"], borderline.numbers["possible"]) == (0, 200)
    assert judge(off_ladder, seen(200, slow=200, slow_us=600_000)).verdict == "FAIL"
    assert judge(off_ladder, seen(200)).verdict == "PASS"


# Many verdicts


def test_one_verdict_of_many_is_the_worst() -> None:
    assert WORST_FIRST == ("FAIL", "ERROR", "NO_DATA", "INCONCLUSIVE", "PASS")
    for rank, verdict in enumerate(WORST_FIRST):
        assert worst(reversed(WORST_FIRST[rank:])) == verdict


def test_nothing_to_judge_is_no_data() -> None:
    assert worst([]) == "NO_DATA"
