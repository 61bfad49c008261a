"""The read models as Prometheus metrics.

No counter lives in memory: what is exported is folded from the log, so counters go on after a
restart as if nothing had been. A scrape that showed zero during a rebuild, then the old count,
would look like a burst of traffic to `increase()`; so the endpoint answers 503 until the read
models have caught up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.registry import Collector

from controlplane.plane import ControlPlane
from controlplane.rules.catalog import WATCHED
from events.executions import LAYERS, OPERATIONS
from events.timestamps import SECOND
from projections.alerts import Alert
from projections.flags import Flag
from projections.histogram import Histogram
from projections.metrics import LADDER_US, Rungs, Tally
from projections.rollouts import Rollout, State
from projections.runner import Lag

INVARIANTS = (
    "atomic", "in_bounds", "no_overlap", "order_independent",
    "deterministic", "length_accounted", "undo_restores",
)  # fmt: skip
"""Those of the workload, exported at 0 from the start: a missing series cannot be alerted on."""

_MOST_LABELS = 50
"""Names come from outside: a label must not grow without bound."""
_OTHERS = "other"

_STATES: tuple[State, ...] = (
    "entering", "observing", "evaluating", "proposed", "holding", "promoting", "soaking",
    "completed", "rolling_back", "rolled_back",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything a scrape shows, as of one moment."""

    totals: dict[tuple[str, str], Tally]
    flags: list[Flag]
    rollouts: list[Rollout]
    alerts: list[Alert]
    lags: list[Lag]
    head: int
    webhooks: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    """By id: attempts in vain, dead letters, and whether it is paused."""
    rejected: int = 0
    """Batches that the new path did not take, whichever cohort they were recorded under."""
    on: Tally = field(default_factory=Tally)
    """All flags' new code together: what the names without labels count."""


def look(plane: ControlPlane) -> World:
    """Read the world from the read models."""
    totals = plane.metrics.totals()
    return World(
        totals=totals,
        flags=plane.flags.all(),
        rollouts=plane.rollouts.all(),
        alerts=plane.alerts.all(),
        lags=plane.projections.lag(),
        head=plane.head().position,
        webhooks={
            webhook.id: (
                standing.attempts,
                len(plane.webhooks.dead_letters(webhook.id)),
                webhook.paused is not None,
            )
            for webhook, standing in plane.webhooks.standings()
        },
        rejected=sum(tally.rejected for tally in totals.values()),
        on=combined([tally for (_, cohort), tally in totals.items() if cohort == "on"]),
    )


def combined(tallies: Iterable[Tally]) -> Tally:
    """One tally of several."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


class PlaneCollector(Collector):
    """Collects from a control plane at every scrape."""

    def __init__(self, plane: ControlPlane, *, legacy: bool = True) -> None:
        self._plane = plane
        self._legacy = legacy

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families, from one look at the world."""
        world = look(self._plane)
        yield from executions(world)
        yield from plane_state(world)
        if self._legacy:
            yield from legacy(world.on)


def executions(world: World) -> Iterator[Metric]:
    """What the service under rollout did."""
    on = world.on
    yield _counter(
        "batch_patches_total", "Batches of patches on the new path.", "status",
        {"succeeded": on.succeeded, "failed": on.failed, "rejected": world.rejected},
    )  # fmt: skip
    yield _counter(
        "patches_total", "Patches in batches that took the new path.", "status",
        {"applied": on.patches_applied, "failed": on.patches_failed},
    )  # fmt: skip
    yield _counter(
        "patch_operations_total", "Patches by operation, on the new path.", "type",
        {name: getattr(on, name) for name in OPERATIONS},
    )  # fmt: skip
    violations = CounterMetricFamily("invariant_violations_total", "Invariant violations.")
    violations.add_metric([], sum(on.violations.values()))
    yield violations
    yield _counter(
        "invariant_check_failures_total", "Invariant violations by invariant.", "invariant",
        by_invariant(on.violations),
    )  # fmt: skip
    yield _histogram(
        "batch_duration_seconds", "Duration of a batch on the new path.", {"": on.rungs}
    )
    yield _histogram(
        "layer_duration_seconds", "Duration of a layer on the new path.",
        {layer: on.layers[layer] for layer in LAYERS}, "layer",
    )  # fmt: skip
    yield _gauge(
        "memory_bytes", "Memory of the service, at its last execution.", "type",
        {"current": on.memory_current_bytes, "peak": on.memory_peak_bytes},
    )  # fmt: skip
    by_cohort = CounterMetricFamily(
        "batch_executions_total", "Batch executions.", labels=["flag", "cohort", "status"]
    )
    for (flag, cohort), tally in world.totals.items():
        for status in ("succeeded", "failed", "rejected"):
            by_cohort.add_metric([flag, cohort, status], getattr(tally, status))
    yield by_cohort


