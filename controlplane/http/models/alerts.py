"""Alerts, and the rules that raise them."""

from typing import Annotated

from pydantic import Field

from controlplane.http.models.form import Moment, Said, Shown
from events.alerts import Severity


class Note(Said):
    """What you are about to do."""

    note: Annotated[str, Field(max_length=2000, examples=["reading the errors"])] = ""


class Alert(Shown):
    """The latest alert of one rule on one flag. Earlier ones are in the log."""

    stream: str = Field(examples=["alert-batch-patches-v1-ERROR_RATE_CRITICAL"])
    id: str = Field(examples=["batch-patches-v1/ERROR_RATE_CRITICAL/1"])
    rule: str = Field(examples=["ERROR_RATE_CRITICAL"])
    flag: str = Field(examples=["batch-patches-v1"])
    severity: Severity
    open: bool
    count: int = Field(ge=1, description="How often the rule has spoken on this flag.")
    value: float
    threshold: float
    unit: str = Field(description="Of value and threshold.", examples=["ratio"])
    sample: int = Field(ge=0, description="How many executions the value rests on.")
    summary: str = Field(examples=["60 of 100 failed = 60.0%, need error rate < 10 %"])
    raised_at: Moment
    acknowledged_at: Moment | None
    acknowledged_by: str | None = Field(examples=["ben"])
    resolved_at: Moment | None
    resolution: str
    position: int = Field(ge=1, description="The log position of its last event.")


class AlertRule(Shown):
    """What is watched, and what to do when it fires."""

    name: str = Field(examples=["ERROR_RATE_CRITICAL"])
    severity: Severity
    condition: str
    disables_flag: bool
    acknowledge_within: str = Field(examples=["5m"])
    resolve_within: str = Field(examples=["1h"])
    playbook: list[str]
