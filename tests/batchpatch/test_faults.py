from random import Random

import pytest
from batchpatch import (
    Batch,
    Execution,
    FaultInjector,
    Faults,
    Patch,
    Pipeline,
    edits_from_stdlib,
)


def run(rng: Random, faults: Faults, batches: list[Batch]) -> list[Execution]:
    pipeline = Pipeline(FaultInjector(rng, faults))
    return [pipeline.apply_batch(batch) for batch in batches]


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    return edits_from_stdlib(100)


def test_without_faults_every_batch_succeeds(rng: Random, batches: list[Batch]) -> None:
    assert all(execution.succeeded for execution in run(rng, Faults(), batches))


def test_errors_fail_about_half_of_the_batches_and_violate_nothing(
    rng: Random, batches: list[Batch]
) -> None:
    executions = run(rng, Faults(errors=True), batches)
    failed = [execution for execution in executions if not execution.succeeded]
    assert 35 <= len(failed) <= 65
    assert all("expected" in e.error or "does not fit" in e.error for e in failed)
    assert not any(execution.violations for execution in executions)


def test_an_error_at_the_end_of_a_document_runs_out_of_bounds(rng: Random) -> None:
    batch = Batch("abc", (Patch.between(3, 3, "d"),))
    (execution,) = run(rng, Faults(errors=True, rate=1), [batch])
    assert "does not fit" in execution.error
    assert execution.violations == {}


def test_violations_break_invariants_in_about_half_of_the_batches(
    rng: Random, batches: list[Batch]
) -> None:
    executions = run(rng, Faults(violations=True), batches)
    violated = [execution for execution in executions if execution.violations]
    assert 35 <= len(violated) <= 65
    assert all(execution.outcome == "failed" for execution in violated)
    assert {"atomic", "undo_restores"} <= {name for e in violated for name in e.violations}


@pytest.mark.parametrize("faults", [Faults(errors=True), Faults(violations=True)])
def test_the_rate_and_the_generator_decide_which_batches_are_hit(
    faults: Faults, batches: list[Batch]
) -> None:
    def outcomes(seed: int) -> list[str]:
        rng = Random(seed)  # noqa: S311  why: reproducible, nothing to keep secret
        return [execution.error for execution in run(rng, faults, batches)]

    assert outcomes(1) == outcomes(1) != outcomes(2)


def test_a_slow_batch_waits_once_and_in_the_executor(rng: Random, batch: Batch) -> None:
    (execution,) = run(rng, Faults(slow=True, wait_seconds=0.3), [batch])
    assert execution.succeeded
    assert execution.executor_us >= 300_000
    assert execution.duration_us - execution.executor_us < 300_000


def test_a_leak_shows_in_the_resident_memory(rng: Random, batch: Batch) -> None:
    pipeline = Pipeline(FaultInjector(rng, Faults(leak=True)))
    before = pipeline.apply_batch(batch).memory_current_bytes
    for _ in range(200):
        execution = pipeline.apply_batch(batch)
    assert execution.succeeded
    # Four seconds at 50 batches per second.
    assert execution.memory_current_bytes - before > 4 * 3_000_000


def test_faults_can_be_exchanged_while_the_pipeline_runs(rng: Random, batch: Batch) -> None:
    injector = FaultInjector(rng)
    pipeline = Pipeline(injector)
    assert pipeline.apply_batch(batch).succeeded
    injector.faults = Faults(errors=True, rate=1)
    assert not pipeline.apply_batch(batch).succeeded
    injector.faults = Faults()
    assert pipeline.apply_batch(batch).succeeded
