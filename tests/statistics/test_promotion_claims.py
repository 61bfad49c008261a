"""What docs/statistics.md claims of rollouts, held by the simulation that measured it."""

import importlib.util
from functools import cache
from math import sqrt
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.house.sources import ROOT

RUNS = 200


@cache
def promotion() -> Any:
    path = ROOT / "benchmarks" / "promotion.py"
    spec = importlib.util.spec_from_file_location("promotion", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    assert ever(rule("PASS: by execution")(canaries(0.06))) <= at_most(0.01)
    assert ever(rule("PASS: rate so far < 5 %")(canaries(0.06))) > 0.4, (
        "where a point rule takes it"
    )


def test_a_canary_that_fails_in_two_percent_is_rolled_back_in_one_percent_of_rollouts() -> None:
    assert ever(rule("FAIL: by execution")(canaries(0.02))) <= at_most(0.01)
    last_hour = rule("FAIL: last hour ≥ 5 %")
    assert ever(last_hour(canaries(0.02))) > 0.9, "where the last hour's rate rolls it back"


def test_a_canary_that_fails_in_ten_percent_is_convicted_within_400_executions() -> None:
    assert np.median(rule("FAIL: by execution")(canaries(0.10))) <= 400


def test_healthy_canaries_pass_soon() -> None:
    assert np.median(rule("PASS: by execution")(canaries(0.01))) <= 200
    assert np.median(rule("PASS: by execution")(canaries(0.02))) <= 350


@pytest.mark.parametrize("rate", [0.05, 0.06])
def test_where_failures_come_in_clusters_batches_keep_the_promise_and_executions_do_not(
    rate: float,
) -> None:
    failures = canaries(rate, 0.2)
    assert ever(promotion().batches_pass(failures)) <= at_most(0.05)
    assert ever(rule("PASS: by execution")(failures)) > at_most(0.05)


def test_of_bad_canaries_with_clusters_the_batches_convict_and_of_those_at_the_bound_few() -> None:
    assert ever(promotion().batches_fail(canaries(0.10, 0.2))) == 1
    assert ever(promotion().batches_fail(canaries(0.05, 0.2))) <= at_most(0.01)


def test_a_flag_that_is_served_as_planned_raises_no_alarm_and_one_that_is_not_does() -> None:
    assert ever(promotion().split_alarms(0.1, RUNS)) <= at_most(0.01)
    assert np.median(promotion().split_alarms(0.2, RUNS)) <= 250
