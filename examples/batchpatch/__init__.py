"""Batch Patch: applies batches of patches to text documents. The thing being rolled out."""

from batchpatch.control import apply_control
from batchpatch.edits import edits
from batchpatch.execution import Execution
from batchpatch.executor import Applied, execute
from batchpatch.faults import FaultInjector, Faults
from batchpatch.git_edits import edits_from_git
from batchpatch.invariants import INVARIANTS, Evidence, check_invariants
from batchpatch.layers import Layers
from batchpatch.normalizer import normalize
from batchpatch.patch import Batch, Operation, Patch, PatchError
from batchpatch.pipeline import Pipeline
from batchpatch.population import User, population
from batchpatch.semantics import check_semantics
from batchpatch.service import Flags, PatchService
from batchpatch.stdlib_edits import edits_from_stdlib

__all__ = [
    "INVARIANTS",
    "Applied",
    "Batch",
    "Evidence",
    "Execution",
    "FaultInjector",
    "Faults",
    "Flags",
    "Layers",
    "Operation",
    "Patch",
    "PatchError",
    "PatchService",
    "Pipeline",
    "User",
    "apply_control",
    "check_invariants",
    "check_semantics",
    "edits",
    "edits_from_git",
    "edits_from_stdlib",
    "execute",
    "normalize",
    "population",
]
