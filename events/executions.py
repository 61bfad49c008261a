"""What a batch execution says. These names are stored: change one only with an upcast."""

from typing import Annotated, Literal

import msgspec

from events.event import Event

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Cohort = Literal["on", "off"]
Outcome = Literal["succeeded", "failed", "rejected"]

OPERATIONS = ("replace", "insert", "delete")
LAYERS = ("semantics", "normalizer", "executor")


class BatchExecuted(Event, frozen=True):
    """One batch of patches was run, or rejected because the flag was off for its unit."""

    TYPE = "execution.batch_executed"
    flag: Name
    cohort: Cohort
    """`on`: the new code; `off`: the control."""
    unit: Name
    outcome: Outcome
    duration_us: Count
    """Told, never presumed: an execution without one would look like a fast one."""
    audience: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """The audience of the flag that the unit was matched by; `none` where it was by none, empty
    where that is not told."""
    semantics_us: Count = 0
    normalizer_us: Count = 0
    executor_us: Count = 0
    replace: Count = 0
    insert: Count = 0
    delete: Count = 0
    patches_applied: Count = 0
    patches_failed: Count = 0
    violations: Annotated[dict[Name, Count], msgspec.Meta(max_length=50)] = {}
    """How often each named invariant was violated."""
    memory_current_bytes: Count = 0
    memory_peak_bytes: Count = 0
    instance: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """The process that ran it, as in host:pid: memory is a property of a process."""
    error: Annotated[str, msgspec.Meta(max_length=2000)] = ""


ExecutionEvent = BatchExecuted


def execution_stream(flag: str) -> str:
    """The stream of all executions under one flag."""
    return f"executions-{flag}"
