"""A small plan, and evidence to judge a wave by."""

from typing import Any

from controlplane import plans
from controlplane.plans import Plan
from controlplane.world import World
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.evidence import Evidence
from projections.flags import Exposure, Flag
from projections.freezes import Freeze, Freezes
from projections.interventions import Hold, Interventions
from projections.rollouts import Rollout
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import arm
from tests.projections.flag_events import BETA as BETA_AUDIENCE
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
    last_at: Timestamp = START + HOUR,
    covered_us: int | None = None,
    **facts: Any,
) -> WaveEvidence:
    """Wave 1 for beta with so many executions of 20 ms, some of which failed.

    They came without a pause, unless something else is said.
    """
    ran = executions > 0
    said: dict[str, Any] = {
        "wave": 1,
        "entered_at": START,
        "audience": BETA_AUDIENCE,
        "own": arm(executions, failed),
        "planned": 10.0,
        "max_silence_us": 15 * MINUTE,
        "window_us": 6 * HOUR,
    }
    if ran:
        said |= {"last_at": last_at, "clock_from": last_at}
        said["covered_us"] = max(0, last_at - START) if covered_us is None else covered_us
    return WaveEvidence(**said | facts)


ID = "checkout-r1"
ONE_GUARD = plan([GUARD])
PLANNED = (Exposure(BETA_AUDIENCE, 10),)
PEAK = Freezes(
    (
        Freeze(
            id="freeze-1",
            name="peak",
            reason="season",
            flags=(),
            starts_at=START,
            ends_at=None,
            window=None,
            declared_by="eve",
        ),
    )
)


def held(*kinds: Any) -> Interventions:
    """Eve, or what she stands for, holds it in these ways."""
    return Interventions(tuple(Hold(kind, "why", START, "eve") for kind in kinds))


def world(
    wave: WaveEvidence,
    after: int = HOUR,
    *,
    plan: Any = ONE_GUARD,
    exposures: tuple[Exposure, ...] = PLANNED,
    number: int = 1,
    interventions: Interventions = Interventions(),  # noqa: B008  why: frozen
    freezes: Freezes = Freezes(),  # noqa: B008  why: frozen
    rollout: str = ID,
    open_alerts: Any = {},  # noqa: B006  why: only read
) -> World:
    """The first wave, an hour after it began, unless something else is said."""
    waves = [*(seen(wave=earlier) for earlier in range(1, number)), wave]
    return World(
        rollout=Rollout(
            ID,
            wave=number,
            waves=2,
            wave_entered_at=START,
            interventions=interventions,
            phase="observing",
        ),
        plan=plan,
        flag=Flag("checkout", enabled=bool(exposures), exposures=exposures),
        evidence=Evidence(
            "checkout", rollout, gathering=True, waves=waves, open_alerts=open_alerts
        ),
        freezes=freezes,
        now=START + after,
    )
