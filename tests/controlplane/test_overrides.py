"""An override stands in for a PASS, by the word of two, for a while. A FAIL it never excuses."""

from typing import Any

import pytest

from controlplane.commands import ApproveOverride, RequestOverride, WithdrawOverride
from controlplane.errors import (
    InvalidInput,
    NotAPerson,
    OverrideNotFound,
    ProposalOutdated,
    SamePerson,
    WaveFailed,
)
from events.event import Actor
from events.timestamps import DAY, HOUR, MINUTE
from tests.controlplane.samples import GUARD, HOLDING_GUARD, plan
from tests.controlplane.stage import ALICE, BOB, CAROL, ID, SCHEDULER, Rehearsal, types

FIRST = f"{ID}-o1"


def running(criteria: Any = (GUARD,), **changes: Any) -> Rehearsal:
    """In wave 1, for ten minutes of an hour; the error rate would need 59 executions."""
    rehearsal = Rehearsal(plan(list(criteria), **changes))
    rehearsal.starts()
    rehearsal.passes(10 * MINUTE)
    return rehearsal


def request(
    rehearsal: Rehearsal,
    criterion: str = "bake_time",
    lasts_us: int = HOUR,
    by: Actor = BOB,
    reason: str = "why",
) -> list[Any]:
    command = RequestOverride(
        criterion=criterion,
        requested_by=by.id,
        reason=reason,
        expires_at=rehearsal.now + lasts_us,
    )
    return rehearsal.does(command, by)


def agree(rehearsal: Rehearsal, by: Actor = CAROL, override: str = FIRST) -> list[Any]:
    return rehearsal.does(ApproveOverride(override=override, approver=by, reason="fine"), by)


def withdraw(rehearsal: Rehearsal, override: str = FIRST) -> list[Any]:
    command = WithdrawOverride(override=override, withdrawn_by="bob", reason="why")
    return rehearsal.does(command, BOB)


def enough(rehearsal: Rehearsal) -> None:
    """All but the bake passes."""
    rehearsal.serves(100)


def proposes(rehearsal: Rehearsal) -> bool:
    rehearsal.judges()
    return rehearsal.rollout.proposal is not None


# When it counts


def test_an_override_counts_once_a_second_person_approved_it() -> None:
    rehearsal = running()
    enough(rehearsal)
    assert not proposes(rehearsal)
    request(rehearsal)
    assert not proposes(rehearsal)
    agree(rehearsal)
    assert proposes(rehearsal)
    assert rehearsal.rollout.reason == "every criterion passes, bake_time overridden"
    assert "wave_entered" in types(rehearsal.approves(CAROL))


def test_an_override_is_of_one_criterion_and_no_other() -> None:
    rehearsal = running()
    request(rehearsal)
    agree(rehearsal)
    assert not proposes(rehearsal)
    assert rehearsal.rollout.reason.startswith("error_rate: 0 of 20 failed")


def test_an_override_expires() -> None:
    rehearsal = running()
    enough(rehearsal)
    request(rehearsal, lasts_us=5 * MINUTE)
    agree(rehearsal)
    rehearsal.waits(5 * MINUTE - 1)
    assert proposes(rehearsal)
    rehearsal.waits(1)
    with pytest.raises(ProposalOutdated, match="bake_time: 45m of 60m to go"):
        rehearsal.approves(CAROL)
    assert not proposes(rehearsal)


def test_an_override_that_was_withdrawn_counts_no_more() -> None:
    rehearsal = running()
    enough(rehearsal)
    request(rehearsal)
    agree(rehearsal)
    assert proposes(rehearsal)
    assert types(withdraw(rehearsal)) == ["override_withdrawn"]
    with pytest.raises(ProposalOutdated):
        rehearsal.approves(CAROL)
    assert not proposes(rehearsal)


