import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.zero_events import ZeroEvents
from events.timestamps import DAY, HOUR
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import arm, check, judge, wave

ALERTS = ZeroEvents()


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (wave(), "NO_DATA", "no critical alert, but no executions either"),
        (wave(others=arm(9), last_at=1), "NO_DATA", "no critical alert, but no executions either"),
        (wave(critical_alerts=["a/B/1"]), "FAIL", "critical alert a/B/1; need none"),
        (wave(arm(9), critical_alerts=["a/B/1", "a/B/2"]), "FAIL", "critical alert a/B/1; need"),
        (wave(arm(9), violations=3), "FAIL", "3 invariant violations; need none"),
        (wave(arm(1), violations=1, critical_alerts=["a/B/1"]), "FAIL", "critical alert a/B/1"),
        (wave(arm(9), lasted_us=HOUR), "INCONCLUSIVE", "none so far; need none in 24h"),
        (wave(arm(9)), "PASS", "none in 24h: fewer than one per 8h, with 95 % confidence$"),
    ],
)
def test_every_verdict_has_its_sentence(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(ALERTS, evidence), "critical_alerts", verdict, sentence)


def test_before_the_hold_is_over_it_says_how_long_it_takes() -> None:
    judgement = judge(ALERTS, wave(arm(9), lasted_us=6 * HOUR), after=6 * HOUR)
    assert (judgement.progress, judgement.ready_in_us) == (0.25, 18 * HOUR)


def test_what_did_not_happen_in_three_days_happens_less_than_once_a_day() -> None:
    judgement = judge(ALERTS, wave(arm(9), lasted_us=3 * DAY), after=3 * DAY)
    assert judgement.numbers["upper_bound_per_day"] == 1
    assert re.search("fewer than one per 24h", judgement.sentence)


def test_only_the_time_that_was_watched_counts() -> None:
    silent = wave(arm(9), covered_us=6 * HOUR)
    judgement = judge(ALERTS, silent, after=14 * DAY)
    assert (judgement.verdict, judgement.progress) == ("INCONCLUSIVE", 0.25)


@given(st.integers(0, 14 * DAY), st.integers(0, 5))
def test_a_violated_invariant_is_never_passed_over(after: int, alerts: int) -> None:
    evidence = wave(arm(9), violations=1, critical_alerts=["a/B/1"] * alerts, lasted_us=after)
    assert judge(ALERTS, evidence, after=after).verdict == "FAIL"


@given(st.integers(0, 14 * DAY))
def test_no_data_is_never_a_pass_however_long_one_waits(after: int) -> None:
    assert judge(ALERTS, wave(), after=after).verdict == "NO_DATA"
