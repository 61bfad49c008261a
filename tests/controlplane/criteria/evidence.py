"""Evidence to judge a wave by, built without a log."""

import re
from collections.abc import Iterable
from typing import Any

from controlplane.criteria.verdict import Seen
from events.flags import Audience, Condition
from events.judgements import Judgement
from events.timestamps import HOUR, MINUTE
from projections.arms import Arm, Window
from projections.waves import WaveEvidence
from tests.projections.recording import START

HOLD = 24 * HOUR
WINDOW = 6 * HOUR
BETA = Audience("beta", (Condition("group", "equals", "beta"),))
FAST_US = 20_000
SLOW_US = 600_000


def arm(
    executions: int = 0,
    failed: int = 0,
    *,
    slow: int = 0,
    slow_us: int = SLOW_US,
    shares: dict[int, int] | None = None,
) -> Arm:
    """So many executions of 20 ms, some of which failed, and some of which were slow.

    Unless `shares` says otherwise, a failed one lost all of its patches.
    """
    counted = Arm(executions, failed)
    for duration_us, count in ((FAST_US, executions - slow), (slow_us, slow)):
        for _ in range(count):
            counted.rungs.add(duration_us)
            counted.durations.add(duration_us)
    whole = {share: count for share, count in ((0, executions - failed), (1000, failed)) if count}
    counted.shares = whole if shares is None else shares
    return counted


def window(number: int, executions: int, failed: int = 0, *, slow: int = 0) -> Window:
    """So many executions in one window."""
    counted = arm(executions, failed, slow=slow)
    return Window(number, failed, counted.rungs)


def in_windows(failed: Iterable[int], *, of: int = 100, slow: bool = False) -> dict[str, Any]:
    """Windows in a row from the wave's beginning, each with so many bad ones, and all in all."""
    bad = list(failed)
    own = arm(of * len(bad), 0 if slow else sum(bad), slow=sum(bad) if slow else 0)
    windows = [
        window(number, of, 0 if slow else one, slow=one if slow else 0)
        for number, one in enumerate(bad)
    ]
    return {"own": own, "windows": windows}


def wave(own: Arm | None = None, *, lasted_us: int = HOLD, **facts: Any) -> WaveEvidence:
    """The evidence of a wave for beta that was watched without a pause."""
    own = own or Arm()
    ran = own.executions > 0
    said: dict[str, Any] = {
        "wave": 2,
        "entered_at": START,
        "audience": BETA,
        "own": own,
        "planned": 10.0,
        "max_silence_us": 15 * MINUTE,
        "covered_us": lasted_us if ran else 0,
        "clock_from": START + lasted_us if ran else START,
        "last_at": START + lasted_us if ran else 0,
        "window_us": WINDOW,
    }
    return WaveEvidence(**{**said, **facts})


def seen(evidence: WaveEvidence, *, after: int = HOLD, hold_us: int = HOLD, **facts: Any) -> Seen:
    """What a criterion is shown so long after the wave began."""
    return Seen(wave=evidence, hold_us=hold_us, now=START + after, **facts)


def judge(criterion: Any, evidence: WaveEvidence, **facts: Any) -> Judgement:
    """One look."""
    found: Judgement = criterion.judge(seen(evidence, **facts))
    return found


def check(judgement: Judgement, name: str, verdict: str, sentence: str) -> None:
    """What is true of every judgement, and what it says; `sentence` is a pattern."""
    assert (judgement.criterion, judgement.verdict) == (name, verdict), judgement.sentence
    assert re.match(sentence, judgement.sentence), judgement.sentence
    assert (judgement.progress == 1.0) == (verdict == "PASS")
    assert 0 <= judgement.progress <= 1
    assert judgement.ready_in_us is None or (
        verdict == "INCONCLUSIVE" and judgement.ready_in_us >= 0
    )