def test_an_override_is_of_one_wave() -> None:
    rehearsal = running()
    enough(rehearsal)
    request(rehearsal, lasts_us=DAY)
    agree(rehearsal)
    rehearsal.judges()
    rehearsal.approves(CAROL)
    assert rehearsal.rollout.wave == 2
    enough(rehearsal)
    assert not proposes(rehearsal)
    with pytest.raises(OverrideNotFound):
        agree(rehearsal)


@pytest.mark.parametrize("reason", ["", " "])
def test_who_withdraws_an_override_says_why(reason: str) -> None:
    rehearsal = running()
    request(rehearsal)
    command = WithdrawOverride(override=FIRST, withdrawn_by="bob", reason=reason)
    with pytest.raises(InvalidInput, match="needs a reason"):
        rehearsal.does(command)


# A failure


def test_an_override_does_not_excuse_a_failure_that_comes_later() -> None:
    rehearsal = running([HOLDING_GUARD])
    request(rehearsal, "error_rate")
    agree(rehearsal)
    rehearsal.serves(60, failed=60)
    assert not proposes(rehearsal)
    assert rehearsal.rollout.verdict == "FAIL"
    assert rehearsal.rollout.state == "holding"


def test_an_override_keeps_no_guardrail_from_rolling_back() -> None:
    rehearsal = running()
    request(rehearsal, "error_rate")
    agree(rehearsal)
    rehearsal.serves(60, failed=60)
    assert types(rehearsal.judges())[-1] == "rollback_started"


@pytest.mark.parametrize("criterion", ["error_rate", "bake_time"])
def test_after_a_failure_nothing_is_overridden(criterion: str) -> None:
    rehearsal = running([HOLDING_GUARD])
    request(rehearsal, criterion)
    rehearsal.serves(60, failed=60)
    rehearsal.judges()
    with pytest.raises(WaveFailed):
        request(rehearsal, criterion)
    with pytest.raises(WaveFailed):
        agree(rehearsal)


# Who


@pytest.mark.parametrize("by", [BOB, ALICE, Actor.person(" BOB"), Actor(kind="token", id="Alice")])
def test_neither_who_asked_for_it_nor_who_asked_for_the_rollout_approves_it(by: Actor) -> None:
    rehearsal = running()
    request(rehearsal)
    with pytest.raises(SamePerson):
        agree(rehearsal, by)


@pytest.mark.parametrize("by", [SCHEDULER, Actor.system("carol")])
def test_a_part_of_the_control_plane_approves_no_override(by: Actor) -> None:
    rehearsal = running()
    request(rehearsal)
    with pytest.raises(NotAPerson):
        agree(rehearsal, by)


def test_approved_twice_is_approved_once() -> None:
    rehearsal = running()
    request(rehearsal)
    assert types(agree(rehearsal)) == ["override_approved"]
    assert agree(rehearsal) == []


def test_what_expired_is_not_approved() -> None:
    rehearsal = running()
    request(rehearsal, lasts_us=MINUTE)
    rehearsal.waits(MINUTE)
    with pytest.raises(InvalidInput, match=f"override {FIRST} expired"):
        agree(rehearsal)


# What may be asked


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"reason": " "}, "an override needs a reason"),
        ({"lasts_us": 0}, "expires later than now and within 30 days"),
        ({"lasts_us": -1}, "expires later than now"),
        ({"lasts_us": 30 * DAY + 1}, "within 30 days"),
        ({"criterion": "p95"}, "wave 1 has no criterion p95; it has error_rate, bake_time"),
        ({"criterion": "exposure"}, "has no criterion exposure"),
    ],
)
def test_an_override_is_of_a_criterion_of_the_wave_for_a_while_and_a_reason(
    facts: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why):
        request(running(), **facts)


def test_overrides_are_numbered_and_a_number_is_used_once() -> None:
    rehearsal = running()
    request(rehearsal)
    withdraw(rehearsal)
    (second,) = request(rehearsal)
    assert second.override == f"{ID}-o2"
    for override in (FIRST, f"{ID}-o3"):
        with pytest.raises(OverrideNotFound):
            withdraw(rehearsal, override)
