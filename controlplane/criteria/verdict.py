"""What a criterion looks at, and how many verdicts make one."""

from collections.abc import Iterable
from typing import Annotated, Literal, Protocol

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from events.rollouts import Judgement, Verdict
from events.timestamps import Timestamp
from projections.evidence import WaveEvidence

WORST_FIRST: tuple[Verdict, ...] = ("FAIL", "ERROR", "NO_DATA", "INCONCLUSIVE", "PASS")


class Seen(Struct, frozen=True, kw_only=True):
    """All that a criterion may know."""

    wave: WaveEvidence
    hold_us: int
    """How long the wave must last."""
    now: Timestamp

    @property
    def baked(self) -> bool:
        """Whether the wave has lasted as long as planned."""
        return self.lasted_us >= self.hold_us

    @property
    def lasted_us(self) -> int:
        """How long the wave has been watched; silence stops the clock."""
        return self.wave.lasted_us(self.now)


CriterionName = Annotated[str, Field(min_length=1, max_length=100)]


class CriterionModel(BaseModel):
    """Common to every kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_fail: Literal["rollback", "hold"] = "rollback"
    """What a FAIL leads to. Either way the wave is never promoted after it."""
    alpha_pass: float = Field(default=0.05, gt=0, le=0.2)
    """The most often, in the long run, that a wave passes though the claim is false."""
    alpha_fail: float = Field(default=0.01, gt=0, le=0.2)
    """The most often that a wave fails though the claim is true."""


class Judge(Protocol):
    """A criterion of any kind."""

    @property
    def name(self) -> str:
        """What it is called in judgements; unique within a wave."""

    @property
    def on_fail(self) -> Literal["rollback", "hold"]:
        """What a FAIL leads to."""

    def judge(self, seen: Seen) -> Judgement:
        """Look, and say so. Pure."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """All must pass; else the worst one speaks. Nothing to judge is NO_DATA, never PASS."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), "NO_DATA")
