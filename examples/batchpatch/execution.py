"""What is known about a batch once it has run, whichever path it took."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

from batchpatch.memory import read_memory
from batchpatch.patch import Batch, Operation

_EXCERPT = 20  # characters shown of each text where two differ


class LayerTimes(NamedTuple):
    """Microseconds spent in each layer; 0 for a layer that was not reached."""

    semantics_us: int = 0
    normalizer_us: int = 0
    executor_us: int = 0


NO_LAYERS = LayerTimes()


@dataclass(frozen=True, slots=True)
class Execution:
    """One batch, measured. All durations are in whole microseconds.

    `text` is the new document, or the original one if the batch failed: a batch is applied
    as a whole or not at all, and so are `patches_applied` and `patches_failed` all or none.
    `error` is empty on success; `undo` is None on failure, and always on the control path.
    """

    outcome: Literal["succeeded", "failed"]
    text: str
    error: str
    duration_us: int
    semantics_us: int
    normalizer_us: int
    executor_us: int
    replace: int
    insert: int
    delete: int
    patches_applied: int
    patches_failed: int
    violations: dict[str, int]
    memory_current_bytes: int
    memory_peak_bytes: int
    undo: Batch | None

    @property
    def succeeded(self) -> bool:
        """Whether the batch was applied."""
        return self.outcome == "succeeded"


def conclude(
    batch: Batch,
    text: str,
    error: str,
    duration_us: int,
    *,
    times: LayerTimes = NO_LAYERS,
    violations: dict[str, int] | None = None,
    undo: Batch | None = None,
) -> Execution:
    """Write up a run: any error makes it a failure that leaves the document as it was."""
    operations = Counter(patch.operation for patch in batch.patches)
    memory = read_memory()
    return Execution(
        outcome="failed" if error else "succeeded",
        text=batch.document if error else text,
        error=error,
        duration_us=duration_us,
        **times._asdict(),
        replace=operations[Operation.REPLACE],
        insert=operations[Operation.INSERT],
        delete=operations[Operation.DELETE],
        patches_applied=0 if error else len(batch.patches),
        patches_failed=len(batch.patches) if error else 0,
        violations=violations or {},
        memory_current_bytes=memory.current,
        memory_peak_bytes=memory.peak,
        undo=None if error else undo,
    )


def difference(expected: str | None, text: str) -> str:
    """Say where the text departs from what was expected; empty where it does not."""
    if expected is None or text == expected:
        return ""
    # The longest common prefix by bisection: a few comparisons in C instead of a loop.
    shortest = min(len(expected), len(text))
    at = bisect_left(range(shortest), x=True, key=lambda i: text[: i + 1] != expected[: i + 1])
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    wanted, found = expected[at : at + _EXCERPT], text[at : at + _EXCERPT]
    return f"line {line}, column {column}: expected {wanted!r}, found {found!r}"
