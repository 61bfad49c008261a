"""Real input for the service: a repository's history, or else the standard library."""

from pathlib import Path

from batchpatch.git_edits import edits_from_git
from batchpatch.patch import Batch
from batchpatch.stdlib_edits import edits_from_stdlib

_ENOUGH = 20  # a shorter history is too monotonous to exercise anything


def edits(repo: Path | None, limit: int = 500) -> tuple[list[Batch], str]:
    """Return edits to replay, and in words where they come from."""
    if repo is not None:
        batches = edits_from_git(repo, limit)
        if len(batches) >= min(_ENOUGH, limit):
            return batches, f"{len(batches)} edits from the git history of {repo}"
    batches = edits_from_stdlib(limit)
    return batches, f"{len(batches)} edits from the standard library"
