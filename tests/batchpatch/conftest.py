from random import Random

import pytest
from batchpatch import Batch, Operation, Patch


@pytest.fixture
def rng() -> Random:
    return Random(7)  # noqa: S311  why: reproducible, nothing to keep secret


@pytest.fixture
def batch() -> Batch:
    """Three patches far apart, in no particular order."""
    patches = (
        Patch(Operation.INSERT, 19, 19, " again"),
        Patch(Operation.REPLACE, 0, 3, "One"),
        Patch(Operation.DELETE, 4, 10, ""),
    )
    return Batch("the quick brown fox.", patches, "One brown fox again.", "fox")
