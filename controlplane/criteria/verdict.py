"""What a criterion looks at, and how many verdicts make one."""

from collections.abc import Iterable
from typing import Annotated, Literal, Protocol, Self

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from events.judgements import Judgement, Verdict
from events.timestamps import Timestamp
from projections.interventions import SignOff
from projections.waves import WaveEvidence

WORST_FIRST: tuple[Verdict, ...] = ("FAIL", "ERROR", "NO_DATA", "INCONCLUSIVE", "PASS")

OnFail = Literal["rollback", "hold", "warn"]
"""What a FAIL leads to. `rollback`: the flag goes off; `hold`: nothing is promoted for the rest of
the attempt; `warn`: it is said, and the criterion keeps nothing from being promoted."""


_A_RATE = 10
"""So few executions tell no rate."""


class Seen(Struct, frozen=True, kw_only=True):
    """All that a criterion may know."""

    wave: WaveEvidence
    previous: WaveEvidence | None = None
    """The wave before it in this attempt."""
    hold_us: int
    """How long the wave must last, with what people added."""
    planned_us: int = 0
    """How long the plan says it must last: what is fixed beforehand, such as when a trend is
    looked for, rests on that; 0: as hold_us."""
    now: Timestamp
    sign_offs: tuple[SignOff, ...] = ()
    """Of this wave."""

    @property
    def fixed_us(self) -> int:
        """The hold as it was known before the wave began."""
        return self.planned_us or self.hold_us

    @property
    def baked(self) -> bool:
        """Whether the wave has lasted as long as planned."""
        return self.lasted_us >= self.hold_us

    @property
    def lasted_us(self) -> int:
        """How long the wave has been watched; silence stops the clock."""
        return self.wave.lasted_us(self.now)

    def time_for(self, executions: int | None) -> int | None:
        """How long so many more executions take at the wave's rate, in microseconds."""
        if executions is None or self.wave.executions < _A_RATE or not self.lasted_us:
            return None
        return round(executions * self.lasted_us / self.wave.executions)


CriterionName = Annotated[str, Field(min_length=1, max_length=100)]


class CriterionModel(BaseModel):
    """Common to every kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    on_fail: OnFail = "rollback"
    """What a FAIL leads to."""

    def scaled(self, factor: float) -> Self:  # noqa: ARG002  why: for kinds that have a duration
        """The criterion with its durations multiplied; most have none."""
        return self


class ClaimModel(CriterionModel):
    """Common to every kind that tests a claim about rates."""

    alpha_pass: float = Field(default=0.05, gt=0, le=0.2)
    """The most often, in the long run, that a wave passes though the claim is false."""
    alpha_fail: float = Field(default=0.01, gt=0, le=0.2)
    """The most often that a wave fails though the claim is true."""


class TurningModel(ClaimModel):
    """Common to every kind that looks for a turn for the worse."""

    detect_turns: bool = True
    """Whether the evidence against the claim is also counted from later starts, so that a canary
    that turns bad is found out soon. Where failures come in clusters, it is wrong more often."""


class Judge(Protocol):
    """A criterion of any kind."""

    @property
    def name(self) -> str:
        """What it is called in judgements; unique within a wave."""

    @property
    def on_fail(self) -> OnFail:
        """What a FAIL leads to."""

    def judge(self, seen: Seen) -> Judgement:
        """Look, and say so. Pure."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """All must pass; else the worst one speaks. Nothing to judge is NO_DATA, never PASS."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), "NO_DATA")
