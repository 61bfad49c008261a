"""What may be commanded when."""

from typing import Any, get_args

import pytest

from controlplane.commands import (
    Answer,
    ApproveOverride,
    BeforeStart,
    ExtendBake,
    FollowRollback,
    RejectStart,
    RequestOverride,
    Revise,
    RolloutCommand,
    SignOff,
    WithdrawOverride,
    WithdrawSignOff,
)
from controlplane.errors import (
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
    RolloutNotRunning,
    WrongState,
)
from events.timestamps import DAY, HOUR
from projections.rollbacks import AfterRollback
from tests.controlplane.rollout_stories import (
    ACTIVE,
    BEFORE,
    ENDED,
    ID,
    PLAN,
    abort,
    approve,
    approve_start,
    draft,
    failing,
    given,
    passing,
    pause,
    person,
    reject,
    resume,
    skip,
    start,
    submit,
    waiting,
    withdraw,
)
from tests.projections.recording import START

STEERING: list[Any] = [
    *(waiting, passing, failing, approve(), reject(), withdraw(), skip(), pause, resume()),
    ExtendBake(by_us=HOUR, reason="why"),
    RequestOverride(
        criterion="error_rate", requested_by="bob", reason="why", expires_at=START + HOUR
    ),
    ApproveOverride(override=f"{ID}-o1", approver=person("bob")),
    WithdrawOverride(override=f"{ID}-o1", withdrawn_by="bob", reason="why"),
    SignOff(item="code", role="", signed_by=person("bob")),
    WithdrawSignOff(item="code", signed_by="bob", reason="why"),
    Answer(criterion="external", verdict="PASS", answered_by=person("ci")),
]
PREPARING: list[Any] = [
    Revise(plan=PLAN.scaled(2), revised_by="alice"),
    *(submit, approve_start(), start),
    RejectStart(rejected_by=person("bob"), reason="no"),
]
FOLLOW = FollowRollback(reports=AfterRollback(START))


def named(commands: list[Any]) -> list[str]:
    return [type(command).__name__ for command in commands]


def test_every_command_is_in_the_tables_below() -> None:
    told = {type(command) for command in [*STEERING, *PREPARING, draft, abort, FOLLOW]}
    assert told == set(get_args(RolloutCommand))
    assert {type(one) for one in [*PREPARING, draft]} == set(get_args(BeforeStart))


@pytest.mark.parametrize("command", [*STEERING, *PREPARING, abort, FOLLOW])
def test_what_was_never_drafted_cannot_be_commanded(command: Any) -> None:
    given().when(command).then_it_is_refused(RolloutNotFound, ID)


@pytest.mark.parametrize("history", (ACTIVE | BEFORE | ENDED).values(), ids=ACTIVE | BEFORE | ENDED)
def test_a_name_is_used_once(history: Any) -> None:
    given(*history).when(draft).then_it_is_refused(RolloutInCharge)


@pytest.mark.parametrize("command", STEERING, ids=named(STEERING))
@pytest.mark.parametrize(("state", "history"), BEFORE.items(), ids=BEFORE)
def test_what_has_not_started_is_not_steered(state: str, history: Any, command: Any) -> None:
    decision = given(*history).when(command)
    if isinstance(command, SignOff | WithdrawSignOff):
        assert not isinstance(decision.refusal, RolloutNotRunning)
    else:
        decision.then_it_is_refused(RolloutNotRunning, f"is {state}")


@pytest.mark.parametrize("command", PREPARING, ids=named(PREPARING))
@pytest.mark.parametrize("history", (ACTIVE | ENDED).values(), ids=ACTIVE | ENDED)
def test_what_has_started_is_not_prepared_any_more(history: Any, command: Any) -> None:
    given(*history).when(command).then_it_is_refused(WrongState)


@pytest.mark.parametrize("command", STEERING, ids=named(STEERING))
@pytest.mark.parametrize(("state", "history"), ENDED.items(), ids=ENDED)
def test_what_has_ended_stays_so(state: str, history: Any, command: Any) -> None:
    given(*history).when(command).then_it_is_refused(RolloutEnded, f"is {state}")


@pytest.mark.parametrize("history", (ACTIVE | BEFORE).values(), ids=ACTIVE | BEFORE)
def test_there_is_no_rollback_to_follow_before_one_began(history: Any) -> None:
    given(*history).when(FOLLOW, after=DAY).then_nothing_happens()
