from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.exposure_matches import ExposureMatches
from events.flags import Audience
from events.timestamps import HOUR
from projections.arms import Split
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, check, judge, wave
from tests.projections.recording import START

SPLIT = ExposureMatches()


def split(on: int, off: int, planned: float = 10.0, **facts: Any) -> WaveEvidence:
    return wave(arm(9), split=Split(on, off), planned=planned, **facts)


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (split(0, 0), "NO_DATA", "no unit counted yet; executions must tell their audience, beta$"),
        (split(0, 0, audience=Audience("everyone")), "NO_DATA", "no unit counted yet$"),
        (
            split(0, 0, settled_at=START + HOLD + HOUR),
            "NO_DATA",
            "no unit counted yet; clients have another 60m to follow the flag$",
        ),
        (
            split(3, 22, settled_at=START + 12 * HOUR),
            "INCONCLUSIVE",
            "3 of 25 units on the new path = 12.0%, .*; 75 more units to go, 36h$",
        ),
        (
            split(12, 100),
            "PASS",
            "12 of 112 units on the new path = 10.7%, between 1.8% and 32.9%, planned 10 %$",
        ),
        (split(50, 50), "FAIL", "50 of 100 units on the new path = 50.0%, between 25.3% and 74"),
        (split(200, 0), "FAIL", "200 of 200 .*; nobody reports the old path$"),
        (split(0, 300), "FAIL", "0 of 300 units on the new path = 0.0%"),
        (split(300, 0, planned=100.0), "PASS", "300 of 300 .*, planned 100 %$"),
        (split(300, 2, planned=100.0), "PASS", "300 of 302"),
        (split(300, 30, planned=100.0), "FAIL", "300 of 330"),
        (split(0, 300, planned=0.0), "PASS", "0 of 300 .*, planned 0 %$"),
        (split(30, 300, planned=0.0), "FAIL", "30 of 330"),
    ],
)
def test_the_share_of_units_on_the_new_path_must_be_as_planned(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(SPLIT, evidence), "exposure", verdict, sentence)


def test_too_few_units_pass_nothing_but_may_fail() -> None:
    assert judge(SPLIT, split(9, 90)).verdict == "INCONCLUSIVE"
    assert judge(SPLIT, split(10, 90)).verdict == "PASS"
    assert judge(SPLIT, split(30, 0)).verdict == "FAIL"
    assert judge(ExposureMatches(min_units=20), split(2, 18)).verdict == "PASS"


@given(st.integers(0, 2000), st.floats(0, 100))
def test_no_unit_at_all_never_passes(lasted: int, planned: float) -> None:
    evidence = split(0, 0, planned)
    assert judge(SPLIT, evidence, after=lasted).verdict == "NO_DATA"


@given(st.integers(100, 5000), st.floats(1, 99))
def test_a_split_exactly_as_planned_passes(units: int, planned: float) -> None:
    on = round(units * planned / 100)
    assert judge(SPLIT, split(on, units - on, planned)).verdict == "PASS"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 100_000))
def test_the_two_paths_are_treated_alike(on: int, off: int, planned: int) -> None:
    here = split(on, off, planned / 1000)
    mirrored = split(off, on, (100_000 - planned) / 1000)
    assert judge(SPLIT, here).verdict == judge(SPLIT, mirrored).verdict


@pytest.mark.parametrize("wrong", [{"alpha": 0}, {"alpha": 0.5}, {"min_units": 0}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ExposureMatches(**wrong)
