"""Seven things that hold of every batch, checked on every batch.

The checks work from the evidence of a run and recompute what they can by other means than
the layers did, so that they fail when a layer is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from batchpatch.executor import Applied, execute
from batchpatch.layers import Layers
from batchpatch.patch import Batch, Patch, by_position, collide


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run left behind.

    `plan` is None if the batch was rejected before there was one, `applied` is None if it
    was not applied. The layers are those of the run: the checks put the same questions to
    them again.
    """

    batch: Batch
    layers: Layers
    plan: tuple[Patch, ...] | None
    applied: Applied | None

    @property
    def text(self) -> str:
        """The document after the run."""
        return self.batch.document if self.applied is None else self.applied.text

    @property
    def applied_plan(self) -> tuple[Patch, ...]:
        """The normalised patches that the run claims to have applied."""
        return self.plan or () if self.applied else ()


def check_invariants(evidence: Evidence) -> dict[str, int]:
    """Count the violations by name; an empty mapping means that all seven held."""
    return {name: 1 for name, check in _CHECKS.items() if not _holds(check, evidence)}


def _holds(check: Callable[[Evidence], bool], evidence: Evidence) -> bool:
    try:
        return check(evidence)
    except Exception:  # noqa: BLE001  why: what cannot be shown to hold is violated
        return False


def _atomic(evidence: Evidence) -> bool:
    """Every patch of the plan stands in the new text, and nothing else has changed."""
    document, text = evidence.batch.document, evidence.text
    read = written = 0
    for patch in evidence.applied_plan:
        kept = document[read : patch.start]
        if not text.startswith(kept, written):
            return False
        written += len(kept)
        if not text.startswith(patch.text, written):
            return False
        written += len(patch.text)
        read = patch.end
    return text[written:] == document[read:]


def _in_bounds(evidence: Evidence) -> bool:
    """No patch was applied outside of the document."""
    length = len(evidence.batch.document)
    return all(0 <= patch.start <= patch.end <= length for patch in evidence.applied_plan)


def _no_overlap(evidence: Evidence) -> bool:
    """No two patches that were applied claimed the same place, as submitted or as planned."""
    submitted = sorted(evidence.batch.patches, key=by_position) if evidence.applied else ()
    return not any(
        collide(earlier, later)
        for patches in (submitted, evidence.applied_plan)
        for earlier, later in pairwise(patches)
    )


def _order_independent(evidence: Evidence) -> bool:
    """The same patches the other way round give the same plan, or the same rejection."""
    backwards = replace(evidence.batch, patches=evidence.batch.patches[::-1])
    # Equal plans mean equal documents, and are far cheaper to compare.
    return _plan(evidence.layers, backwards) == evidence.plan


def _deterministic(evidence: Evidence) -> bool:
    """A second run gives the same text and the same undo, or is rejected again."""
    plan = _plan(evidence.layers, evidence.batch)
    return (plan, _apply(evidence, plan)) == (evidence.plan, evidence.applied)


def _length_accounted(evidence: Evidence) -> bool:
    """The document grew by exactly what the submitted patches add and take away."""
    patches = evidence.batch.patches if evidence.applied else ()
    growth = sum(patch.growth for patch in patches)
    return len(evidence.text) == len(evidence.batch.document) + growth


def _undo_restores(evidence: Evidence) -> bool:
    """The undo turns the new text back into the original document."""
    if evidence.applied is None:
        return True
    return execute(evidence.text, evidence.applied.undo).text == evidence.batch.document


def _plan(layers: Layers, batch: Batch) -> tuple[Patch, ...] | None:
    try:
        layers.semantics(batch)
        return layers.normalizer(batch.patches)
    except Exception:  # noqa: BLE001  why: a rejection is an answer, however it was put
        return None


def _apply(evidence: Evidence, plan: tuple[Patch, ...] | None) -> Applied | None:
    if plan is None:
        return None
    try:
        return evidence.layers.executor(evidence.batch.document, plan)
    except Exception:  # noqa: BLE001  why: a rejection is an answer, however it was put
        return None


_CHECKS: dict[str, Callable[[Evidence], bool]] = {
    "atomic": _atomic,
    "in_bounds": _in_bounds,
    "no_overlap": _no_overlap,
    "order_independent": _order_independent,
    "deterministic": _deterministic,
    "length_accounted": _length_accounted,
    "undo_restores": _undo_restores,
}

INVARIANTS: tuple[str, ...] = tuple(_CHECKS)
"""The names of the invariants, in the order in which they are checked."""
