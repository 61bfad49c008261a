"""What people vouch for, in which role, and how many of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.checklists import Approvals, Item, missing, signed
from controlplane.commands import Answer, SignOff, WithdrawSignOff
from controlplane.errors import InvalidInput, ItemNotFound, NotAPerson, SamePerson
from events.event import Actor
from events.timestamps import HOUR
from projections.interventions import SignOff as Signed
from tests.controlplane.rollout_stories import ITEM
from tests.controlplane.samples import GUARD, plan, plan_data
from tests.controlplane.stage import ALICE, BOB, CAROL, SCHEDULER, Rehearsal, types
from tests.projections.recording import START

MANUAL = {"kind": "manual", "name": "looks right", "approvals": 2}
EXTERNAL = {"kind": "external", "name": "load_test", "url": "https://ci.example/load"}


def sign(item: str = "code", by: Actor = BOB, role: str = "") -> SignOff:
    return SignOff(item=item, role=role, signed_by=by, note="done")


def requiring(**where: Any) -> Rehearsal:
    """In wave 1, which passes; before wave 2 `code` must be signed off."""
    waves = plan_data([GUARD])["waves"]
    waves[1]["requires"] = [ITEM | where]
    rehearsal = Rehearsal(plan([GUARD], waves=waves))
    rehearsal.starts()
    rehearsal.passes(HOUR)
    return rehearsal


def proposes(rehearsal: Rehearsal) -> bool:
    rehearsal.judges()
    return rehearsal.rollout.proposal is not None


# Before the next stage


def test_unsigned_nothing_is_proposed() -> None:
    rehearsal = requiring()
    assert not proposes(rehearsal)
    assert rehearsal.rollout.reason == "waits for sign-off: code"
    assert types(rehearsal.does(sign(), BOB)) == ["item_signed_off"]
    assert proposes(rehearsal)


def test_what_is_not_required_is_a_reminder() -> None:
    assert proposes(requiring(required=False))


def test_an_item_takes_as_many_people_in_its_role_as_it_says() -> None:
    rehearsal = requiring(role="lead", approvals=2)
    for by, role in [(BOB, "lead"), (BOB, "LEAD ")]:
        rehearsal.does(sign(by=by, role=role), by)
        assert not proposes(rehearsal)
    for role in ("", "driver"):
        with pytest.raises(InvalidInput, match="code is signed off in the role lead: give --role"):
            rehearsal.does(sign(by=CAROL, role=role), CAROL)
    rehearsal.does(sign(by=CAROL, role="lead"), CAROL)
    assert proposes(rehearsal)


def test_signed_before_the_start_it_is_signed() -> None:
    waves = plan_data([GUARD])["waves"]
    waves[1]["requires"] = [ITEM]
    rehearsal = Rehearsal(plan([GUARD], waves=waves))
    rehearsal.does(sign(), BOB)
    rehearsal.starts()
    rehearsal.passes(HOUR)
    assert proposes(rehearsal)


def test_who_no_longer_vouches_ends_what_was_proposed() -> None:
    rehearsal = requiring()
    rehearsal.does(sign(), BOB)
    assert proposes(rehearsal)
    back = WithdrawSignOff(item="code", signed_by=" Bob", reason="found something")
    assert types(rehearsal.does(back)) == ["sign_off_withdrawn"]
    assert not proposes(rehearsal)
    with pytest.raises(InvalidInput, match="has not signed off code"):
        rehearsal.does(back)
    with pytest.raises(ItemNotFound, match="there are: code"):
        rehearsal.does(WithdrawSignOff(item="cake", signed_by="bob", reason="why"))


def test_who_takes_a_signature_back_says_why() -> None:
    rehearsal = requiring()
    rehearsal.does(sign(), BOB)
    with pytest.raises(InvalidInput, match="to take back a sign-off needs a reason"):
        rehearsal.does(WithdrawSignOff(item="code", signed_by="bob", reason=" "))


def test_before_it_is_complete_what_is_asked_for_then_must_be_signed() -> None:
    lead = ITEM | {"name": "lead", "area": "sign-off"}
    rehearsal = Rehearsal(plan([GUARD], soak=None, before_completion=[lead]))
    rehearsal.starts()
    rehearsal.passes(HOUR)
    rehearsal.judges()
    rehearsal.approves()
    rehearsal.passes(2 * HOUR)
    assert not proposes(rehearsal)
    rehearsal.does(sign("lead"), BOB)
    assert proposes(rehearsal)
    assert types(rehearsal.approves())[-1] == "completed"


# Who signs, and what


def test_signed_twice_by_one_is_signed_once() -> None:
    rehearsal = requiring()
    rehearsal.does(sign(), BOB)
    assert rehearsal.does(sign(by=Actor.person("BOB"))) == []


@pytest.mark.parametrize("by", [SCHEDULER, Actor.system("bob")])
def test_a_part_of_the_control_plane_vouches_for_nothing(by: Actor) -> None:
    with pytest.raises(NotAPerson):
        requiring().does(sign(by=by))


def test_what_is_on_no_list_is_not_signed() -> None:
    with pytest.raises(ItemNotFound, match="there are: code"):
        requiring().does(sign("cake"))
    with pytest.raises(ItemNotFound, match="there are: none"):
        Rehearsal(plan()).does(sign())


# Manual and external criteria


def test_a_manual_criterion_passes_by_signatures_of_its_wave() -> None:
    rehearsal = Rehearsal(plan([GUARD, MANUAL]))
    with pytest.raises(ItemNotFound):
        rehearsal.does(sign("looks right"), BOB)  # There is no wave yet.
    rehearsal.starts()
    rehearsal.passes(HOUR)
    rehearsal.does(sign("looks right"), BOB)
    assert not proposes(rehearsal)
    rehearsal.does(sign("looks right", CAROL), CAROL)
    assert proposes(rehearsal)
    rehearsal.approves()
    rehearsal.passes(2 * HOUR)
    assert not proposes(rehearsal)
    assert rehearsal.rollout.reason.startswith("looks right: 0 of 2 sign-offs")


OUTSIDE = Actor.system("external-criteria")


def answer(
    verdict: Any, wave: int | None = None, criterion: str = "load_test", by: Actor = OUTSIDE
) -> Answer:
    return Answer(criterion=criterion, verdict=verdict, answered_by=by, detail="1,000/s", wave=wave)


def asked() -> Rehearsal:
    rehearsal = Rehearsal(plan([GUARD, EXTERNAL]))
    rehearsal.starts()
    rehearsal.passes(HOUR)
    return rehearsal


def test_an_external_criterion_passes_by_an_answer() -> None:
    rehearsal = asked()
    assert not proposes(rehearsal)
    assert types(rehearsal.does(answer("PASS"))) == ["criterion_answered"]
    assert proposes(rehearsal)


def test_an_answer_that_comes_too_late_is_not_for_the_next_wave() -> None:
    rehearsal = asked()
    rehearsal.does(answer("PASS", wave=1))
    rehearsal.judges()
    rehearsal.approves()
    assert rehearsal.does(answer("PASS", wave=1)) == []
    assert rehearsal.world.wave.answers == {}
    assert types(rehearsal.does(answer("FAIL", wave=2))) == ["criterion_answered"]


def test_a_failure_from_outside_holds_and_no_later_answer_lifts_it() -> None:
    rehearsal = asked()
    rehearsal.does(answer("FAIL"))
    rehearsal.does(answer("PASS"))
    assert not proposes(rehearsal)
    assert (rehearsal.rollout.verdict, rehearsal.rollout.state) == ("FAIL", "holding")


def test_who_asked_for_the_rollout_gives_no_good_answer_himself() -> None:
    rehearsal = asked()
    with pytest.raises(SamePerson):
        rehearsal.does(answer("PASS", by=Actor(kind="token", id="ALICE")))
    assert rehearsal.does(answer("INCONCLUSIVE", by=ALICE))
    assert rehearsal.does(answer("FAIL", by=ALICE))


@pytest.mark.parametrize("criterion", ["error_rate", "bake_time", "nothing"])
def test_only_what_asks_outside_is_answered_from_there(criterion: str) -> None:
    with pytest.raises(InvalidInput, match=r"wave 1 has no external criterion .*has load_test"):
        asked().does(answer("PASS", criterion=criterion))


# Counting

names = st.sampled_from(["bob", "BOB", " bob", "carol", "dora"])
signatures = st.lists(
    st.builds(
        Signed,
        item=st.sampled_from(["code", "team"]),
        wave=st.integers(0, 2),
        role=st.sampled_from(["", "lead"]),
        by=names,
        note=st.just(""),
        at=st.just(START),
    ),
    max_size=8,
).map(tuple)


@given(signatures, st.sampled_from(["", "lead"]), st.integers(1, 3))
def test_people_count_once_each_in_the_role_that_is_asked_for(
    found: tuple[Signed, ...], role: str, approvals: int
) -> None:
    item = Item(name="code", area="code", role=role, approvals=approvals)
    fitting = [one for one in found if one.item == "code" and role in ("", one.role)]
    counted = {one.by.strip().lower() for one in fitting}
    assert signed(item, found) == len(counted)
    assert (missing([item], found) == ()) == (len(counted) >= approvals)


@pytest.mark.parametrize(("needed", "of"), [(2, ("bob",)), (1, ("bob", "carol")), (0, ())])
def test_as_many_as_must_approve_may(needed: int, of: tuple[str, ...]) -> None:
    if len(of) >= needed:
        assert Approvals(needed=needed, of=of).of == of
    else:
        with pytest.raises(ValueError, match="2 must approve, but only 1 may"):
            Approvals(needed=needed, of=of)


def test_one_person_in_two_spellings_is_not_two_who_may_approve() -> None:
    with pytest.raises(ValueError, match="must approve, but only 1 may"):
        Approvals(needed=2, of=("bob", "Bob"))
