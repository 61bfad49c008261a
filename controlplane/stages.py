"""Entering a stage of a plan."""

from controlplane.plans import Plan, Wave
from events.rollouts import RolloutEvent, SoakStarted, WaveEntered


def enter(rollout: str, flag: str, plan: Plan, stage: int) -> RolloutEvent:
    """The event that begins wave 1 … n, or the soak as n + 1."""
    wave = plan.stage(stage)
    if isinstance(wave, Wave):
        return WaveEntered(
            rollout=rollout,
            flag=flag,
            wave=stage,
            name=wave.name,
            audience=wave.audience.to_audience(),
            percentage=wave.percentage,
            max_silence_us=plan.max_silence,
            window_us=plan.window,
            settle_us=plan.settle,
        )
    last = plan.waves[-1]
    return SoakStarted(
        rollout=rollout,
        flag=flag,
        audience=last.audience.to_audience(),
        percentage=last.percentage,
        max_silence_us=plan.max_silence,
        window_us=plan.window,
        settle_us=plan.settle,
    )
