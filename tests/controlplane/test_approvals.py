"""Who may decide about a proposal, when, and what follows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane.errors import (
    InvalidInput,
    NotAPerson,
    ProposalClosed,
    ProposalNotFound,
    ProposalOutdated,
    SamePerson,
)
from events import EVERYONE
from events.rollouts import (
    ProposalApproved,
    ProposalRejected,
    RolloutCompleted,
    SoakStarted,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import DAY, MINUTE
from tests.controlplane.rollout_stories import (
    EXPOSURE,
    ID,
    PLAN,
    approve,
    given,
    passing,
    promotion_proposed,
    proposal,
    proposed,
    reject,
    soaking,
    start,
    story,
    waiting,
)
from tests.controlplane.samples import plan


def test_an_approval_promotes_to_the_next_wave() -> None:
    given(*proposed).when(approve()).then(
        ProposalApproved(rollout=ID, proposal=proposal(), approver="bob", reason="fine"),
        WavePromoted(rollout=ID, proposal=proposal(), wave=1, to="wave 2"),
        WaveEntered(
            rollout=ID,
            flag="checkout",
            wave=2,
            name="wave 2",
            audience=EVERYONE,
            percentage=50,
            max_silence_us=PLAN.max_silence,
        ),
    )


def test_after_the_last_wave_comes_the_soak_and_after_the_soak_the_end() -> None:
    in_wave_2 = story(start, passing, approve(), passing)
    *_, last = given(*in_wave_2).when(approve(2)).events
    assert last == SoakStarted(rollout=ID, flag="checkout", max_silence_us=PLAN.max_silence)
    *_, last = given(*soaking).when(passing).afterwards.when(approve(3)).events
    assert last == RolloutCompleted(rollout=ID, flag="checkout")


SPELLINGS = [
    *("alice", "ALICE", " alice", "alice\n", "Alice ", "\u3000alice"),
    *("\uff41\uff4c\uff49\uff43\uff45", "al\u200bice", "alice\u2060", "\ufeffalice"),
]


@pytest.mark.parametrize("by", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("kind", ["person", "token"])
def test_who_asked_for_the_rollout_cannot_approve_however_it_is_written(kind: Any, by: str) -> None:
    given(*proposed).when(approve(by=by, kind=kind)).then_it_is_refused(SamePerson)


@for_all(st.text(min_size=1, max_size=9))
def test_nobody_passes_for_another_by_case_or_spaces(requester: str) -> None:
    asked = story(replace(start, requested_by=requester), passing)
    for by in (requester, requester.upper(), requester.casefold(), f"  {requester}\t"):
        if by.casefold() == requester.casefold() or by.strip() == requester.strip():
            given(*asked).when(approve(by=by)).then_it_is_refused(SamePerson)


@pytest.mark.parametrize("by", ["bob", "alic", "alice2", "al ice", "älice"])
@pytest.mark.parametrize("kind", ["person", "token"])
def test_another_person_may_approve(kind: Any, by: str) -> None:
    first, *_ = given(*proposed).when(approve(by=by, kind=kind)).events
    assert first.approver == by


@pytest.mark.parametrize("kind", ["scheduler", "system"])
@pytest.mark.parametrize("by", ["bob", "alice"])
def test_a_part_of_the_control_plane_does_not_approve(kind: Any, by: str) -> None:
    given(*proposed).when(approve(by=by, kind=kind)).then_it_is_refused(NotAPerson, by)


@pytest.mark.parametrize(
    ("command", "after", "reason"),
    [
        (approve(), DAY, "it expired"),
        (approve(exposure=EXPOSURE + 1), MINUTE, "exposure was changed"),
    ],
)
def test_a_proposal_that_no_longer_holds_cannot_be_approved(
    command: Any, after: int, reason: str
) -> None:
    given(*proposed).when(command, after=after).then_it_is_refused(ProposalOutdated, reason)


@pytest.mark.parametrize("command", [approve(), reject()])
@pytest.mark.parametrize(
    ("history", "why"),
    [
        (story(start, passing, waiting), r"is lapsed \(its evidence lapsed: because\)"),
        (story(start, passing, reject()), r"is rejected \(no\)"),
        (story(start, passing, approve()), r"is approved \(fine\)"),
        (story(start, passing, waiting, passing), "is lapsed"),
    ],
    ids=["lapsed", "rejected", "approved", "superseded"],
)
def test_a_proposal_is_decided_once(history: Any, why: str, command: Any) -> None:
    given(*history).when(command).then_it_is_refused(ProposalClosed, why)


@pytest.mark.parametrize("command", [approve(2), reject(2)])
def test_a_proposal_that_was_never_made_is_not_found(command: Any) -> None:
    given(*proposed).when(command).then_it_is_refused(ProposalNotFound, proposal(2))


def test_rejected_the_wave_goes_on() -> None:
    decision = given(*proposed).when(reject())
    decision.then(ProposalRejected(rollout=ID, proposal=proposal(), rejected_by="bob", reason="no"))
    assert decision.afterwards.state.state == "observing"


@pytest.mark.parametrize("reason", ["", " ", "\t\n"])
def test_who_rejects_says_why(reason: str) -> None:
    given(*proposed).when(reject(reason=reason)).then_it_is_refused(InvalidInput, "needs a reason")


def test_rejected_a_wave_is_not_proposed_again_for_a_day() -> None:
    rejected = given(*proposed).when(reject()).afterwards
    rejected.when(passing).then_nothing_happens()
    (look,) = rejected.when(passing, after=DAY - 1).events
    assert isinstance(look, WaveJudged)
    *_, last = rejected.when(passing, after=DAY).events
    assert last == promotion_proposed(number=2, after=DAY)


def test_a_plan_says_how_long_a_rejection_rests() -> None:
    patient = replace(start, plan=plan(propose_again_after="3d"))
    rejected = given(*story(patient, passing, reject()))
    assert len(rejected.when(passing, after=3 * DAY - 1).events) == 1
    assert len(rejected.when(passing, after=3 * DAY).events) == 2


def test_who_asked_may_reject() -> None:
    command = reject()
    assert given(*proposed).when(command).refusal is None
