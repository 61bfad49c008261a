"""Rules about silence and standstill. Information: somebody should look on a working day."""

from controlplane import plans
from controlplane.durations import format_duration
from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from events.timestamps import HOUR, MINUTE, SECOND

SILENCE_US = 15 * MINUTE


def _telemetry(watched: Watched) -> Finding:
    flag = watched.flag
    if not flag.enabled or not any(one.percentage for one in flag.exposures):
        return NO_DATA
    last = max(watched.vitals.last_at, flag.changed_at)
    silent_us = max(0, watched.now - last)
    return Finding(
        state="firing" if silent_us > SILENCE_US else "ok",
        value=silent_us / SECOND,
        threshold=SILENCE_US / SECOND,
        unit="seconds",
        summary=f"no execution of the new code for {format_duration(silent_us // SECOND * SECOND)}",
    )


def _wave(watched: Watched) -> Finding:
    rollout = watched.rollout
    if rollout is None or not rollout.is_active:
        return Finding(state="ok", unit="seconds", summary="no rollout is running")
    hold = plans.recorded(rollout.plan).stage(rollout.wave).hold
    hold += rollout.interventions.extended_us
    limit_us = max(2 * hold, hold + HOUR)
    held_us = max(0, watched.now - rollout.wave_entered_at)
    return Finding(
        state="firing" if held_us > limit_us or rollout.interventions.escalated else "ok",
        value=held_us / SECOND,
        threshold=limit_us / SECOND,
        unit="seconds",
        summary=f"{rollout.wave_name} of {rollout.id} has lasted "
        f"{format_duration(held_us // SECOND * SECOND)}, planned {format_duration(hold)}: "
        f"{rollout.reason}",
    )


TELEMETRY_STALE = Rule(
    name="TELEMETRY_STALE",
    severity="info",
    condition="the flag is served, but no execution was recorded for 15 min",
    judge=_telemetry,
    playbook=(
        "Is there no traffic, or does nothing record it? Check the service's logs.",
        "Until it is back nothing is promoted: silence is not success.",
    ),
)

WAVE_STALLED = Rule(
    name="WAVE_STALLED",
    severity="info",
    condition="a wave lasts twice as long as planned, or longer than its plan lets it wait",
    judge=_wave,
    playbook=(
        "See what it waits for: controlplane rollouts status ROLLOUT.",
        "A proposal: approve or reject it. Evidence: see how much more it needs.",
    ),
)