def by_invariant(violations: Mapping[str, int]) -> dict[str, int]:
    """The known invariants each by name, then so many strange ones, then the rest in one."""
    counts = dict.fromkeys(INVARIANTS, 0)
    for name, count in sorted(violations.items()):
        label = name if name in counts or len(counts) < _MOST_LABELS else _OTHERS
        counts[label] = counts.get(label, 0) + count
    return counts


def plane_state(world: World) -> Iterator[Metric]:
    """What the control plane itself is doing."""
    yield _gauge(
        "feature_flag_rollout_ratio", "Share of its audience that a flag serves.", "flag",
        {flag.name: flag.percentage / 100 for flag in world.flags if not flag.archived},
    )  # fmt: skip
    waves = GaugeMetricFamily("rollout_wave", "Wave a rollout is in.", labels=["flag", "state"])
    for rollout in latest_by_flag(world.rollouts):
        for state in _STATES:
            waves.add_metric([rollout.flag, state], rollout.wave if rollout.state == state else 0)
    yield waves
    alerts = GaugeMetricFamily(
        "alerts_active", "Open alerts.", labels=["alertname", "severity", "state"]
    )
    for name, rule in WATCHED.items():
        ours = [alert for alert in world.alerts if alert.rule == name and alert.open]
        acked = sum(alert.acknowledged_at is not None for alert in ours)
        alerts.add_metric([name, rule.severity, "firing"], len(ours) - acked)
        alerts.add_metric([name, rule.severity, "acknowledged"], acked)
    yield alerts
    for n, (name, text) in enumerate((
        ("webhook_failed_attempts", "Attempts in vain at the event that waits."),
        ("webhook_dead_letters", "Events that could not be delivered."),
        ("webhook_paused", "Whether nothing is sent until somebody resumes it."),
    )):  # fmt: skip
        values = {webhook: facts[n] for webhook, facts in world.webhooks.items()}
        yield _gauge(name, text, "webhook", values)
    events = CounterMetricFamily("event_log_events_total", "Events in the log.")
    events.add_metric([], world.head)
    yield events
    lag = {lag.projection: lag.events for lag in world.lags}
    yield _gauge("projection_lag_events", "Events a read model lacks.", "projection", lag)
    seconds = {lag.projection: lag.seconds for lag in world.lags}
    yield _gauge("projection_lag_seconds", "Age of the oldest one.", "projection", seconds)


def legacy(on: Tally) -> Iterator[Metric]:
    """Two names from the first dashboards. No linter accepts them; new ones are above."""
    duration = UnknownMetricFamily(
        "batch_duration_ms", "Deprecated, use batch_duration_seconds.", labels=["quantile"]
    )
    for label, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        duration.add_metric([label], _quantile_ms(on.durations, quantile))
    yield duration
    memory = UnknownMetricFamily("memory_mb", "Deprecated, use memory_bytes.", labels=["type"])
    memory.add_metric(["current"], on.memory_current_bytes / 1e6)
    memory.add_metric(["peak"], on.memory_peak_bytes / 1e6)
    yield memory


def _quantile_ms(durations: Histogram, quantile: float) -> float:
    found = durations.quantile(quantile)
    return float("nan") if found is None else found / 1000


def latest_by_flag(rollouts: Iterable[Rollout]) -> list[Rollout]:
    """One rollout a flag: the last that was started; a draft has no wave yet."""
    latest: dict[str, Rollout] = {}
    for rollout in rollouts:
        if not rollout.started_at:
            continue
        if rollout.flag not in latest or rollout.attempt > latest[rollout.flag].attempt:
            latest[rollout.flag] = rollout
    return list(latest.values())


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _histogram(name: str, text: str, rungs: dict[str, Rungs], label: str = "") -> Metric:
    family = HistogramMetricFamily(name, text, labels=[label] if label else [])
    for value, one in rungs.items():
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip(LADDER_US, one.counts, strict=False):
            total += count
            buckets.append((str(bound / SECOND), total))
        buckets.append(("+Inf", sum(one.counts)))
        family.add_metric([value] if label else [], buckets, one.sum_us / SECOND)
    return family
