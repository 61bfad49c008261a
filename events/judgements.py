"""What is found when a wave is looked at. These names are stored: change one only with an upcast.

They have a stream of their own: a rollout that is looked at for months stays quick to fold.
"""

from typing import Literal

import msgspec

from events.event import Event
from events.flags import Text
from events.timestamps import Timestamp

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO_DATA", "ERROR"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one criterion says, and the numbers it rests on."""

    criterion: str
    verdict: Verdict
    sentence: str
    numbers: dict[str, float | int | None] = {}
    progress: float = 0.0
    """The share of the evidence needed to pass, 0 to 1."""
    ready_in_us: int | None = None
    """When it will have enough, at the present rate; None where that cannot be said."""


class WaveJudged(Event, frozen=True):
    """A look at the wave's criteria, as of a log position; judged again, it comes out the same."""

    TYPE = "rollout.wave_judged"
    rollout: str
    wave: int
    as_of: int
    judged_at: Timestamp
    evaluator: int
    """The version of the code that judged: another one may judge otherwise."""
    evidence_digest: str
    verdict: Verdict
    reason: str
    judgements: tuple[Judgement, ...]


class CriterionAnswered(Event, frozen=True):
    """Something outside answered an external criterion, asked or on its own account."""

    TYPE = "rollout.criterion_answered"
    rollout: str
    flag: str
    wave: int
    criterion: str
    verdict: Verdict
    detail: Text


JudgementEvent = WaveJudged | CriterionAnswered


def judgement_stream(rollout: str) -> str:
    """The stream of what was found about one rollout."""
    return f"judgements-{rollout}"
