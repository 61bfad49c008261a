"""Recorded histories to rehearse on: each tells what happened to a rollout, by day and by night."""

from collections.abc import Callable

from controlplane import ControlPlane
from controlplane.plans import recorded
from controlplane.rehearsal.outcomes import Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rules.catalog import WATCHED
from events.timestamps import HOUR, MINUTE, SECOND
from tests.journeys.traffic import FLAG, ON_CALL, Rolling, resolve_all


def all_waves(rolling: Rolling) -> None:
    """Every wave is held, proposed and approved; the soak has begun."""
    rolling.advance_to(5)


def completed(rolling: Rolling) -> None:
    """To the very end."""
    rolling.advance_to(5)
    rolling.approve(rolling.propose(14 * 24))


def broken_release(rolling: Rolling) -> None:
    """Wave 1 passes; wave 2 breaks: a pause, alerts, a rollback, an incident, its end."""
    clock, service, plane = rolling.service.clock, rolling.service, rolling.plane
    rolling.approve(rolling.propose())
    for _ in range(3):
        clock.advance(5 * MINUTE)
        service.runs(40, over=5 * MINUTE, audience="beta")
        service.runs(10, over=5 * MINUTE, cohort="off", audience="beta")
        plane.tick()
    plane.rollouts.pause(rolling.id, actor=ON_CALL, reason="odd")
    clock.advance(MINUTE)
    plane.rollouts.resume(rolling.id, actor=ON_CALL, reason="as it should be")
    clock.advance(2 * MINUTE)
    service.runs(20, ms=1500)
    plane.alerts.watch()
    clock.advance(2 * MINUTE)
    service.runs(90, failed=80, over=2 * MINUTE)
    plane.alerts.watch()
    clock.advance(10 * SECOND)
    service.runs(5, cohort="off")
    plane.tick()
    clock.advance(10 * SECOND)
    plane.tick()
    clock.advance(MINUTE)
    plane.tick()
    resolve_all(plane)
    plane.incidents.close("INC-1", actor=ON_CALL, reason="mended")


def failing_criterion(rolling: Rolling) -> None:
    """A criterion fails in wave 1."""
    rolling.service.runs(200, failed=36)
    rolling.plane.rollouts.evaluate_all()
    rolling.service.clock.advance(40 * SECOND)
    rolling.plane.tick()


def aborted(rolling: Rolling) -> None:
    """A person ends it in wave 2."""
    rolling.approve(rolling.propose())
    rolling.hold(6)
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="wrong results")
    rolling.service.clock.advance(HOUR)
    rolling.plane.tick()


def frozen(rolling: Rolling) -> None:
    """An approved promotion waits for the end of a freeze; another one is rejected."""
    plane, clock = rolling.plane, rolling.service.clock
    proposal = rolling.propose()
    plane.rollouts.reject(proposal, actor=ON_CALL, reason="not on a Friday")
    clock.advance(HOUR)
    plane.rollouts.resume(rolling.id, actor=ON_CALL, reason="Monday")
    rolling.hold(1, step=1)
    proposal = rolling.now.proposal
    assert proposal is not None
    plane.freezes.declare(reason="peak", actor=ON_CALL, name="peak")
    clock.advance(MINUTE)
    plane.rollouts.approve(proposal.id, actor=ON_CALL, reason="after the peak")
    rolling.hold(2, step=1)
    plane.freezes.lift("freeze-1", actor=ON_CALL, reason="over")
    rolling.hold(2, step=1)


STORIES: tuple[Callable[[Rolling], None], ...] = (
    all_waves,
    completed,
    broken_release,
    failing_criterion,
    aborted,
    frozen,
)


def as_it_was(plane: ControlPlane, id_: str, name: str = "as it was") -> Rulebook:
    """The plan and all the rules that were in force; a plan of another name looks in between."""
    plan = recorded(plane.rollouts.get(id_).plan)
    return Rulebook(name=name, plan=plan.model_copy(update={"name": name}), rules=WATCHED)


def only(outcomes: tuple[Outcome, ...]) -> Outcome:
    (found,) = outcomes
    return found


__all__ = ["FLAG", "STORIES", "as_it_was", "only"]
