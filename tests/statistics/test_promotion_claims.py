"""What docs/statistics.md claims of rollouts, held by the simulation that measured it."""

import sys
from functools import cache
from importlib import import_module
from math import sqrt
from typing import Any

import numpy as np
import pytest

from controlplane.criteria import turns
from controlplane.criteria.rate_below import RateBelow
from events.timestamps import HOUR, MINUTE
from tests.controlplane.criteria.evidence import arm, seen, wave, window
from tests.house.sources import ROOT

RUNS = 200
MEDIAN_RUNS = 101
PROMOTES = "**PASS: `rate_below`, alpha 0.05**"
ROLLS_BACK = "**FAIL: `rate_below`, alpha 0.01**"
FROM_THE_BEGINNING = "FAIL: e-process from the beginning only"


def benchmark(name: str) -> Any:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return import_module(name)
    finally:
        sys.path.pop(0)


def promotion() -> Any:
    return benchmark("promotion")


def rule(name: str) -> Any:
    return {**promotion().PEEKING, **promotion().CLUSTERED}[name]


@cache
def canaries(rate: float, clustering: float = 0.0) -> Any:
    return promotion().canaries(rate, clustering, RUNS)


def ever(when: Any) -> float:
    return float(np.isfinite(when).mean())


def at_most(alpha: float) -> float:
    """Three standard deviations above: chance alone exceeds it in 1 of 700 simulations."""
    return alpha + 3 * sqrt(alpha * (1 - alpha) / RUNS)


def test_a_canary_that_fails_in_six_percent_passes_below_five_in_one_percent_of_rollouts() -> None:
    assert ever(rule(PROMOTES)(canaries(0.06))) <= at_most(0.01)
    assert ever(rule("PASS: rate so far < 5 %")(canaries(0.06))) > 0.4, (
        "where a point rule takes it"
    )


@pytest.mark.parametrize("rate", [0.02, 0.04, 0.05])
def test_a_canary_that_is_good_enough_is_rolled_back_in_one_percent_of_rollouts(
    rate: float,
) -> None:
    assert ever(rule(ROLLS_BACK)(canaries(rate))) <= at_most(0.01)
    last_hour = rule("FAIL: last hour ≥ 5 %")
    assert ever(last_hour(canaries(rate))) > 0.9, "where the last hour's rate rolls it back"


def test_a_canary_that_fails_in_ten_percent_is_convicted_within_400_executions() -> None:
    assert np.median(rule(ROLLS_BACK)(canaries(0.10))) <= 400


@pytest.mark.parametrize(("rate", "soon", "mid_window"), [(0.10, 800, 1600), (0.20, 200, 700)])
def test_a_canary_that_turns_bad_after_two_days_is_convicted_soon(
    rate: float, soon: int, mid_window: int
) -> None:
    waited = {}
    for name, (decides, turn) in promotion().TURNING.items():
        when = decides(promotion().turning(rate, turn, MEDIAN_RUNS))
        assert (when > turn * 20).all()
        waited[name] = np.median(when) - turn * 20
    assert waited["**FAIL: `rate_below`**"] <= soon
    assert waited["**FAIL: `rate_below`**, turned in mid-window"] <= mid_window
    assert waited[FROM_THE_BEGINNING] > 3_000, "where the good days excuse the bad one"


def judged(failures: Any, looks: int) -> str:
    """What the criterion itself says after so many looks, 5 minutes and 20 executions each."""
    counts = [failures[at : min(at + 72, looks)] for at in range(0, looks, 72)]
    windows = [window(at, 20 * len(one), int(one.sum())) for at, one in enumerate(counts)]
    whole = arm(20 * looks, int(failures[:looks].sum()))
    evidence = wave(whole, windows=windows, window_us=6 * HOUR)
    return str(RateBelow(bound=0.05).judge(seen(evidence, after=looks * 5 * MINUTE)).verdict)


@pytest.mark.parametrize("turn", [0, 72, 180])
def test_the_simulated_rule_is_that_of_the_criterion(turn: int) -> None:
    failures = promotion().turning(0.10, turn, 4)
    for run, when in zip(failures, promotion().rate_below_fails(failures), strict=True):
        look = int(when) // 20
        assert judged(run, look) == "FAIL"
        assert judged(run, look - 1) != "FAIL"
    assert promotion().STARTS == turns._STARTS


def test_healthy_canaries_pass_soon() -> None:
    assert np.median(rule(PROMOTES)(canaries(0.01))) <= 200
    assert np.median(rule(PROMOTES)(canaries(0.02))) <= 350


@pytest.mark.parametrize("rate", [0.05, 0.06])
def test_where_failures_come_in_clusters_batches_keep_the_promise_and_executions_do_not(
    rate: float,
) -> None:
    failures = canaries(rate, 0.2)
    assert ever(promotion().batches_pass(failures)) <= at_most(0.05)
    assert ever(rule("PASS: by execution")(failures)) > at_most(0.05)


def test_where_failures_come_in_clusters_executions_roll_back_good_canaries() -> None:
    failures = canaries(0.02, 0.2)[:100]
    assert ever(promotion().rate_below_fails(failures)) > 0.2
    assert ever(rule("FAIL: by execution")(canaries(0.02)[:100])) == 0


def test_of_bad_canaries_with_clusters_the_batches_convict_and_of_those_at_the_bound_few() -> None:
    assert ever(promotion().batches_fail(canaries(0.10, 0.2))) == 1
    assert ever(promotion().batches_fail(canaries(0.05, 0.2))) <= at_most(0.01)


def test_a_flag_that_is_served_as_planned_raises_no_alarm_and_one_that_is_not_does() -> None:
    assert ever(benchmark("arms").split_alarms(0.1, RUNS)) <= at_most(0.01)
    assert np.median(benchmark("arms").split_alarms(0.2, RUNS)) <= 250
