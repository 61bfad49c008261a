"""A small plan, and evidence to judge a wave by."""

from typing import Any

from controlplane import plans
from controlplane.plans import Plan
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.evidence import WaveEvidence
from tests.projections.recording import START

BETA = {
    "name": "beta",
    "conditions": [{"attribute": "group", "operator": "equals", "value": "beta"}],
}
CRITERIA = [
    {"kind": "zero_events"},
    {"kind": "rate_below", "bound": 0.05},
    {"kind": "quantile_below", "name": "p95_latency", "threshold": "500ms"},
]
GUARD = {"kind": "rate_below", "bound": 0.05}
HOLDING_GUARD = {**GUARD, "on_fail": "hold"}


def plan_data(criteria: Any = CRITERIA, **changes: Any) -> dict[str, Any]:
    """Two waves of an hour and two, and a soak of three."""
    waves = [
        {"name": "wave 1", "audience": BETA, "percentage": 10, "hold": "1h", "criteria": criteria},
        {"name": "wave 2", "percentage": 50, "hold": "2h", "criteria": criteria},
    ]
    soak = {"hold": "3h", "criteria": criteria}
    return {"name": "two waves", "waves": waves, "soak": soak, **changes}


def plan(criteria: Any = CRITERIA, **changes: Any) -> Plan:
    """The same, checked."""
    return plans.parse(plan_data(criteria, **changes))


def seen(
    executions: int = 0,
    failed: int = 0,
    *,
    slow: int = 0,
    slow_us: int = 600_000,
    alerts: tuple[str, ...] = (),
    wave: int = 1,
    entered_at: Timestamp = START,
    last_at: Timestamp = START + HOUR,
    covered_us: int | None = None,
    violations: int = 0,
) -> WaveEvidence:
    """So many executions of 20 ms, some of which failed, and some of which were slow.

    They came without a pause, unless something else is said.
    """
    evidence = WaveEvidence(wave, entered_at, executions, failed)
    for duration_us, count in ((20_000, executions - slow), (slow_us, slow)):
        for _ in range(count):
            evidence.rungs.add(duration_us)
            evidence.durations.add(duration_us)
    evidence.critical_alerts = list(alerts)
    evidence.violations = violations
    evidence.max_silence_us = 15 * MINUTE
    if executions:
        evidence.last_at = last_at
        evidence.covered_us = max(0, last_at - entered_at) if covered_us is None else covered_us
    return evidence
