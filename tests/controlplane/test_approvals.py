"""Who may decide about a proposal, when, and what follows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane.errors import (
    AlreadyApproved,
    InvalidInput,
    NotAnApprover,
    NotAPerson,
    NotSignedOff,
    ProposalClosed,
    ProposalNotFound,
    ProposalOutdated,
    SamePerson,
)
from controlplane.people import plain
from events import EVERYONE
from events.interventions import RolloutHeld
from events.promotions import (
    PromotionDelayed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import RolloutCompleted, SoakStarted, WaveEntered
from events.timestamps import DAY, MINUTE
from tests.controlplane.rollout_stories import (
    EXPOSURE,
    ID,
    ITEM,
    PLAN,
    approve,
    approve_start,
    careful,
    draft,
    frozen,
    given,
    judged,
    look,
    passing,
    promoting,
    promotion_proposed,
    proposal,
    proposed,
    reject,
    soaking,
    start,
    story,
    submit,
    waiting,
    withdraw,
)
from tests.controlplane.samples import plan

WHY = "frozen until lifted by peak"


def approved(by: str = "bob", number: int = 1) -> ProposalApproved:
    return ProposalApproved(rollout=ID, proposal=proposal(number), approver=by, reason="fine")


STAGE = {
    "max_silence_us": PLAN.max_silence,
    "window_us": PLAN.window,
    "settle_us": PLAN.settle,
}
to_wave_2 = (
    WavePromoted(rollout=ID, proposal=proposal(), wave=1, to="wave 2"),
    WaveEntered(
        rollout=ID,
        flag="checkout",
        wave=2,
        name="wave 2",
        audience=EVERYONE,
        percentage=50,
        **STAGE,
    ),
)


def test_an_approval_promotes_and_says_what_it_rests_on() -> None:
    given(*proposed).when(approve()).then(judged(passing), approved(), *to_wave_2)


def test_after_the_last_wave_comes_the_soak_and_after_the_soak_the_end() -> None:
    in_wave_2 = story(draft, start, passing, approve(), passing)
    *_, last = given(*in_wave_2).when(approve(2)).events
    assert last == SoakStarted(
        rollout=ID, flag="checkout", audience=EVERYONE, percentage=50, **STAGE
    )
    *_, last = given(*soaking).when(passing).afterwards.when(approve(3)).events
    assert last == RolloutCompleted(rollout=ID, flag="checkout")


def test_a_wave_is_entered_whatever_its_name() -> None:
    waves = PLAN.to_json()["waves"]
    waves[1]["name"] = "completed"
    named = story(replace(draft, plan=plan(waves=waves, soak=None)), start, passing)
    *_, last = given(*named).when(approve()).events
    assert isinstance(last, WaveEntered)


# Who

SPELLINGS = [
    *("alice", "ALICE", " alice", "alice\n", "Alice ", "\u3000alice"),
    *("\uff41\uff4c\uff49\uff43\uff45", "al\u200bice", "alice\u2060", "\ufeffalice"),
]


@pytest.mark.parametrize("by", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("kind", ["person", "token"])
def test_who_asked_for_the_rollout_cannot_approve_however_it_is_written(kind: Any, by: str) -> None:
    given(*proposed).when(approve(by=by, kind=kind)).then_it_is_refused(SamePerson)


@for_all(st.text(min_size=1, max_size=9).filter(plain))
def test_nobody_passes_for_another_by_case_or_spaces(requester: str) -> None:
    asked = story(replace(draft, requested_by=requester), start, passing)
    for by in (requester, requester.upper(), requester.casefold(), f"  {requester}\t"):
        if by.casefold() == requester.casefold() or by.strip() == requester.strip():
            given(*asked).when(approve(by=by)).then_it_is_refused(SamePerson)


def test_who_started_it_cannot_approve() -> None:
    by_dora = story(draft, replace(start, started_by="dora"), passing)
    for by in ("dora", "alice"):
        given(*by_dora).when(approve(by=by)).then_it_is_refused(SamePerson)


@pytest.mark.parametrize("by", ["bob", "alic", "alice2", "al ice", "älice"])
@pytest.mark.parametrize("kind", ["person", "token"])
def test_another_person_may_approve(kind: Any, by: str) -> None:
    _, first, *_ = given(*proposed).when(approve(by=by, kind=kind)).events
    assert first == approved(by)


@pytest.mark.parametrize("kind", ["scheduler", "system"])
@pytest.mark.parametrize("by", ["bob", "alice"])
def test_a_part_of_the_control_plane_does_not_approve(kind: Any, by: str) -> None:
    given(*proposed).when(approve(by=by, kind=kind)).then_it_is_refused(NotAPerson, by)


def test_only_whom_the_plan_names_approves() -> None:
    board = replace(draft, plan=plan(promotion={"needed": 1, "of": ["bob", "Dora"]}))
    asked = given(*story(board, start, passing))
    asked.when(approve(by="carol")).then_it_is_refused(NotAnApprover, "bob, Dora")
    assert asked.when(approve(by="DORA")).refusal is None


# How many

needs_two = story(careful, submit, approve_start(), approve_start("carol"), start, passing)


def test_with_the_last_approval_it_needs_a_wave_is_promoted() -> None:
    one = given(*needs_two).when(approve()).then(judged(passing), approved()).afterwards
    assert one.state.state == "proposed"
    second = one.when(approve(by="carol"))
    assert second.events == [judged(passing), approved("carol"), *to_wave_2]


@pytest.mark.parametrize("by", ["bob", "BOB", "bob "])
def test_nobody_approves_twice(by: str) -> None:
    one = given(*needs_two).when(approve()).afterwards
    one.when(approve(by=by)).then_it_is_refused(AlreadyApproved, proposal())


def test_an_approval_does_not_outlive_its_proposal() -> None:
    again = given(*needs_two).when(approve()).afterwards
    again = again.when(waiting).afterwards.when(passing).afterwards
    assert again.when(approve(2, by="carol")).events == [judged(passing), approved("carol", 2)]


# Until when


@pytest.mark.parametrize(
    ("command", "after", "reason"),
    [
        (approve(), DAY, "it expired"),
        (
            approve(judge=look("PASS", "promote", exposure=EXPOSURE + 1)),
            MINUTE,
            "exposure was changed",
        ),
        (approve(judge=look("INCONCLUSIVE")), MINUTE, "its evidence lapsed: because"),
        (approve(judge=look("NO_DATA")), MINUTE, "its evidence lapsed"),
        (approve(judge=look("FAIL", "hold", hold="criterion")), MINUTE, "its evidence lapsed"),
        (approve(judge=look("FAIL", "rollback")), MINUTE, "its evidence lapsed"),
    ],
)
def test_a_proposal_that_no_longer_holds_cannot_be_approved(
    command: Any, after: int, reason: str
) -> None:
    given(*proposed).when(command, after=after).then_it_is_refused(ProposalOutdated, reason)


@pytest.mark.parametrize("command", [approve(), reject(), withdraw()])
@pytest.mark.parametrize(
    ("last", "why"),
    [
        (waiting, r"is lapsed \(its evidence lapsed: because\)"),
        (reject(), r"is rejected \(no\)"),
        (withdraw(), r"is withdrawn \(oh\)"),
        (approve(), r"is promoted \(fine\)"),
    ],
    ids=["lapsed", "rejected", "withdrawn", "promoted"],
)
def test_a_proposal_is_decided_once(last: Any, why: str, command: Any) -> None:
    given(*proposed).when(last).afterwards.when(command).then_it_is_refused(ProposalClosed, why)


@pytest.mark.parametrize("command", [approve(2), reject(2), withdraw(2)])
def test_a_proposal_that_was_never_made_is_not_found(command: Any) -> None:
    given(*proposed).when(command).then_it_is_refused(ProposalNotFound, proposal(2))


# No


def held(kind: Any, reason: str) -> RolloutHeld:
    return RolloutHeld(rollout=ID, flag="checkout", wave=1, kind=kind, reason=reason)


@pytest.mark.parametrize("history", [proposed, promoting], ids=["open", "delayed"])
def test_rejected_or_withdrawn_the_wave_is_held(history: Any) -> None:
    given(*history).when(reject()).then(
        ProposalRejected(rollout=ID, proposal=proposal(), rejected_by="bob", reason="no"),
        held("rejected", "no"),
    )
    given(*history).when(withdraw()).then(
        ProposalWithdrawn(rollout=ID, proposal=proposal(), withdrawn_by="carol", reason="oh"),
        held("withdrawn", "oh"),
    )


@pytest.mark.parametrize("reason", ["", " ", "\t\n"])
def test_who_rejects_or_withdraws_says_why(reason: str) -> None:
    for command in (reject(reason=reason), withdraw(reason=reason)):
        given(*proposed).when(command).then_it_is_refused(InvalidInput, "needs a reason")


# In a freeze


def test_approved_in_a_freeze_the_promotion_waits_for_its_end() -> None:
    delayed = PromotionDelayed(rollout=ID, proposal=proposal(), reason=WHY)
    waits = given(*proposed).when(approve(judge=frozen))
    waits.then(judged(frozen), approved(), delayed)
    over = waits.afterwards.when(frozen).afterwards.when(passing)
    assert over.events == [judged(passing), *to_wave_2]


def test_a_promotion_that_waits_says_what_it_waits_for_now() -> None:
    longer = look("PASS", "hold", hold="frozen", frozen="frozen until lifted by audit", progress=1)
    *_, last = given(*promoting).when(longer).events
    assert last == PromotionDelayed(
        rollout=ID, proposal=proposal(), reason="frozen until lifted by audit"
    )


def test_approved_in_time_a_promotion_may_wait_for_longer_than_its_proposal_holds() -> None:
    waits = given(*promoting).when(frozen, after=3 * DAY)
    waits.then(judged(frozen, after=3 * DAY))
    *_, last = waits.afterwards.when(passing, after=3 * DAY).events
    assert last == to_wave_2[-1]


def test_a_promotion_that_waits_lapses_when_its_wave_no_longer_passes() -> None:
    *_, last = given(*promoting).when(waiting).events
    assert isinstance(last, ProposalLapsed)


def test_what_waits_approved_is_not_approved_again() -> None:
    given(*promoting).when(approve(by="carol")).then_it_is_refused(ProposalClosed, "delayed")


# Signed off


def test_what_must_be_signed_off_before_the_next_stage_keeps_it_from_being_promoted() -> None:
    waves = PLAN.to_json()["waves"]
    waves[1]["requires"] = [ITEM]
    asked = story(replace(draft, plan=plan(waves=waves)), start, passing)
    given(*asked).when(approve()).then_it_is_refused(NotSignedOff, "code")


def test_the_next_proposal_has_the_next_number() -> None:
    *_, last = given(*story(draft, start, passing, waiting, passing, waiting)).when(passing).events
    assert last == promotion_proposed(number=3)
