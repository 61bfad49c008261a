"""Entering a stage of a plan, and what a rollout's events mean for its flag."""

from controlplane import flags
from controlplane.flags import FlagCommand
from controlplane.plans import Plan, Wave
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutEvent,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)


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


def consequences(event: RolloutEvent) -> list[FlagCommand]:
    """The flag commands that follow from a rollout's event."""
    match event:
        case RolloutStarted(rollout=rollout):
            return [flags.AttachRollout(rollout=rollout)]
        case WaveEntered(audience=audience, percentage=percentage, name=name):
            return [flags.EnterWave(audience=audience, percentage=percentage, reason=name)]
        case RollbackStarted(reason=reason):
            # A flag's reason has a limit, a criterion's sentence has none.
            return [flags.DisableFlag(reason=reason[:2000]), flags.DetachRollout()]
        case RolloutCompleted():
            return [flags.DetachRollout()]
        case _:
            return []
