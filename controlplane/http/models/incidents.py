"""Incidents, and going through them again."""

from typing import Annotated, Literal

from pydantic import Field

from controlplane.http.models.events import Recorded
from controlplane.http.models.form import Moment, Reason, Said, Shown
from controlplane.http.models.past import Change
from controlplane.http.models.rollouts import Judgement
from events.alerts import Severity


class IncidentDeclaration(Said):
    """What is wrong with which flag."""

    flag: str = Field(min_length=1, max_length=100, examples=["batch-patches-v1"])
    reason: Reason = Field(examples=["customers see old texts"])
    severity: Severity = "critical"


class NoteSaid(Said):
    """What somebody knows."""

    note: Annotated[str, Field(max_length=2000, examples=["only inserts fail"])]


class Note(Shown):
    """What somebody wrote down."""

    by: str
    note: str
    at: Moment | None


class Incident(Shown):
    """One trouble with one flag, as it stands."""

    id: str = Field(examples=["INC-7"])
    flag: str
    severity: Severity = Field(description="The worst of its alerts.")
    state: Literal["open", "recovered", "closed"]
    reason: str
    rollout: str | None = Field(description="The rollout in charge when it was opened.")
    opened_at: Moment | None
    opened_by: str
    opened_position: int
    alert: str = Field(description="The alert that opened it; empty where a person did.")
    alerts: list[str]
    open_alerts: list[str]
    alerted_at: Moment | None
    acknowledged_at: Moment | None
    acknowledged_by: str
    mitigated_at: Moment | None
    rollback_at: Moment | None
    rollback_us: int | None
    recovered_at: Moment | None
    closed_at: Moment | None
    closed_by: str
    closed_position: int
    resolution: str
    notes: list[Note]
    position: int = Field(description="The log position of its last change.")


class Measure(Shown):
    """How long one step took, against its target."""

    name: Literal["detect", "acknowledge", "mitigate", "recover", "rollback"]
    took_us: int | None = Field(description="Null: it has not happened, or cannot be told.")
    target_us: int | None = Field(description="Null: the next working day.")
    met: bool | None = Field(description="Null: not late yet, or it cannot be told.")


class Report(Incident):
    """An incident with all that belongs to it."""

    began_at: Moment | None = Field(description="Since when the alert's condition was met.")
    measures: list[Measure]
    start: int = Field(description="The log position after which its story begins.")
    end: int = Field(description="The log position with which it ends, so far.")
    timeline: list[Recorded]


class Served(Shown):
    """An audience, and the share of it that gets the new code, in percent."""

    audience: str
    percentage: float


class OpenAlert(Shown):
    """An alert that was open."""

    id: str
    severity: Severity
    summary: str
    raised_at: Moment | None
    acknowledged_by: str | None


class RolloutSeen(Shown):
    """Where the flag's latest rollout stood, judged as of the moment."""

    rollout: str
    state: str
    wave: str
    percentage: float
    sentence: str
    criteria: list[Judgement]


class Picture(Shown):
    """What could be seen of the flag at the moment."""

    flag: str
    at: Moment | None
    enabled: bool
    exposures: list[Served]
    executions: int = Field(description="Of the new code, in the five minutes up to the moment.")
    failed: int
    error_rate: float | None
    p95_us: int | None
    rollout: RolloutSeen | None
    alerts: list[OpenAlert]
    incidents: list[str]


class Frame(Shown):
    """One event, what it altered, and what could then be seen."""

    event: Recorded
    sentence: str
    changes: list[Change]
    picture: Picture | None = Field(description="Null where the event is about no flag.")


class Frames(Shown):
    """Frames in the order of the log."""

    items: list[Frame]
    next: int | None = Field(description="Where to go on: pass it as `after`. Null: the end.")
