from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.criteria.rate_below import RateBelow
from controlplane.statistics import sequential
from controlplane.statistics.changes import log_e_turned
from events.timestamps import DAY, HOUR
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, check, in_windows, judge, wave

ERROR_RATE = RateBelow(bound=0.05)
PER_BATCH = RateBelow(bound=0.05, unit="batch")


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (wave(), "NO_DATA", "no executions yet; error rate < 5 % needs at least 82 executions$"),
        (wave(arm(81)), "INCONCLUSIVE", "0 of 81 failed = 0.0%, .* about 1 more executions"),
        (
            wave(arm(82)),
            "PASS",
            r"0 of 82 failed = 0.0%, upper bound 5.0%, need error rate < 5 %$",
        ),
        (
            wave(arm(300, 9)),
            "INCONCLUSIVE",
            r"9 of 300 .* 3.0%, upper bound 6.7%, .*; about 599 more executions .*, 47.9h$",
        ),
        (wave(arm(4, 4)), "INCONCLUSIVE", "4 of 4 failed = 100.0%, .* at this rate it will not"),
        (wave(arm(5, 5)), "FAIL", r"5 of 5 failed = 100.0%, lower bound \d+\.\d%, need error"),
        (wave(arm(1000, 100)), "FAIL", r"100 of 1000 failed = 10.0%, lower bound [5-9]\.\d%"),
        (wave(others=arm(9)), "NO_DATA", "no executions yet"),
        (wave(arm(82), others=arm(9, 3)), "PASS", "0 of 82 failed"),
        (
            wave(others=arm(9, 9)),
            "FAIL",
            "with other audiences 9 of 9 failed = 100.0%, lower bound",
        ),
        (
            wave(arm(100), others=arm(400, 80)),
            "FAIL",
            r"with other audiences 80 of 500 failed = 16.0%, lower bound \d+\.\d%, need",
        ),
    ],
)
def test_every_verdict_has_its_sentence(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(ERROR_RATE, evidence), "error_rate", verdict, sentence)


def test_it_says_when_it_will_have_enough() -> None:
    judgement = judge(ERROR_RATE, wave(arm(240), lasted_us=HOLD))
    assert judgement.ready_in_us is None  # a PASS is there
    assert judge(ERROR_RATE, wave(arm(41), lasted_us=HOUR)).ready_in_us == HOUR


def test_its_numbers_can_be_computed_again() -> None:
    numbers = judge(ERROR_RATE, wave(arm(300, 9))).numbers
    assert (numbers["n"], numbers["k"], numbers["estimate"]) == (300, 9, 0.03)
    assert (numbers["n_all"], numbers["k_all"], numbers["threshold"]) == (300, 9, 0.05)
    assert numbers["log_e_pass"] == sequential.log_e_below(9, 300, 0.05)
    assert numbers["log_e_fail"] == log_e_turned(sequential.log_e_above(9, 300, 0.05), [])
    assert numbers["upper_bound"] == sequential.upper_bound(9, 300, 0.05)
    assert 0 < numbers["lower_bound"] < sequential.lower_bound(9, 300, 0.01)


def test_what_others_did_is_among_the_numbers() -> None:
    numbers = judge(ERROR_RATE, wave(arm(300, 9), others=arm(100, 2))).numbers
    assert [numbers[name] for name in ("n", "k", "n_all", "k_all")] == [300, 9, 400, 11]


def test_the_lower_bound_of_a_fail_is_above_what_was_needed() -> None:
    for own, others in ((arm(5, 5), arm()), (arm(100), arm(400, 80)), (arm(50, 20), arm(400))):
        judgement = judge(ERROR_RATE, wave(own, others=others))
        assert judgement.verdict == "FAIL"
        assert (judgement.numbers["lower_bound"] or 0) >= 0.05


@given(st.integers(0, 30 * DAY))
def test_no_data_is_never_a_pass_however_long_one_waits(after: int) -> None:
    for criterion in (ERROR_RATE, PER_BATCH):
        assert judge(criterion, wave(), after=after).verdict == "NO_DATA"


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.01, 0.5))
def test_a_share_at_or_above_the_bound_never_passes_and_one_below_never_fails(
    executions: int, failed: int, bound: float
) -> None:
    failed = min(failed, executions)
    verdict = judge(RateBelow(bound=bound), wave(arm(executions, failed))).verdict
    assert verdict != ("PASS" if failed / executions >= bound else "FAIL")


RANK = {"PASS": 0, "INCONCLUSIVE": 1, "FAIL": 2}


@settings(max_examples=30)
@given(
    st.sampled_from([ERROR_RATE, PER_BATCH]),
    st.integers(1, 300),
    st.integers(0, 60),
    st.integers(0, 200),
    st.integers(0, 40),
)
def test_more_failures_never_make_a_verdict_better(
    criterion: RateBelow, ran: int, failed: int, elsewhere: int, failed_there: int
) -> None:
    own, others = min(failed, ran), min(failed_there, elsewhere)
    evidence = [
        wave(arm(ran, min(ran, own + more)), others=arm(elsewhere, min(elsewhere, others + there)))
        for more, there in ((0, 0), (1, 0), (1, 5), (20, 5), (20, 40))
    ]
    ranks = [RANK[judge(criterion, one).verdict] for one in evidence]
    assert all(before <= after for before, after in pairwise(ranks))


def test_enough_executions_without_failure_are_what_the_no_data_sentence_says() -> None:
    for bound in (0.01, 0.05, 0.2):
        enough = sequential.needed_without_failures(bound, 0.05)
        criterion = RateBelow(bound=bound)
        assert f"at least {enough} executions" in judge(criterion, wave()).sentence
        assert judge(criterion, wave(arm(enough))).verdict == "PASS"
        assert judge(criterion, wave(arm(enough - 1))).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    "wrong", [{"bound": 0}, {"bound": 1}, {"bound": 0.1, "unit": "patch"}, {"alpha_pass": 0.3}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        RateBelow(**wrong)


def test_a_good_day_excuses_no_bad_hour() -> None:
    """600 executions a window; in the latest one 60 of them fail."""
    turned = wave(**in_windows([0, 0, 0, 60], of=600))
    check(
        judge(ERROR_RATE, turned),
        "error_rate",
        "FAIL",
        r"60 of 600 failed = 10.0% in the last 6h, lower bound \d\.\d%, need error rate < 5 %",
    )
    check(judge(ERROR_RATE, wave(**in_windows([15, 15, 15, 15], of=600))), "error_rate", "PASS", "")
