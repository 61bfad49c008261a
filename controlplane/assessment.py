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

from controlplane.checklists import missing
from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.exposure_matches import ExposureMatches
from controlplane.criteria.verdict import Judge, Seen, worst
from controlplane.durations import rough_duration
from controlplane.freezes import frozen_by
from controlplane.plans import Plan, Wave
from events.holds import HoldKind
from events.judgements import Judgement, Verdict
from events.timestamps import Timestamp
from projections.evidence import Evidence
from projections.flags import Flag
from projections.freezes import Freezes
from projections.holds import BY_PEOPLE
from projections.projection import canonical
from projections.rollouts import Rollout
from projections.waves import WaveEvidence

EVALUATOR = 1
"""The version of what judges. Any change that may judge otherwise raises it: what an earlier one
said can then no longer be recomputed, and `rollouts verify` says so instead of calling it wrong."""

_DIGITS = 12
"""Numbers are kept to so many digits: the last ones differ between mathematical libraries."""
_SPLIT = ExposureMatches(name="exposure")
_UNSIGNED = "waits for sign-off: "
Action = Literal["wait", "hold", "promote", "rollback"]


class World(Struct, frozen=True, kw_only=True):
    """All that a look may know."""

    rollout: Rollout
    plan: Plan
    flag: Flag
    evidence: Evidence
    freezes: Freezes
    now: Timestamp

    @property
    def hold_us(self) -> int:
        """How long the present stage must last, with what people added."""
        stage = self.plan.stage(self.rollout.wave)
        return stage.hold + self.rollout.interventions.extended_us

    @property
    def wave(self) -> WaveEvidence:
        """What the present wave has seen; nothing where the flag's evidence is another's."""
        rollout, evidence = self.rollout, self.evidence
        if evidence.rollout == rollout.id and len(evidence.waves) >= rollout.wave > 0:
            return evidence.waves[rollout.wave - 1]
        return WaveEvidence(rollout.wave, rollout.wave_entered_at)

    def seen(self) -> Seen:
        """What the criteria of the present wave may know."""
        rollout, evidence = self.rollout, self.evidence
        earlier = evidence.waves[: rollout.wave - 1] if evidence.rollout == rollout.id else []
        return Seen(
            wave=self.wave,
            previous=earlier[-1] if earlier else None,
            hold_us=self.hold_us,
            planned_us=self.plan.stage(rollout.wave).hold,
            now=self.now,
            sign_offs=tuple(
                one for one in rollout.interventions.sign_offs if one.wave == rollout.wave
            ),
        )


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
    judgements = tuple(_judge(criterion, seen) for criterion in criteria)
    misserved, astray = _exposure(world, seen), _split(world, seen)
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


def _judge(criterion: Judge, seen: Seen) -> Judgement:
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
    if (silence := _silence(world, seen.wave)) is not None:
        return "NO_DATA", silence, "wait", None
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
    return _gates(world, excused)


def _gates(world: World, excused: frozenset[str]) -> Said:
    """Every criterion passes: what else must be so before people are asked."""
    unsigned = missing(
        world.plan.required_after(world.rollout.wave), world.rollout.interventions.sign_offs
    )
    if unsigned:
        names = ", ".join(item.name for item in unsigned)
        return "INCONCLUSIVE", f"{_UNSIGNED}{names}", "wait", None
    frozen = frozen_by(world.freezes, world.plan.freezes, world.flag.name, world.now)
    if frozen is not None:
        return "PASS", f"every criterion passes, but {frozen}", "hold", "frozen"
    but = f", {', '.join(sorted(excused))} overridden" if excused else ""
    return "PASS", f"every criterion passes{but}", "promote", None


def overridden(world: World) -> frozenset[str]:
    """The criteria that need not pass now: a second person agreed, and it has not expired."""
    return frozenset(
        one.criterion
        for one in world.rollout.interventions.overrides
        if one.approved_by and one.wave == world.rollout.wave and world.now < one.expires_at
    )


def _exposure(world: World, seen: Seen) -> str | None:
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
    widest = max(one.percentage for one in world.plan.waves[: world.rollout.wave])
    if flag.percentage > widest:
        return f"the flag serves up to {flag.percentage:g} %, more than the planned {widest:g} %"
    waited_us = world.now - wave.entered_at
    if not wave.executions and waited_us > world.plan.confirm_within:
        return f"nobody reports the new code {rough_duration(waited_us)} after the wave began"
    return None


def _split(world: World, seen: Seen) -> str | None:
    """Why the share that clients serve is not the planned one, if so.

    Once they were found at another share, it takes a PASS to believe them again.
    """
    split = _judge(_SPLIT, seen)
    # Where nobody reports the old path, perhaps nobody is meant to: the share is not known.
    if split.verdict == "FAIL" and seen.wave.split.off:
        return split.sentence
    if world.rollout.interventions.held("split") is None or split.verdict == "PASS":
        return None
    return f"clients did not serve the planned share; since then: {split.sentence}"


def _silence(world: World, wave: WaveEvidence) -> str | None:
    """Why there is no evidence, or it is stale, if so."""
    if not wave.executions:
        return "nobody has reported the new code in this wave yet"
    if world.now - wave.last_at <= world.plan.max_silence:
        return None
    return f"no execution for {rough_duration(world.now - wave.last_at)}: the evidence is stale"


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
