"""One look at a running wave. Pure: the same state and moment give the same answer, for ever.

In order: a failed guardrail rolls back, even on little data; then the exposure must be as
planned, the data fresh, every criterion passed and the time served. Approval is asked for only
when it alone is missing.
"""

from hashlib import sha256
from typing import Literal

from msgspec import Struct

from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.verdict import Judge, Seen, worst
from controlplane.durations import format_duration
from controlplane.plans import Plan, Wave
from events.rollouts import Judgement, Verdict
from events.timestamps import SECOND, Timestamp
from projections.evidence import Evidence, WaveEvidence
from projections.flags import Flag
from projections.projection import canonical
from projections.rollouts import Rollout


class Assessment(Struct, frozen=True, kw_only=True):
    """What a look came to."""

    verdict: Verdict
    reason: str
    judgements: tuple[Judgement, ...]
    action: Literal["wait", "promote", "rollback"]


def assess(
    rollout: Rollout, plan: Plan, flag: Flag, evidence: Evidence, now: Timestamp
) -> Assessment:
    """Judge the wave that a rollout is in."""
    stage = plan.stage(rollout.wave)
    wave = wave_evidence(rollout, evidence)
    seen = Seen(wave=wave, hold_us=stage.hold, now=now)
    criteria: tuple[Judge, ...] = (*stage.criteria, BAKE_TIME)
    judgements = tuple(_judge(criterion, seen) for criterion in criteria)
    failed = [
        (criterion, judgement)
        for criterion, judgement in zip(criteria, judgements, strict=True)
        if judgement.verdict == "FAIL"
    ]
    for criterion, judgement in failed:
        if criterion.on_fail == "rollback":
            reason = f"{judgement.criterion}: {judgement.sentence}"
            return _said("FAIL", reason, judgements, "rollback")
    if failed or rollout.failed:
        names = ", ".join(sorted({j.criterion for _, j in failed} | set(rollout.failed)))
        return _said("FAIL", f"{names} failed in this wave; it is held", judgements)
    if (problem := _exposure(rollout, plan, flag)) is not None:
        return _said("INCONCLUSIVE", problem, judgements)
    if wave.last_at and now - wave.last_at > plan.max_silence:
        silent = format_duration((now - wave.last_at) // SECOND * SECOND)
        return _said("NO_DATA", f"no execution for {silent}: the evidence is stale", judgements)
    if evidence.open_alerts:
        alert, severity = next(iter(evidence.open_alerts.items()))
        return _said("INCONCLUSIVE", f"{severity} alert {alert} is open", judgements)
    verdict = worst(judgement.verdict for judgement in judgements)
    if verdict == "PASS":
        return _said("PASS", "every criterion passes", judgements, "promote")
    waiting = [j for j in judgements if j.verdict != "PASS"]
    reason = "; ".join(f"{j.criterion}: {j.sentence}" for j in waiting)
    return _said(verdict, reason, judgements)


def _said(
    verdict: Verdict,
    reason: str,
    judgements: tuple[Judgement, ...],
    action: Literal["wait", "promote", "rollback"] = "wait",
) -> Assessment:
    return Assessment(verdict=verdict, reason=reason, judgements=judgements, action=action)


def _judge(criterion: Judge, seen: Seen) -> Judgement:
    """A criterion that cannot judge says ERROR, which promotes nothing and ends nothing."""
    try:
        return criterion.judge(seen)
    except Exception as error:  # noqa: BLE001  why: one faulty criterion must not stop the others
        sentence = f"could not be judged: {type(error).__name__}: {error}"
        return Judgement(criterion=criterion.name, verdict="ERROR", sentence=sentence)


def _exposure(rollout: Rollout, plan: Plan, flag: Flag) -> str | None:
    """Why what is served is not what the wave plans, if so."""
    stage = plan.stage(min(rollout.wave, len(plan.waves)))
    if not isinstance(stage, Wave):
        return None
    served = flag.exposure_of(stage.audience.to_audience()) if flag.enabled else 0.0
    if served < stage.percentage:
        return (
            f"the flag serves {served:g} % of {stage.audience.name}, "
            f"not the planned {stage.percentage:g} %"
        )
    return None


def wave_evidence(rollout: Rollout, evidence: Evidence) -> WaveEvidence:
    """What the present wave has seen; nothing where the flag's evidence is another rollout's."""
    if evidence.rollout == rollout.id and len(evidence.waves) >= rollout.wave > 0:
        return evidence.waves[rollout.wave - 1]
    return WaveEvidence(rollout.wave, rollout.wave_entered_at)


def digest(wave: WaveEvidence) -> str:
    """SHA-256 of the evidence: what a proposal was made from."""
    return sha256(canonical(wave)).hexdigest()
