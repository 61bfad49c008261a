"""The three layers of the new path as one value, so that one can be swapped for another."""

from collections.abc import Callable
from dataclasses import dataclass

from batchpatch.executor import Applied, execute
from batchpatch.normalizer import normalize
from batchpatch.patch import Batch, Patch
from batchpatch.semantics import check_semantics

Semantics = Callable[[Batch], None]
Normalizer = Callable[[tuple[Patch, ...]], tuple[Patch, ...]]
Executor = Callable[[str, tuple[Patch, ...]], Applied]


@dataclass(frozen=True, slots=True)
class Layers:
    """SEMANTICS -> NORMALIZER -> EXECUTOR; the healthy ones unless told otherwise."""

    semantics: Semantics = check_semantics
    normalizer: Normalizer = normalize
    executor: Executor = execute
