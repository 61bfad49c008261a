import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.sustained import Sustained
from events.timestamps import DAY, HOUR, MINUTE
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import arm, check, judge, wave

TWO_WEEKS = Sustained(duration="14d")


@pytest.mark.parametrize(
    ("evidence", "after", "verdict", "sentence"),
    [
        (wave(), 20 * DAY, "NO_DATA", "no executions yet; need 14d of stable operation"),
        (wave(arm(9), lasted_us=9 * DAY), 9 * DAY, "INCONCLUSIVE", "9d of 14d stable; 5d to go"),
        (
            wave(arm(9), lasted_us=15 * DAY, stable_from_us=4 * DAY),
            15 * DAY,
            "INCONCLUSIVE",
            "11d of 14d stable; 3d to go",
        ),
        (wave(arm(9), lasted_us=15 * DAY), 15 * DAY, "PASS", "stable for 15d, need 14d"),
    ],
)
def test_every_verdict_has_its_sentence(
    evidence: WaveEvidence, after: int, verdict: str, sentence: str
) -> None:
    check(judge(TWO_WEEKS, evidence, after=after), "stable_days", verdict, sentence)


def test_an_alert_sets_it_back_to_zero() -> None:
    evidence = wave(arm(9), lasted_us=15 * DAY)
    evidence.interrupt(evidence.entered_at + 15 * DAY)
    judgement = judge(TWO_WEEKS, evidence, after=15 * DAY)
    check(judgement, "stable_days", "INCONCLUSIVE", "0us of 14d stable; 14d to go")
    assert judgement.ready_in_us == 14 * DAY


def test_silent_days_are_not_stable_days() -> None:
    silent = wave(arm(9), lasted_us=HOUR)
    judgement = judge(TWO_WEEKS, silent, after=20 * DAY)
    assert judgement.verdict == "INCONCLUSIVE"
    assert judgement.numbers["covered_share"] == pytest.approx(1 / 480)


def test_the_last_microsecond_counts() -> None:
    evidence = wave(arm(9), lasted_us=14 * DAY - MINUTE)
    verdicts = [judge(TWO_WEEKS, evidence, after=14 * DAY - left).verdict for left in (1, 0)]
    assert verdicts == ["INCONCLUSIVE", "PASS"]


def test_it_is_scaled_with_the_plan_and_never_to_nothing() -> None:
    assert TWO_WEEKS.scaled(0.5).duration == 7 * DAY
    assert TWO_WEEKS.scaled(1e-30).duration == 1
    assert TWO_WEEKS.scaled(2).name == TWO_WEEKS.name


def test_no_time_at_all_is_no_claim() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Sustained(duration="0s")


@given(st.integers(0, 30 * DAY), st.integers(0, 30 * DAY))
def test_it_never_fails_and_passes_exactly_when_the_time_is_over(lasted: int, since: int) -> None:
    evidence = wave(arm(1), lasted_us=lasted, stable_from_us=min(since, lasted))
    verdict = judge(TWO_WEEKS, evidence, after=lasted).verdict
    assert verdict == ("PASS" if lasted - min(since, lasted) >= 14 * DAY else "INCONCLUSIVE")
