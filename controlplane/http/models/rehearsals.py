"""What other plans and alert rules would have decided."""

from typing import Annotated, Any, Literal

from pydantic import Field

from controlplane.http.models.form import Moment, Said, Shown
from controlplane.http.models.steering import PlanData
from controlplane.rules.tuning import Tuning

_At = Annotated[
    str, Field(max_length=40, description="A moment (ISO 8601 with a zone) or a log position.")
]


class Rulebook(Said):
    """What is to be in force instead; what it leaves out is as it was."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["stricter"])]
    plan: PlanData | None = None
    rules: dict[str, dict[str, Any]] | None = Field(
        default=None,
        max_length=20,
        description="Alert rules by name, with what is to be otherwise: "
        f"{', '.join(Tuning.model_fields)}.",
        examples=[{"ERROR_RATE_CRITICAL": {"threshold": 0.1}}],
    )


class Rehearsing(Said):
    """What to try, and of which part of the record; without any: of all there is."""

    rulebooks: Annotated[list[Rulebook], Field(min_length=1, max_length=10)]
    rollout: Annotated[str, Field(max_length=200)] | None = None
    incident: Annotated[str, Field(max_length=63)] | None = None
    flag: Annotated[str, Field(max_length=100)] | None = None
    since: _At | None = None
    until: _At | None = None
    every_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=60.0, description="Between looks that would be taken beside those recorded."
    )


class Place(Shown):
    """Where in the record."""

    position: int = Field(description="The log position up to which everything was known.")
    at: Moment | None
    wave: int
    reason: str


class Stop(Place):
    """From here on the new code would have been served to fewer."""

    kind: Literal["rolled_back", "held", "waited", "narrower"]


class Saved(Shown):
    """What was recorded of the new code, and would not have run."""

    executions: int
    failed: int
    units: int = Field(description="Units for which something failed, and would not have.")
    bound: bool = Field(description="Whether more may have been saved after what can be told.")


class Departure(Shown):
    """A decision that differs without altering what was served."""

    position: int
    at: Moment | None
    recorded: str
    rehearsed: str


class RehearsalOutcome(Shown):
    """What one rulebook would have made of one rollout, or of a flag served by hand."""

    rulebook: str
    flag: str
    rollout: str | None = Field(description="Null: the flag was served by hand.")
    start: int
    end: int
    went_wrong: bool
    answer: Literal["same", "exact", "unknown"]
    sentence: str
    reason: str = Field(description="Why it stops, or why more is not told.")
    decisions: int = Field(description="Recorded decisions that were taken again.")
    identical: int = Field(description="Of these, those that came out the same to the letter.")
    stops: list[Stop]
    beyond: Place | None = Field(description="From here on the record does not tell.")
    earlier_us: int | None
    saved: Saved
    recorded_stop_at: Moment | None
    recorded_failed: int
    alerts: int
    departures: list[Departure]


class RulebookTally(Shown):
    """One rulebook over all cases, with both errors."""

    rulebook: str
    same: int
    exact: int
    unknown: int
    wrong: int = Field(description="Cases that went wrong in the record.")
    caught_earlier: int
    caught_alike: int
    not_told: int
    held_up: int
    failed_saved: int
    units_saved: int
    failed: int
    quiet: int = Field(description="Cases in which nothing went wrong.")
    false_alarms: int
    delayed: int
    alerts: int


class Rehearsal(Shown):
    """What came of it."""

    environment: str
    position: int
    tallies: list[RulebookTally]
    outcomes: list[RehearsalOutcome]
