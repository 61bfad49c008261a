"""What a rehearsal says of a plan is what comes of it when it really runs on the same traffic."""

from dataclasses import dataclass
from math import inf
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.errors import ControlPlaneError
from events.timestamps import MINUTE
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, batch
from tests.rehearsal.stories import only
from tests.rehearsal.test_laws import plan

Stretch = tuple[int, int]
"""Minutes, and how many of ten batches a minute fail."""
stretches = st.lists(
    st.tuples(st.integers(5, 40), st.sampled_from([0, 0, 0, 1, 2, 4, 6])), min_size=2, max_size=5
)
plans = st.builds(
    lambda bound, hold: plan(bound=bound, hold=hold),
    st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5]),
    st.sampled_from(["10m", "20m", "30m", "45m"]),
)


@dataclass
class Run:
    """One plan, really run: who decided what, when."""

    rolling: Rolling
    proposed: dict[int, int]
    """By wave, when its promotion was first proposed."""
    promoted: dict[int, int]
    back_at: float


def really(wanted: dict[str, Any], traffic: list[Stretch]) -> Run:
    """A look each minute; whoever is asked approves ten minutes later, on the tens."""
    clock = Clock()
    clock.now -= clock.now % (10 * MINUTE)
    plane = ControlPlane("memory://", clock=clock)
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    rolling = Rolling(
        Service(plane, clock), plane.rollouts.start(wanted, flag=FLAG, actor=ENGINEER).id
    )
    minute = 0
    for minutes, failed in traffic:
        for _ in range(minutes):
            minute += 1
            clock.advance(MINUTE)
            units = [f"u{minute % 7}-{n}" for n in range(10)]
            plane.executions.record(
                [batch(failed=n < failed, unit=unit) for n, unit in enumerate(units)]
            )
            plane.rollouts.evaluate_all()
            if minute % 10 == 0:
                _approve(rolling)
    log = plane.log.read(0, 10**6)
    proposed: dict[int, int] = {}
    promoted: dict[int, int] = {}
    back: float = inf
    for one in log:
        match one.type:
            case "rollout.promotion_proposed":
                proposed.setdefault(one.event.wave, one.occurred_at)  # type: ignore[attr-defined]  # why: its type is known
            case "rollout.wave_promoted":
                promoted[one.event.wave] = one.occurred_at  # type: ignore[attr-defined]  # why: its type is known
            case "rollout.rollback_started":
                back = one.occurred_at
    return Run(rolling, proposed, promoted, back)


def _approve(rolling: Rolling) -> None:
    proposal = rolling.now.proposal
    if proposal is not None and proposal.proposed_at < rolling.service.clock.now:
        try:
            rolling.plane.rollouts.approve(proposal.id, actor=ON_CALL, reason="green")
        except ControlPlaneError:
            return  # Its evidence lapsed this very minute.


def first_difference(record: Run, other: Run) -> tuple[float, str]:
    """When the two part, and which answer that is."""
    waves = {*record.promoted, *other.proposed}
    ahead = [
        other.proposed[wave]
        for wave in waves
        if other.proposed.get(wave, inf) < record.proposed.get(wave, inf)
    ]
    behind = [
        at
        for wave, at in record.promoted.items()
        if other.promoted.get(wave) != at and other.back_at > at
    ]
    found = [
        *((at, "unknown") for at in ahead),
        *((at, "exact") for at in behind),
        (other.back_at, "exact" if other.back_at < record.back_at else "same"),
        (record.back_at, "unknown" if record.back_at < other.back_at else "same"),
    ]
    return min(found)


@settings(max_examples=25)
@given(plans, plans, stretches)
def test_a_rehearsed_plan_parts_from_the_record_where_it_really_would(
    ran: dict[str, Any], wanted: dict[str, Any], traffic: list[Stretch]
) -> None:
    record, other = really(ran, traffic), really(wanted, traffic)
    at, answer = first_difference(record, other)
    found = only(record.rolling.plane.rehearse(wanted, rollout=record.rolling.id).outcomes)
    note(str((ran, wanted, traffic, record, other, at, answer, found)))
    if at == inf:
        answer = "same"
    assert found.answer == answer
    if answer == "exact":
        assert found.stops[0].at == at
        if at == other.back_at:
            assert found.stops[0].reason == other.rolling.now.reason
    elif answer == "unknown":
        assert found.beyond is not None
        assert found.beyond.at == at
