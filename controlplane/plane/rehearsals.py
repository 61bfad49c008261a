"""`plane.rehearse`: what is decided again, under which plans and rules."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from controlplane.durations import format_duration
from controlplane.errors import FlagNotFound, InvalidInput
from controlplane.plane.core import Core
from controlplane.plane.incidents import Incidents
from controlplane.plane.moments import When, place
from controlplane.plane.rollouts import AnyPlan, as_plan
from controlplane.plans import FOUR_WAVES
from controlplane.reading import world_of
from controlplane.rehearsal import cases
from controlplane.rehearsal.outcomes import Case, Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.tallies import Rehearsal
from controlplane.rehearsal.walk import EVERY_US, HEARD_US, Progress, Walk
from controlplane.rules import tuning
from events.timestamps import HOUR, SECOND, Timestamp
from projections.flags import FLAGS

AnyRules = Path | str | Mapping[str, Any]


def rulebook(
    plan: AnyPlan | None = None, rules: AnyRules | None = None, *, name: str = ""
) -> Rulebook:
    """What is tried: a plan, alert rules, or both; as files, or their data. Raises InvalidInput."""
    if plan is None and rules is None:
        raise InvalidInput(reason="say what to try: a plan, alert rules, or both")
    tunings = tuning.read(Path(rules)) if isinstance(rules, Path | str) else rules
    found = None if plan is None else as_plan(plan)
    parts = [_named(plan, found.name if found else ""), _named(rules, "rules")]
    return Rulebook(
        name=name or " + ".join(part for part in parts if part),
        plan=found,
        rules={} if tunings is None else tuning.tuned(tuning.parse(tunings)),
    )


def rehearse(
    core: Core,
    rulebooks: Sequence[Rulebook],
    *,
    rollout: str | None = None,
    incident: str | None = None,
    since: When | None = None,
    until: When | None = None,
    flag: str | None = None,
    every_us: int = EVERY_US,
    progress: Progress = lambda _done, _of: None,
    sees: Callable[[str], bool] = lambda _flag: True,
    most: int | None = None,
) -> Rehearsal:
    """Decide again. `sees`: whether a flag is told of; `most`: events, and criteria to look at.

    Raises RolloutNotFound, IncidentNotFound, FlagNotFound, InvalidInput.
    """
    names = [one.name for one in rulebooks]
    if not names or len(set(names)) < len(names):
        raise InvalidInput(reason="say what to try, each under a name of its own")
    if every_us < SECOND:
        raise InvalidInput(reason="looks are at least a second apart")
    head = core.log.head().position
    by_hand = any(one.rules for one in rulebooks)
    every = _cases(core, rollout, incident, (since, until), flag, by_hand=by_hand)
    found = [case for case in every if sees(case.flag)]
    if not found:
        raise InvalidInput(reason="no rollout had started there: nothing was decided")
    total, gone, outcomes = sum(case.end - case.start for case in found), 0, list[Outcome]()
    if most is not None:
        _refuse_too_much(found, rulebooks, every_us, core.clock(), most)
    for case in found:
        walk = Walk(core.history, case, rulebooks, every_us)
        outcomes += walk.go(partial(_report, progress, gone, total))
        gone += case.end - case.start
    return Rehearsal(outcomes=tuple(outcomes), environment=core.log.environment, position=head)


def _refuse_too_much(
    cases: Sequence[Case], rulebooks: Sequence[Rulebook], every_us: int, now: Timestamp, most: int
) -> None:
    """Count what there is to do: events to go through, criteria and rules to look at between."""
    events = sum(case.end - case.start for case in cases)
    lasts = sum((case.ended_at or now) - case.began_at for case in cases)
    looks = min(lasts, events * HEARD_US) // every_us + lasts // HOUR
    asked = sum(_criteria(one) + len(one.rules) for one in rulebooks)
    if events * len(rulebooks) + looks * asked > most:
        every = format_duration(every_us)
        raise InvalidInput(
            reason=f"{len(rulebooks)} rulebooks on {events} events, with a look every {every}, are "
            "too much for here: try fewer, a shorter time, or rarer looks"
        )


def _criteria(rulebook: Rulebook) -> int:
    plan = rulebook.plan or FOUR_WAVES
    return max(len(plan.stage(number).criteria) for number in range(1, plan.stages + 1))


def _report(progress: Progress, before: int, total: int, done: int, _of: int) -> None:
    progress(before + done, total)


def _named(given: AnyPlan | AnyRules | None, otherwise: str) -> str:
    if given is None:
        return ""
    return Path(given).stem if isinstance(given, Path | str) else otherwise


def _cases(
    core: Core,
    rollout: str | None,
    incident: str | None,
    time: tuple[When | None, When | None],
    flag: str | None,
    *,
    by_hand: bool,
) -> list[Case]:
    if sum(one is not None for one in (rollout, incident, flag)) > 1:
        raise InvalidInput(reason="a rollout, an incident, or a flag: each says which flag")
    if (rollout or incident) and any(one is not None for one in time):
        raise InvalidInput(reason="a rollout and an incident have their own time: leave it out")
    if rollout is not None:
        known = world_of(core, rollout, core.clock()).rollout
        if not known.started_at:
            raise InvalidInput(reason=f"{rollout} has not started: nothing was decided")
        return [cases.of_rollout(core, core.log, known)]
    if incident is not None:
        found = Incidents(core).get(incident)
        at = found.opened_position
        return cases.between(core, core.log, at - 1, at, found.flag, by_hand=by_hand)
    if flag is not None and not core.get(FLAGS, flag).exists:
        raise FlagNotFound(flag=flag)
    since, until = time
    start = 0 if since is None else place(core, since)[0]
    end = core.log.head().position if until is None else place(core, until)[0]
    if not core.log.head().position:
        raise InvalidInput(reason="nothing is recorded yet: there is nothing to rehearse")
    if start >= end:
        raise InvalidInput(reason="since must lie before until")
    return cases.between(core, core.log, start, end, flag, by_hand=by_hand)
