"""What was measured."""

from typing import Annotated

from pydantic import Field

from controlplane.http.models.form import Moment, Shown
from events.executions import Cohort

_Count = Annotated[int, Field(ge=0)]
_Microseconds = Annotated[
    int | None, Field(description="Within 1.1 %; null where none ran.", examples=[41_000])
]


class Tally(Shown):
    """Counts and durations of batch executions."""

    flag: str = Field(examples=["batch-patches-v1"])
    cohort: Cohort = Field(description="`on`: the new code; `off`: the control.")
    executions: int = Field(ge=0, description="Those that ran: rejected ones did not.")
    succeeded: _Count
    failed: _Count
    rejected: _Count
    error_rate: float | None = Field(ge=0, le=1, description="Of those that ran.")
    violations: dict[str, int] = Field(
        description="How often each invariant was violated.", examples=[{"atomic": 0}]
    )
    memory_current_bytes: _Count
    memory_peak_bytes: _Count
    p50_us: _Microseconds
    p95_us: _Microseconds
    p99_us: _Microseconds


class Minute(Tally):
    """What was measured in one minute."""

    minute: Moment = Field(description="When it begins.")


class Minutes(Shown):
    """The minutes in which something was recorded, in order."""

    items: list[Minute]
    next: Moment | None = Field(
        description="Where to go on: pass it as `since`. Null: this was the last page. A page may "
        "be empty, and others follow."
    )
