"""What stands in a rollout's way, and what was put out of it."""

import pytest

from events import Event
from events.interventions import (
    BakeExtended,
    HoldKind,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    SignOffWithdrawn,
    WaveEscalated,
)
from events.timestamps import HOUR
from projections.interventions import Hold, Interventions, SignOff
from projections.rollouts import ROLLOUTS
from tests.projections.recording import START, Told, at, told
from tests.projections.rollout_events import ID, drafted, entered, held, released, started

escalated = WaveEscalated(rollout=ID, wave=1, reason="it waits")
extended = BakeExtended(rollout=ID, wave=1, by_us=HOUR, reason="why")


def requested(number: int = 1, criterion: str = "p95") -> Event:
    return OverrideRequested(
        rollout=ID,
        override=f"{ID}-o{number}",
        wave=1,
        criterion=criterion,
        requested_by="bob",
        reason="why",
        expires_at=START + HOUR,
    )


agreed = OverrideApproved(rollout=ID, override=f"{ID}-o1", approver="carol", reason="fine")
taken_back = OverrideWithdrawn(rollout=ID, override=f"{ID}-o1", withdrawn_by="bob", reason="why")


def signed(by: str = "bob", item: str = "code", wave: int = 1, role: str = "") -> Event:
    return ItemSignedOff(rollout=ID, wave=wave, item=item, role=role, signed_by=by, note="done")


def unsigned(by: str = "bob", item: str = "code") -> Event:
    return SignOffWithdrawn(rollout=ID, item=item, signed_by=by, reason="why")


def after(*history: Told) -> Interventions:
    events = told(drafted, started(), entered(), *history)
    return ROLLOUTS.fold(ID, events).interventions


# Holds


def test_a_hold_says_who_holds_why_and_since_when() -> None:
    found = after(at(HOUR, held("paused", "an outage")))
    assert found.holds == (Hold("paused", "an outage", START + HOUR, "alice"),)
    assert found.held("paused") == found.holds[0]
    assert found.held("frozen") is None


def test_there_is_one_hold_of_a_kind_and_each_is_released_by_itself() -> None:
    found = after(held("paused"), held("frozen"), held("paused", "again"))
    assert [(hold.kind, hold.reason) for hold in found.holds] == [
        ("frozen", "why"),
        ("paused", "again"),
    ]
    left = after(held("paused"), held("frozen"), released("paused"))
    assert [hold.kind for hold in left.holds] == ["frozen"]


@pytest.mark.parametrize(
    ("kind", "stays"),
    [
        ("paused", True),
        ("criterion", True),
        ("rejected", False),
        ("withdrawn", False),
        ("frozen", False),
        ("exposure", False),
    ],
)
def test_what_was_about_the_last_wave_ends_with_it(kind: HoldKind, *, stays: bool) -> None:
    assert bool(after(held(kind), entered(2)).holds) == stays


def test_the_next_wave_has_no_extension_no_escalation_and_no_override() -> None:
    before = after(extended, extended, escalated, requested(), agreed)
    assert (before.extended_us, before.escalated) == (2 * HOUR, "it waits")
    assert len(before.overrides) == 1
    now = after(extended, escalated, requested(), agreed, entered(2))
    assert (now.extended_us, now.escalated, now.overrides) == (0, "", ())


# Overrides


def test_an_override_counts_once_a_second_person_approved_it() -> None:
    (asked,) = after(requested()).overrides
    assert (asked.criterion, asked.requested_by, asked.approved_by) == ("p95", "bob", "")
    assert asked.expires_at == START + HOUR
    first, second = after(requested(), requested(2), agreed).overrides
    assert (first.approved_by, second.approved_by) == ("carol", "")


@pytest.mark.parametrize("history", [[requested()], [requested(), agreed]])
def test_an_override_that_was_withdrawn_is_gone_and_its_number_with_it(
    history: list[Event],
) -> None:
    found = after(*history, taken_back)
    assert (found.overrides, found.overridden) == ((), 1)


# Sign-offs


def test_sign_offs_say_who_vouches_in_which_role_and_wave_and_stay() -> None:
    found = after(at(HOUR, signed(role="lead")), at(2 * HOUR, entered(2)))
    assert found.sign_offs == (SignOff("code", 1, "lead", "bob", "done", START + HOUR),)


def test_who_withdraws_an_item_withdraws_his_own_in_every_wave_and_no_others() -> None:
    history = (signed(), signed(wave=2), signed("carol"), signed(item="team"))
    left = after(*history, unsigned()).sign_offs
    assert [(one.by, one.item) for one in left] == [("carol", "code"), ("bob", "team")]
