"""Readiness: everything the plan calls for is present, and there is a baseline to compare with."""

from random import Random

import pytest
from batchpatch import INVARIANTS, PatchService, Pipeline, edits
from batchpatch.faults import FaultInjector

from controlplane import FOUR_WAVES, ControlPlane
from controlplane.cli.workload import Recorder
from controlplane.exposition import INVARIANTS as EXPORTED_INVARIANTS
from controlplane.rules.catalog import RULES
from events.timestamps import DAY, HOUR, MINUTE
from tests.journeys.traffic import ENGINEER, FLAG, Clock, Service


def test_the_four_waves_are_those_of_the_plan() -> None:
    waves = [(w.percentage, w.audience.name, w.hold // HOUR) for w in FOUR_WAVES.waves]
    assert waves == [
        (10, "internal", 24),
        (25, "beta", 48),
        (50, "everyone", 48),
        (100, "everyone", 48),
    ]
    assert FOUR_WAVES.soak is not None
    assert FOUR_WAVES.soak.hold == 14 * DAY
    gates = {"zero_events", "rate_below", "quantile_below"}
    more = [
        set(),
        {"trend_down"},
        {"trend_down", "stable"},
        {"trend_down", "stable"},
        {"sustained"},
    ]
    for stage, added in zip((*FOUR_WAVES.waves, FOUR_WAVES.soak), more, strict=True):
        assert {criterion.kind for criterion in stage.criteria} == gates | added


def test_the_gates_are_those_of_the_plan() -> None:
    gates = {c.name: c for c in FOUR_WAVES.waves[0].criteria}
    assert gates["error_rate"].bound == 0.05
    assert (gates["p95_latency"].quantile, gates["p95_latency"].threshold) == (0.95, 500_000)
    assert all(gate.on_fail == "rollback" for gate in gates.values())


def test_eight_rules_in_three_severities_each_have_a_playbook() -> None:
    by_severity = [sum(r.severity == s for r in RULES.values()) for s in ("critical", "warning")]
    assert (len(RULES), by_severity) == (8, [3, 3])
    assert all(rule.playbook and rule.condition for rule in RULES.values())


@pytest.mark.parametrize(
    ("rule", "acknowledge", "resolve"),
    [
        ("ERROR_RATE_CRITICAL", 5 * MINUTE, 15 * MINUTE),
        ("ERROR_RATE_WARNING", 30 * MINUTE, 4 * HOUR),
        ("TELEMETRY_STALE", None, None),
    ],
)
def test_every_severity_has_its_targets(
    rule: str, acknowledge: int | None, resolve: int | None
) -> None:
    found = RULES[rule]
    assert (found.acknowledge_within_us, found.resolve_within_us) == (acknowledge, resolve)


def test_the_invariants_that_are_exported_are_those_of_the_workload() -> None:
    assert EXPORTED_INVARIANTS == INVARIANTS


def test_the_workload_has_a_baseline_and_it_is_recorded(service: Service, clock: Clock) -> None:
    plane: ControlPlane = service.plane
    plane.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    batches, _ = edits(None, 100)
    work = PatchService(
        Recorder(plane),
        Pipeline(FaultInjector(Random(7))),  # noqa: S311  why: reproducible
        flag=FLAG,
        new_id=plane._core.new_id,
        now_us=clock,
    )
    for batch, user in zip(batches, service.users, strict=False):
        assert work.handle(user, batch) == batch.expected
    work.flush()
    total = plane.metrics.total(FLAG)
    assert (total.executions, total.failed, total.violations) == (100, 0, {})
    average_us = total.rungs.sum_us / total.executions
    p95, p99 = (total.durations.quantile(q) for q in (0.95, 0.99))
    assert average_us < 50_000
    assert p95 < 400_000
    assert p99 < 500_000
    assert total.memory_peak_bytes >= total.memory_current_bytes > 0
    assert all(total.layers[layer].sum_us for layer in ("semantics", "normalizer", "executor"))
    assert plane.alerts.watch() == []
