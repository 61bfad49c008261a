"""The control path, cohort "off": one patch after the other, from the end of the document.

Working backwards keeps the positions of the patches still to come. It copies the document
once for each patch, knows no undo and checks no invariant: this is what the pipeline replaces.
"""

from collections.abc import Callable
from time import perf_counter_ns

from batchpatch.execution import Execution, conclude, difference
from batchpatch.patch import Batch, Patch, PatchError, by_position, collide


def apply_control(batch: Batch, stopwatch: Callable[[], int] = perf_counter_ns) -> Execution:
    """Apply the batch as a whole. Never raises: what goes wrong is in the result.

    `stopwatch` counts monotonic nanoseconds; there are no layers to time.
    """
    started = stopwatch()
    text, error = batch.document, ""
    try:
        text = _apply_backwards(batch)
        error = difference(batch.expected, text)
    except PatchError as rejection:
        error = str(rejection)
    except Exception as defect:  # noqa: BLE001  why: a defect fails the batch, not the caller
        error = f"{type(defect).__name__}: {defect}"
    return conclude(batch, text, error, (stopwatch() - started) // 1000)


def _apply_backwards(batch: Batch) -> str:
    text = batch.document
    following: Patch | None = None
    for patch in sorted(batch.patches, key=by_position, reverse=True):
        if problem := patch.problem(len(batch.document)):
            raise PatchError(f"{patch}: {problem}")
        if following and collide(patch, following):
            raise PatchError(f"{following} overlaps {patch}")
        text = text[: patch.start] + patch.text + text[patch.end :]
        following = patch
    return text
