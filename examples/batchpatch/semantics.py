"""SEMANTICS, the first layer: every patch means something in this document."""

from batchpatch.patch import Batch, PatchError


def check_semantics(batch: Batch) -> None:
    """Reject a batch with a meaningless patch. Raises PatchError."""
    length = len(batch.document)
    for number, patch in enumerate(batch.patches, start=1):
        if problem := patch.problem(length):
            raise PatchError(f"patch {number} of {len(batch.patches)} ({patch}): {problem}")
