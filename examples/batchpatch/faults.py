"""Faults to switch on in the new path. Each one really happens; no measurement is made up."""

from dataclasses import dataclass, replace
from mmap import ACCESS_COPY, mmap
from random import Random  # noqa: TID251  why: the type of an argument; nothing is drawn from here
from threading import Lock

from batchpatch.executor import Applied, execute
from batchpatch.layers import Executor, Layers
from batchpatch.normalizer import normalize
from batchpatch.patch import Patch

_LOG_PAGE_BYTES = 48 * 1024  # the executor runs twice: about 5 MB/s at 50 batches per second


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults are on.

    errors      the normalizer is off by one, in a share `rate` of the batches
    violations  the executor stops half way or loses an undo, in a share `rate` of them
    slow        the executor waits `wait_seconds` for a lock that somebody else holds
    leak        the executor keeps a log page of every document and undo, for ever
    """

    errors: bool = False
    violations: bool = False
    slow: bool = False
    leak: bool = False
    rate: float = 0.5
    wait_seconds: float = 1.1


class FaultInjector:
    """Picks the layers for each batch: `Pipeline(FaultInjector(rng, Faults(slow=True)))`.

    `faults` may be exchanged while the pipeline runs. What leaked stays with the injector.
    """

    def __init__(self, rng: Random, faults: Faults = Faults()) -> None:
        self.faults = faults
        self._rng = rng
        self._leaked: list[mmap] = []

    def __call__(self) -> Layers:
        """Return the layers for the next batch, healthy or not."""
        faults, layers = self.faults, Layers()
        if faults.errors and self._hit():
            layers = replace(layers, normalizer=_off_by_one)
        if faults.violations and self._hit():
            layers = replace(layers, executor=self._rng.choice((_stop_half_way, _lose_an_undo)))
        if faults.slow:
            layers = replace(layers, executor=_wait(layers.executor, faults.wait_seconds))
        if faults.leak:
            layers = replace(layers, executor=_leak(layers.executor, self._leaked))
        return layers

    def _hit(self) -> bool:
        return self._rng.random() < self.faults.rate


def _off_by_one(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    """Move every patch one character on: a wrong text, or a patch past the end."""
    return tuple(
        replace(patch, start=patch.start + 1, end=patch.end + 1) for patch in normalize(patches)
    )


def _stop_half_way(document: str, plan: tuple[Patch, ...]) -> Applied:
    """Apply the first half of the plan and call it done."""
    return execute(document, plan[: len(plan) // 2])


def _lose_an_undo(document: str, plan: tuple[Patch, ...]) -> Applied:
    """Forget the way back for the last patch."""
    applied = execute(document, plan)
    return replace(applied, undo=applied.undo[:-1])


def _wait(executor: Executor, seconds: float) -> Executor:
    contended = Lock()
    contended.acquire()
    pending = iter((seconds,))

    def wait(document: str, plan: tuple[Patch, ...]) -> Applied:
        # Once for each batch: having got the lock, it keeps it while the checks run again.
        for timeout in pending:
            contended.acquire(timeout=timeout)
        return executor(document, plan)

    return wait


def _leak(executor: Executor, kept: list[mmap]) -> Executor:
    def leak(document: str, plan: tuple[Patch, ...]) -> Applied:
        applied = executor(document, plan)
        entry = f"{document}{applied.undo}".encode(errors="replace")
        content = entry * (_LOG_PAGE_BYTES // len(entry) + 1)
        # Fresh memory, written to the end. On the heap it could hide in what was freed before.
        page = mmap(-1, len(content), access=ACCESS_COPY)
        page.write(content)
        kept.append(page)
        return applied

    return leak
