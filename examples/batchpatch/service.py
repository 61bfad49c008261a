"""How a service puts a risky path behind a flag: choose, run, measure, fall back."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from batchpatch.control import apply_control
from batchpatch.execution import Execution
from batchpatch.patch import Batch
from batchpatch.pipeline import Pipeline
from batchpatch.population import User


class Answer(Protocol):
    """What a flag says about a unit."""

    @property
    def enabled(self) -> bool:
        """Whether it takes the new path."""
        ...

    @property
    def audience(self) -> str | None:
        """The audience it was matched by; None for none."""
        ...


class Flags(Protocol):
    """What the service needs of a control plane."""

    def evaluate(self, flag: str, unit: str, attributes: Mapping[str, object], /) -> Answer:
        """Which path this unit takes, and as a member of which audience."""
        ...

    def record(self, executions: list[dict[str, Any]], /) -> object:
        """Take note of what was measured."""
        ...


class PatchService:
    """Applies batches for users, on the path that the flag picks for each of them.

    `new_id` makes a UUID string for every execution; `now_us` tells the time in microseconds
    since the epoch; `instance` names this process, whose memory is reported.
    """

    def __init__(
        self,
        flags: Flags,
        pipeline: Pipeline,
        *,
        flag: str,
        new_id: Callable[[], str],
        now_us: Callable[[], int],
        instance: str = "",
    ) -> None:
        self._flags = flags
        self._pipeline = pipeline
        self._flag = flag
        self._new_id = new_id
        self._now_us = now_us
        self._instance = instance
        self._buffer: list[dict[str, Any]] = []

    def handle(self, user: User, batch: Batch) -> str:
        """Return the patched document; the original one where the batch itself is wrong."""
        answer = self._flags.evaluate(self._flag, user.id, user.attributes)
        execution = self._pipeline.apply_batch(batch) if answer.enabled else apply_control(batch)
        self._buffer.append(self._describe(user, execution, answer))
        if answer.enabled and not execution.succeeded:
            # Not recorded: this run was not assigned to the control cohort, and counting it
            # there would blur the comparison.
            return apply_control(batch).text
        return execution.text

    def flush(self) -> None:
        """Send what has been measured. Where that fails it is kept for the next time.

        The control plane may so hear of an execution twice; the id tells it so.
        """
        sent = self._buffer.copy()
        if sent:
            self._flags.record(sent)
            del self._buffer[: len(sent)]

    def _describe(self, user: User, execution: Execution, answer: Answer) -> dict[str, Any]:
        return {
            "id": self._new_id(),
            "occurred_at": self._now_us(),
            "flag": self._flag,
            "cohort": "on" if answer.enabled else "off",
            "unit": user.id,
            "audience": answer.audience or "none",
            "outcome": execution.outcome,
            "error": execution.error,
            "instance": self._instance,
            "duration_us": execution.duration_us,
            "semantics_us": execution.semantics_us,
            "normalizer_us": execution.normalizer_us,
            "executor_us": execution.executor_us,
            "replace": execution.replace,
            "insert": execution.insert,
            "delete": execution.delete,
            "patches_applied": execution.patches_applied,
            "patches_failed": execution.patches_failed,
            "violations": execution.violations,
            "memory_current_bytes": execution.memory_current_bytes,
            "memory_peak_bytes": execution.memory_peak_bytes,
        }
