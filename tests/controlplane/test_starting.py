"""From a draft to wave 1: who must agree, and to what exactly."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from controlplane.commands import RejectStart, Revise, SignOff, Start, Submit
from controlplane.errors import (
    AlreadyApproved,
    ControlPlaneError,
    FreezeOn,
    InvalidInput,
    NotAnApprover,
    NotAPerson,
    NotSignedOff,
    SamePerson,
    WrongState,
)
from controlplane.people import plain
from events.rollouts import (
    PlanRevised,
    RolloutArmed,
    RolloutDrafted,
    RolloutStarted,
    RolloutSubmitted,
    StartApproved,
    StartRejected,
    WaveEntered,
)
from events.timestamps import HOUR
from tests.controlplane.rollout_stories import (
    BEFORE,
    CAREFUL,
    ID,
    ITEM,
    PLAN,
    approve_start,
    careful,
    draft,
    given,
    person,
    start,
    story,
    submit,
)
from tests.controlplane.samples import plan
from tests.projections.recording import START, At

armed = RolloutArmed(rollout=ID)
submitted = story(careful, submit)
OTHER = plan(start={"needed": 2}, promotion={"needed": 2}, version="2")


def agreed(by: str = "bob") -> StartApproved:
    return StartApproved(rollout=ID, plan_hash=CAREFUL.digest(), approver=by, reason="fine")


def revise(by: str = "alice", to: Any = OTHER) -> Revise:
    return Revise(plan=to, revised_by=by)


# Drafting


def test_a_draft_keeps_its_plan_whole() -> None:
    given().when(draft).then(
        RolloutDrafted(
            rollout=ID,
            flag="checkout",
            attempt=1,
            plan=PLAN.to_json(),
            plan_hash=PLAN.digest(),
            waves=2,
            requested_by="alice",
        )
    )


def test_a_retry_names_the_attempt_before() -> None:
    (event,) = given().when(replace(draft, retry_of="checkout-r0")).events
    assert event.retry_of == "checkout-r0"  # type: ignore[attr-defined]  # why: drafted


# Starting


def test_wave_1_is_entered_as_the_plan_says() -> None:
    beta = PLAN.waves[0].audience.to_audience()
    given(*story(draft)).when(start).then(
        RolloutStarted(rollout=ID, flag="checkout", started_by="alice"),
        WaveEntered(
            rollout=ID,
            flag="checkout",
            wave=1,
            name="wave 1",
            audience=beta,
            percentage=10,
            max_silence_us=PLAN.max_silence,
            window_us=PLAN.window,
            settle_us=PLAN.settle,
        ),
    )


def test_a_draft_that_needs_approval_does_not_start() -> None:
    given(*story(careful)).when(start).then_it_is_refused(WrongState, "submit it first")
    given(*submitted).when(start).then_it_is_refused(WrongState, "waiting for approval")


def test_what_needs_no_approval_is_armed_as_soon_as_it_is_submitted() -> None:
    asked = RolloutSubmitted(rollout=ID, submitted_by="alice", start_at=START + HOUR)
    later = Submit(submitted_by="alice", start_at=START + HOUR)
    ready = given(*story(draft)).when(later).then(asked, armed).afterwards
    assert ready.state.start_at == START + HOUR
    assert ready.when(start).refusal is None


@pytest.mark.parametrize("start_at", [0, START - 1, START])
def test_nothing_is_to_start_in_the_past(start_at: int) -> None:
    past = Submit(submitted_by="alice", start_at=start_at)
    given(*story(draft)).when(past).then_it_is_refused(InvalidInput, "start_at is in the past")


@pytest.mark.parametrize("state", ["pending approval", "armed"])
def test_what_was_submitted_is_not_submitted_again(state: str) -> None:
    given(*BEFORE[state]).when(submit).then_it_is_refused(WrongState, f"it is {state}")


def test_a_freeze_keeps_it_from_starting() -> None:
    frozen = Start(started_by="alice", frozen="frozen until lifted by peak (season)")
    given(*story(draft)).when(frozen).then_it_is_refused(FreezeOn, "Nothing starts now: frozen")


def test_what_is_not_signed_off_keeps_it_from_starting() -> None:
    asked = given(*story(replace(draft, plan=plan(before_start=[ITEM]))))
    asked.when(start).then_it_is_refused(NotSignedOff, "waits for sign-off: code")
    sign = SignOff(item="code", role="", signed_by=person("bob"))
    assert asked.when(sign).afterwards.when(start).refusal is None


def test_what_wave_1_requires_keeps_it_from_starting() -> None:
    data = PLAN.to_json()
    data["waves"][0]["requires"] = [ITEM]
    asked = given(*story(replace(draft, plan=plan(waves=data["waves"]))))
    asked.when(start).then_it_is_refused(NotSignedOff, "code")


# Approving a start


def test_it_is_armed_with_the_last_approval_it_needs() -> None:
    one = given(*submitted).when(approve_start()).then(agreed()).afterwards
    one.when(start).then_it_is_refused(WrongState)
    two = one.when(approve_start("carol")).then(agreed("carol"), armed).afterwards
    assert [type(event) for event in two.when(start).events] == [RolloutStarted, WaveEntered]


@pytest.mark.parametrize("by", ["bob", " BOB", "b\u200bob"])
def test_each_approval_is_another_persons(by: str) -> None:
    one = given(*submitted).when(approve_start()).afterwards
    one.when(approve_start(by)).then_it_is_refused(AlreadyApproved, "the start of checkout-r1")


@pytest.mark.parametrize("by", ["alice", " Alice", "\uff41lice"])
def test_who_asked_does_not_approve_the_start(by: str) -> None:
    given(*submitted).when(approve_start(by)).then_it_is_refused(SamePerson)


def test_who_revised_does_not_approve_the_start() -> None:
    revised = given(*story(careful, revise("carol"), submit))
    revised.when(approve_start("Carol")).then_it_is_refused(SamePerson)


def test_who_submitted_does_not_approve_the_start() -> None:
    by_carol = given(*story(careful, Submit(submitted_by="carol")))
    by_carol.when(approve_start("carol")).then_it_is_refused(SamePerson)


@pytest.mark.parametrize("kind", ["scheduler", "system"])
def test_a_part_of_the_control_plane_approves_no_start(kind: Any) -> None:
    given(*submitted).when(approve_start("bob", kind)).then_it_is_refused(NotAPerson)


def test_only_whom_the_plan_names_approves_the_start() -> None:
    board = replace(draft, plan=plan(start={"needed": 1, "of": ["bob", "Dora"]}))
    asked = given(*story(board, submit))
    asked.when(approve_start("carol")).then_it_is_refused(NotAnApprover, "bob, Dora")
    assert asked.when(approve_start("dora")).refusal is None


@pytest.mark.parametrize("state", ["draft", "armed"])
def test_there_is_nothing_to_approve_before_it_is_submitted_or_after_it_is_armed(
    state: str,
) -> None:
    given(*BEFORE[state]).when(approve_start()).then_it_is_refused(WrongState, f"it is {state}")


def test_an_approval_may_name_the_plan_that_was_read() -> None:
    read = replace(approve_start(), plan_hash=CAREFUL.digest())
    given(*submitted).when(read).then(agreed())
    revised = given(*story(careful, submit, revise("carol"), submit))
    revised.when(read).then_it_is_refused(WrongState, f"another plan by now.*{OTHER.digest()}")


# Rejecting a start


def reject(by: str = "bob", reason: str = "no") -> RejectStart:
    return RejectStart(rejected_by=person(by), reason=reason)


def test_rejected_it_is_a_draft_again_and_no_approval_is_left() -> None:
    rejected = StartRejected(rollout=ID, rejected_by="carol", reason="no")
    one = given(*submitted).when(approve_start()).afterwards
    again = one.when(reject("carol")).then(rejected).afterwards.when(submit).afterwards
    assert again.state.start_approvals == ()
    again.when(approve_start("dora")).then(agreed("dora"))


@pytest.mark.parametrize("reason", ["", " \n"])
def test_who_rejects_a_start_says_why(reason: str) -> None:
    given(*submitted).when(reject(reason=reason)).then_it_is_refused(InvalidInput, "say why")


@pytest.mark.parametrize("state", ["draft", "armed"])
def test_only_what_waits_for_approval_is_rejected(state: str) -> None:
    given(*BEFORE[state]).when(reject()).then_it_is_refused(WrongState, "rejected")


# Revising


@pytest.mark.parametrize("history", BEFORE.values(), ids=BEFORE)
def test_revised_it_is_a_draft_again(history: Any) -> None:
    revised = given(*history).when(revise("carol"))
    revised.then(
        PlanRevised(
            rollout=ID,
            plan=OTHER.to_json(),
            plan_hash=OTHER.digest(),
            waves=2,
            revised_by="carol",
        )
    ).then_asking_again_changes_nothing()
    state = revised.afterwards.state
    assert (state.state, state.start_approvals, state.start_at) == ("draft", (), 0)
    assert "carol" in state.askers


def test_the_same_plan_is_no_revision() -> None:
    given(*submitted).when(revise(to=CAREFUL)).then_nothing_happens()


# Whatever is done in whatever order

people = st.sampled_from(["alice", "bob", " BOB", "carol", "dora"])
commands = st.one_of(
    st.builds(revise, people, st.sampled_from([OTHER, CAREFUL])),
    st.builds(Submit, submitted_by=people),
    st.builds(approve_start, people),
    st.builds(reject, people),
    st.builds(Start, started_by=people),
)


@settings(max_examples=200)
@for_all(st.lists(commands, max_size=14))
def test_it_starts_by_the_word_of_two_who_are_none_of_its_authors(taken: list[Any]) -> None:
    """What the log says about it, read without the fold."""
    telling = given(*story(careful))
    for command in taken:
        decision = telling.when(command)
        if decision.refusal is None:
            telling = decision.afterwards
        else:
            assert isinstance(decision.refusal, ControlPlaneError)
    authors, agreed_by, plan_hash = {"alice"}, set[str](), CAREFUL.digest()
    for one in telling.history:
        match one.event if isinstance(one, At) else one:
            case PlanRevised() as revised:
                authors, agreed_by = {*authors, plain(revised.revised_by)}, set()
                plan_hash = revised.plan_hash
            case StartRejected():
                agreed_by = set()
            case StartApproved() as approved:
                assert approved.plan_hash == plan_hash
                assert plain(approved.approver) not in agreed_by
                agreed_by.add(plain(approved.approver))
            case RolloutStarted():
                assert len(agreed_by - authors) == len(agreed_by) >= 2
