import pytest

from controlplane.criteria.bake_time import BAKE_TIME
from events.timestamps import HOUR, MINUTE
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, check, judge, wave


@pytest.mark.parametrize(
    ("evidence", "after", "verdict", "sentence"),
    [
        (wave(arm(1)), HOLD, "PASS", "held for 24h"),
        (wave(arm(1), lasted_us=HOUR), HOUR, "INCONCLUSIVE", "23h of 24h to go"),
        (wave(), HOLD, "INCONCLUSIVE", "24h of 24h to go"),
        (wave(arm(1), lasted_us=HOUR), HOLD, "INCONCLUSIVE", "23h of 24h to go"),
        (wave(arm(1), lasted_us=0), -MINUTE, "INCONCLUSIVE", "24h of 24h to go"),
    ],
)
def test_time_alone_never_fails(
    evidence: WaveEvidence, after: int, verdict: str, sentence: str
) -> None:
    check(judge(BAKE_TIME, evidence, after=after), "bake_time", verdict, sentence)


def test_the_last_microsecond_counts() -> None:
    watched = wave(arm(1), lasted_us=HOLD - MINUTE)
    almost, done = (judge(BAKE_TIME, watched, after=HOLD - left) for left in (1, 0))
    check(almost, "bake_time", "INCONCLUSIVE", "1us of 24h to go")
    assert almost.ready_in_us == 1
    assert done.verdict == "PASS"
