"""The new path, cohort "on": SEMANTICS -> NORMALIZER -> EXECUTOR, then the invariants."""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter_ns

from batchpatch.execution import Execution, LayerTimes, conclude, difference
from batchpatch.executor import Applied
from batchpatch.invariants import Evidence, check_invariants
from batchpatch.layers import Layers
from batchpatch.patch import Batch, Patch, PatchError


class Pipeline:
    """Applies batches, times every layer and checks every invariant.

    `pick_layers` is asked once for each batch: this is where faults come in. `stopwatch`
    counts monotonic nanoseconds.
    """

    def __init__(
        self,
        pick_layers: Callable[[], Layers] = Layers,
        stopwatch: Callable[[], int] = perf_counter_ns,
    ) -> None:
        self._pick_layers = pick_layers
        self._stopwatch = stopwatch

    def apply_batch(self, batch: Batch) -> Execution:
        """Apply the batch as a whole. Never raises: what goes wrong is in the result."""
        started = self._stopwatch()
        evidence, times, error = self._run(batch)
        violations = check_invariants(evidence)
        if not error:
            error = _objection(evidence, violations)
        duration_us = (self._stopwatch() - started) // 1000
        return conclude(
            batch,
            evidence.text,
            error,
            duration_us,
            times=times,
            violations=violations,
            undo=_undo(batch, evidence.applied),
        )

    def _run(self, batch: Batch) -> tuple[Evidence, LayerTimes, str]:
        layers = self._pick_layers()
        plan: tuple[Patch, ...] | None = None
        applied: Applied | None = None
        error = ""
        marks = [self._stopwatch()]
        try:
            layers.semantics(batch)
            marks.append(self._stopwatch())
            plan = layers.normalizer(batch.patches)
            marks.append(self._stopwatch())
            applied = layers.executor(batch.document, plan)
        except PatchError as rejection:
            error = str(rejection)
        except Exception as defect:  # noqa: BLE001  why: a defect fails the batch, not the caller
            error = f"{type(defect).__name__}: {defect}"
        marks.append(self._stopwatch())
        times = LayerTimes(*((end - start) // 1000 for start, end in pairwise(marks)))
        return Evidence(batch, layers, plan, applied), times, error


def _objection(evidence: Evidence, violations: dict[str, int]) -> str:
    """Say why the result of a run that went through must not be used; empty if it may."""
    if violations:
        return f"violated: {', '.join(violations)}"
    return difference(evidence.batch.expected, evidence.text)


def _undo(batch: Batch, applied: Applied | None) -> Batch | None:
    if applied is None:
        return None
    return Batch(applied.text, applied.undo, batch.document, f"undo of {batch.label or 'a batch'}")
