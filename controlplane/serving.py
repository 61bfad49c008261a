"""Whether those who are meant to have the new code do, and say so."""

from controlplane.criteria.exposure_matches import ExposureMatches
from controlplane.criteria.verdict import Judge, Seen
from controlplane.durations import rough_duration
from controlplane.plans import Wave
from controlplane.world import World
from events.judgements import Judgement
from events.timestamps import MINUTE
from projections.waves import WaveEvidence

_DIGITS = 12
"""Numbers are kept to so many digits: the last ones differ between mathematical libraries."""
_SPLIT = ExposureMatches(name="exposure")
_BOTH_REPORT = 10
"""Units on the old path from which on it is taken to be reported at all."""


def misserved(world: World, seen: Seen) -> str | None:
    """Why what is served is not what the wave plans, if so."""
    stage = world.plan.stage(min(world.rollout.wave, len(world.plan.waves)))
    if not isinstance(stage, Wave):
        return None
    flag, wave = world.flag, seen.wave
    served = flag.exposure_of(stage.audience.to_audience()) if flag.enabled else 0.0
    if served < stage.percentage:
        return (
            f"the flag serves {served:g} % of {stage.audience.name}, "
            f"not the planned {stage.percentage:g} %"
        )
    granted: dict[str, float] = {}
    for one in world.plan.waves[: world.rollout.wave]:
        granted[one.audience.name] = one.percentage
    for exposure in flag.exposures:
        planned = granted.get(exposure.audience.name, 0.0)
        if exposure.percentage > planned:
            return (
                f"the flag serves {exposure.percentage:g} % of {exposure.audience.name}, "
                f"more than the planned {planned:g} %"
            )
    if wave.entered_at > world.now + MINUTE:
        ahead = rough_duration(wave.entered_at - world.now)
        return f"the wave begins in {ahead} by this clock: a host's clock is wrong"
    waited_us = world.now - wave.entered_at
    if not wave.executions and waited_us > world.plan.confirm_within:
        return f"nobody reports the new code {rough_duration(waited_us)} after the wave began"
    return None


def astray(world: World, seen: Seen) -> str | None:
    """Why the share that clients serve is not the planned one, if so.

    Once they were found at another share, it takes a PASS to believe them again.
    """
    split = judge(_SPLIT, seen)
    sent_back = world.rollout.interventions.held("split") is not None
    # Where hardly anybody reports the old path, perhaps nobody is meant to: the share is not known.
    if split.verdict == "FAIL" and (seen.wave.split.off >= _BOTH_REPORT or sent_back):
        return split.sentence
    if not sent_back or split.verdict == "PASS":
        return None
    return f"clients did not serve the planned share; since then: {split.sentence}"


def silence(world: World, wave: WaveEvidence) -> str | None:
    """Why there is no evidence, or it is stale, if so."""
    if not wave.executions:
        elsewhere = ""
        if wave.others.executions:
            elsewhere = f"; {wave.others.executions} executions tell of other audiences"
        return (
            f"nobody of {wave.audience.name} has reported the new code in this wave yet{elsewhere}"
        )
    if world.now - wave.last_at <= world.plan.max_silence:
        return None
    return f"no execution for {rough_duration(world.now - wave.last_at)}: the evidence is stale"


def judge(criterion: Judge, seen: Seen) -> Judgement:
    """A criterion that cannot judge says ERROR, which promotes nothing and ends nothing."""
    try:
        judgement = criterion.judge(seen)
    except Exception as error:  # noqa: BLE001  why: one faulty criterion must not stop the others
        sentence = f"could not be judged: {type(error).__name__}: {error}"
        return Judgement(criterion=criterion.name, verdict="ERROR", sentence=sentence)
    numbers = {name: _rounded(number) for name, number in judgement.numbers.items()}
    progress = _rounded(judgement.progress) or 0.0
    return Judgement(
        criterion=judgement.criterion,
        verdict=judgement.verdict,
        sentence=judgement.sentence,
        numbers=numbers,
        progress=progress,
        ready_in_us=judgement.ready_in_us,
    )


def _rounded(number: float | None) -> float | int | None:
    """To what every machine agrees on; what is not finite is no number in JSON."""
    if number is None or isinstance(number, int):
        return number
    return float(f"{number:.{_DIGITS}g}") if abs(number) < float("inf") else None
