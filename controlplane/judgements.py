"""What of a look at a wave is recorded, and when."""

import re

from controlplane.assessment import EVALUATOR, Assessment
from controlplane.commands import Look
from events.judgements import WaveJudged
from events.timestamps import Timestamp
from projections.rollouts import Rollout


def judged(rollout: Rollout, look: Look, now: Timestamp) -> WaveJudged:
    """The look, as it is recorded."""
    seen = look.assessment
    return WaveJudged(
        rollout=rollout.id,
        wave=rollout.wave,
        as_of=look.as_of,
        judged_at=now,
        evaluator=EVALUATOR,
        evidence_digest=look.evidence_digest,
        verdict=seen.verdict,
        reason=seen.reason,
        judgements=seen.judgements,
    )


def is_news(rollout: Rollout, look: Assessment) -> bool:
    """Whether a verdict, its reason or a tenth of some evidence differs from what was recorded."""
    before = [(j.criterion, j.verdict, int(j.progress * 10)) for j in rollout.judgements]
    after = [(j.criterion, j.verdict, int(j.progress * 10)) for j in look.judgements]
    return (
        rollout.judged_at == 0
        or rollout.verdict != look.verdict
        or _without_numbers(rollout.judged_reason) != _without_numbers(look.reason)
        or before != after
    )


_NUMBER = re.compile(r"[\d.,]+")
_DURATION = re.compile(r"(# ?(d|h|m|min|s|ms)\b ?)+")


def _without_numbers(reason: str) -> str:
    """The same reason at another count is no news."""
    return _DURATION.sub("#", _NUMBER.sub("#", reason))
