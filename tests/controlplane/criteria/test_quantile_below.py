import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.quantile_below import QuantileBelow, exceedances
from projections.arms import Arm
from projections.metrics import LADDER_US
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import arm, check, judge, wave

P95 = QuantileBelow(threshold="500ms")


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (wave(), "NO_DATA", "no executions yet; P95 < 500ms needs at least 82 executions$"),
        (
            wave(arm(82)),
            "PASS",
            "0 of 82 took over 500ms = 0.0%, upper bound 5.0%, need P95 < 500ms$",
        ),
        (wave(arm(82, 82)), "PASS", "0 of 82 took over 500ms"),
        (wave(arm(300, slow=9)), "INCONCLUSIVE", "9 of 300 took over 500ms = 3.0%"),
        (wave(arm(100, slow=30)), "FAIL", "30 of 100 took over 500ms = 30.0%, lower bound"),
        (
            wave(arm(30), others=arm(200, slow=60)),
            "FAIL",
            "with other audiences 60 of 230 took over 500ms = 26.1%, lower bound",
        ),
    ],
)
def test_every_verdict_has_its_sentence(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(P95, evidence), "latency", verdict, sentence)


durations = st.lists(st.integers(0, 3_000_000) | st.integers(440_000, 460_000), max_size=60)


@given(durations, st.integers(1, 3_000_000) | st.just(450_000))
def test_what_certainly_exceeds_a_threshold_does_and_what_does_possibly_does(
    values: list[int], threshold: int
) -> None:
    counted = Arm(len(values))
    for value in values:
        counted.rungs.add(value)
        counted.durations.add(value)
    found = exceedances(counted, threshold)
    truth = sum(value > threshold for value in values)
    assert found.certain <= truth <= found.possible
    assert (found.certain == found.possible == truth) or threshold not in LADDER_US


def test_a_threshold_off_the_ladder_passes_on_possible_and_fails_on_certain_exceedances() -> None:
    off_ladder = QuantileBelow(threshold="450ms")
    # 449 ms shares a bucket with 450 ms: none of them took too long, but they may have.
    borderline = judge(off_ladder, wave(arm(200, slow=200, slow_us=449_000)))
    assert borderline.verdict == "INCONCLUSIVE"
    assert (borderline.numbers["certain"], borderline.numbers["k"]) == (0, 200)
    assert judge(off_ladder, wave(arm(200, slow=200, slow_us=600_000))).verdict == "FAIL"
    assert judge(off_ladder, wave(arm(200))).verdict == "PASS"


def test_no_time_at_all_is_no_threshold() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        QuantileBelow(threshold="0ms")
