"""What events alone say: who stands behind what, and what led to what."""

from itertools import permutations

import pytest

from events import Actor, Event, RecordedEvent
from events.catalog import CATALOG
from events.interventions import OverrideApproved, OverrideRequested, OverrideWithdrawn
from events.promotions import PromotionProposed, ProposalApproved, WavePromoted
from events.rollouts import (
    PlanRevised,
    RolloutDrafted,
    RolloutStarted,
    RolloutSubmitted,
    StartApproved,
    StartRejected,
)
from projections.audit import SLICES, Behind, lineage, standing_behind, why, within
from tests.events.builders import uuid

R = "r"
DRAFTED = RolloutDrafted(
    rollout=R, flag="f", attempt=1, plan={}, plan_hash="", waves=2, requested_by="ana"
)


def recorded(number: int, event: Event, cause: int | None = None) -> RecordedEvent[Event]:
    return RecordedEvent(
        environment="production",
        position=number,
        id=uuid(number),
        stream="rollout-r",
        version=number,
        type=event.TYPE,
        schema_version=1,
        occurred_at=number,
        recorded_at=number,
        actor=Actor.person("somebody"),
        correlation_id=None,
        causation_id=None if cause is None else uuid(cause),
        data="{}",
        hash="",
        event=event,
    )


def behind(*events: Event) -> list[Behind]:
    """Who stands behind each."""
    history = [recorded(number, event) for number, event in enumerate(events, 1)]
    found = standing_behind(history)
    return [found[event.id] for event in history]


def approved(who: str) -> StartApproved:
    return StartApproved(rollout=R, plan_hash="", approver=who, reason="")


def proposed(id_: str, kind: str = "promotion", who: str = "evaluation") -> PromotionProposed:
    return PromotionProposed(
        rollout=R, proposal=id_, kind=kind, wave=1, to="all", proposed_by=who, reason="",  # type: ignore[arg-type]  # why: one of the kinds
        approvals=1, as_of=1, evaluator=1, evidence_digest="", plan_hash="", exposure_version=1,
        expires_at=1,
    )  # fmt: skip


def agreed(id_: str, who: str) -> ProposalApproved:
    return ProposalApproved(rollout=R, proposal=id_, approver=who, reason="")


def test_every_stored_name_is_in_one_slice() -> None:
    for name in CATALOG:
        assert sum(name.startswith(prefix[:-1]) for prefix in SLICES.values()) == 1, name


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (None, ("flag.*",)),
        (["flag.enabled"], ("flag.enabled",)),
        (["flag.e*", "rollout.*"], ("flag.e*",)),
        (["*"], ("flag.*",)),
        (["f*"], ("flag.*",)),
        (["flag"], ()),
        ([], ()),
    ],
)
def test_patterns_are_narrowed_to_a_slice(
    patterns: list[str] | None, found: tuple[str, ...]
) -> None:
    assert within("flag.*", patterns) == found


def test_behind_a_start_stand_who_asked_and_who_approved_of_this_plan() -> None:
    revised = PlanRevised(rollout=R, plan={}, plan_hash="2", waves=1, revised_by="eve")
    submitted = RolloutSubmitted(rollout=R, submitted_by="ana")
    started = RolloutStarted(rollout=R, flag="f", started_by="ana")
    found = behind(DRAFTED, approved("ben"), revised, submitted, approved("cleo"), started)
    assert found[1] == Behind(("ana",))
    assert found[4] == Behind(("ana", "eve"))
    assert found[5] == Behind(("ana", "eve"), ("cleo",))


def test_a_rejected_start_has_nobody_behind_it() -> None:
    rejected = StartRejected(rollout=R, rejected_by="dora", reason="")
    started = RolloutStarted(rollout=R, flag="f", started_by="ana")
    found = behind(DRAFTED, approved("ben"), rejected, started)
    assert found[2:] == [Behind(("ana",)), Behind(("ana",))]


def test_behind_a_promotion_stand_those_who_agreed_to_its_proposal() -> None:
    promoted = WavePromoted(rollout=R, proposal="p2", wave=1, to="all")
    found = behind(
        DRAFTED, proposed("p1"), agreed("p1", "eve"), proposed("p2"),
        agreed("p2", "ben"), agreed("p2", "cleo"), promoted,
    )  # fmt: skip
    assert found[2] == found[4] == Behind(("ana",))
    assert found[6] == Behind(("ana",), ("ben", "cleo"))


def test_who_asked_for_a_skip_or_an_override_is_who_asked() -> None:
    requested = OverrideRequested(
        rollout=R, override="o1", wave=1, criterion="c", requested_by="dora", reason="",
        expires_at=1,
    )  # fmt: skip
    given = OverrideApproved(rollout=R, override="o1", approver="ben", reason="")
    taken = OverrideWithdrawn(rollout=R, override="o1", withdrawn_by="ben", reason="")
    found = behind(
        DRAFTED, proposed("p1", "skip", "cleo"), agreed("p1", "ben"), requested, given, taken
    )
    assert found[2] == Behind(("cleo",))
    assert found[4] == found[5] == Behind(("dora",))


def test_a_lineage_goes_back_as_far_as_is_known() -> None:
    first, second, third = (recorded(n, DRAFTED, n - 1) for n in (1, 2, 3))
    causes = {event.id: event for event in (first, second)}
    assert lineage(third, causes) == [first, second, third]
    assert lineage(third, {}) == [third]


def test_effects_are_a_tree_however_they_are_given() -> None:
    root = recorded(1, DRAFTED)
    effects = [recorded(2, DRAFTED, 1), recorded(3, DRAFTED, 2), recorded(4, DRAFTED, 1)]
    for given in permutations(effects):
        found = why(root, {}, given, more=False)
        assert [one.event.position for one in found.effects] == [2, 4]
        assert [one.event.position for one in found.effects[0].effects] == [3]


def test_what_was_recorded_before_is_no_effect() -> None:
    later, earlier = recorded(5, DRAFTED), recorded(4, DRAFTED, 5)
    assert why(later, {}, [earlier], more=False).effects == ()
