"""One look at a running wave. Pure: the same world gives the same answer, for ever.

In order: a failed guardrail rolls back, even on little data; a failure of any other kind holds;
then what is served must be as planned, nobody may hold it, the data must be fresh, no alert open,
every criterion passed, the time served, the checklist signed, no freeze on. Approval is asked for
only when it alone is missing.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from controlplane import serving
from controlplane.checklists import missing
from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.verdict import Judge, Seen, worst
from controlplane.durations import rough_duration
from controlplane.freezes import frozen_by
from controlplane.serving import judge
from controlplane.world import World, overridden
from events.interventions import HoldKind
from events.judgements import Judgement, Verdict
from projections.interventions import BY_PEOPLE
from projections.projection import canonical
from projections.waves import WaveEvidence

EVALUATOR = 1
"""The version of what judges. Any change that may judge otherwise raises it: what an earlier one
said can then no longer be recomputed, and `rollouts verify` says so instead of calling it wrong."""

_UNSIGNED = "waits for sign-off: "
Action = Literal["wait", "hold", "promote", "rollback"]


class Assessment(Struct, frozen=True, kw_only=True):
    """What a look came to."""

    verdict: Verdict
    reason: str
    judgements: tuple[Judgement, ...]
    action: Action = "wait"
    hold: HoldKind | None = None
    """What kind of hold it calls for, where the action is to hold."""
    confirmed: bool = False
    """Whether clients report the new code since the wave began."""
    baked: bool = False
    """Whether the wave was watched for as long as planned."""
    misserved: str | None = None
    """Why the flag does not serve what the wave plans, if so."""
    astray: str | None = None
    """Why clients do not serve what the flag says, if so."""
    critical_alert: str | None = None
    """A critical alert that is open, if one is."""
    overdue: str = ""
    """Why people are to be called, if the wave has waited longer than its plan allows."""
    ready_in_us: int | None = None
    """When there is enough evidence, at the present rate; None where that cannot be said."""


Said = tuple[Verdict, str, Action, HoldKind | None]
Served = tuple[HoldKind, str | None]


def assess(world: World) -> Assessment:
    """Judge the wave that a rollout is in."""
    seen = world.seen()
    criteria: tuple[Judge, ...] = (*world.plan.stage(world.rollout.wave).criteria, BAKE_TIME)
    judgements = tuple(judge(criterion, seen) for criterion in criteria)
    misserved, astray = serving.misserved(world, seen), serving.astray(world, seen)
    served: tuple[Served, ...] = (("exposure", misserved), ("split", astray))
    verdict, reason, action, hold = _said(world, seen, criteria, judgements, served)
    evidence_lacks = verdict != "PASS" and not reason.startswith(_UNSIGNED)
    alerts = sorted(world.evidence.open_alerts.items())
    left = [j.ready_in_us for j in judgements if j.verdict != "PASS"]
    known = [us for us in left if us is not None]
    return Assessment(
        verdict=verdict,
        reason=reason,
        judgements=judgements,
        action=action,
        hold=hold,
        confirmed=seen.wave.executions > 0,
        baked=seen.baked,
        misserved=misserved,
        astray=astray,
        critical_alert=next((id_ for id_, severity in alerts if severity == "critical"), None),
        overdue=_overdue(world, reason) if evidence_lacks else "",
        ready_in_us=max(known, default=0) if len(known) == len(left) else None,
    )


def _said(
    world: World,
    seen: Seen,
    criteria: Sequence[Judge],
    judgements: tuple[Judgement, ...],
    served: tuple[Served, ...],
) -> Said:
    """The verdict, why, and what it leads to: the first thing that speaks against going on."""
    failed = [
        (criterion, judgement)
        for criterion, judgement in zip(criteria, judgements, strict=True)
        if judgement.verdict == "FAIL" and criterion.on_fail != "warn"
    ]
    for criterion, judgement in failed:
        if criterion.on_fail == "rollback":
            return "FAIL", f"{judgement.criterion}: {judgement.sentence}", "rollback", None
    if failed:
        reason = "; ".join(f"{one.criterion}: {one.sentence}" for _, one in failed)
        return "FAIL", reason, "hold", "criterion"
    if (sticky := world.rollout.interventions.held("criterion")) is not None:
        return "FAIL", f"{sticky.reason} (a failure stands for the attempt)", "hold", "criterion"
    for kind, problem in served:
        if problem is not None:
            return "INCONCLUSIVE", problem, "hold", kind
    for hold in world.rollout.holds:
        if hold.kind in BY_PEOPLE:
            return "INCONCLUSIVE", f"{hold.kind} by {hold.by}: {hold.reason}", "wait", None
    if (silent := serving.silence(world, seen.wave)) is not None:
        return "NO_DATA", silent, "wait", None
    if world.evidence.open_alerts:
        alert, severity = next(iter(sorted(world.evidence.open_alerts.items())))
        return "INCONCLUSIVE", f"{severity} alert {alert} is open", "wait", None
    excused = overridden(world)
    waiting = [
        one
        for criterion, one in zip(criteria, judgements, strict=True)
        if one.verdict != "PASS" and one.criterion not in excused and criterion.on_fail != "warn"
    ]
    if waiting:
        reason = "; ".join(f"{one.criterion}: {one.sentence}" for one in waiting)
        return worst(one.verdict for one in waiting), reason, "wait", None
    warned = [
        f"{one.criterion} {one.verdict} ({one.sentence})"
        for one in judgements
        if one.verdict != "PASS" and one.criterion not in excused
    ]
    return _gates(world, excused, warned)


def _gates(world: World, excused: frozenset[str], warned: Sequence[str]) -> Said:
    """Every criterion passes: what else must be so before people are asked."""
    unsigned = missing(
        world.plan.required_after(world.rollout.wave), world.rollout.interventions.sign_offs
    )
    if unsigned:
        names = ", ".join(item.name for item in unsigned)
        return "INCONCLUSIVE", f"{_UNSIGNED}{names}", "wait", None
    but = f", {', '.join(sorted(excused))} overridden" if excused else ""
    if warned:
        but += f"; warned of: {'; '.join(warned)}"
    passes = "every criterion that must passes" if warned else "every criterion passes"
    frozen = frozen_by(world.freezes, world.plan.freezes, world.flag.name, world.now)
    if frozen is not None:
        return "PASS", f"{passes}{but}, but {frozen}", "hold", "frozen"
    return "PASS", f"{passes}{but}", "promote", None


def _overdue(world: World, reason: str) -> str:
    """Why people are to be called: the wave waits longer than its plan allows."""
    stage = world.plan.stage(world.rollout.wave)
    if stage.max_wait is None:
        return ""
    waited_us = world.wave.waited_us(world.now)
    if waited_us <= world.hold_us + stage.max_wait:
        return ""
    allowed = rough_duration(world.hold_us + stage.max_wait)
    return f"it has waited longer than the {allowed} its plan allows: {reason}"


def digest(wave: WaveEvidence) -> str:
    """SHA-256 of the evidence: what a proposal was made from."""
    return sha256(canonical(wave)).hexdigest()
