"""A flag is led back to how it stood: by new events, never fewer, with every refusal they meet."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.access_errors import RaiseNotPermitted
from controlplane.errors import (
    ControlPlaneError,
    CriticalAlertOpen,
    FlagIsArchived,
    FlagIsOn,
    FlagNotFound,
    InvalidInput,
    RolloutInCharge,
)
from events.flags import Audience, Condition, Variant
from events.timestamps import HOUR, MINUTE, to_iso
from projections.flags import Flag
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Clock, batch, plan, types

BETA = Audience("beta", (Condition("group", "equals", "beta"),))
OTHER_BETA = Audience("beta", (Condition("group", "equals", "b2"),))
COLOURS = (Variant("blue", "#00f", 1), Variant("plain", "#fff", 0))


def standing(flag: Flag) -> Any:
    """What is led back: who is served, and what the flag says of itself."""
    served = {(e.audience, e.percentage) for e in flag.exposures if e.percentage}
    said = flag.owner, flag.description, flag.tags, flag.kind, flag.variants, flag.default
    return flag.enabled, served, said


def back(plane: ControlPlane, at: Any, **more: Any) -> Flag:
    return plane.flags.revert(FLAG, at, actor=ON_CALL, reason="a mistake", **more)


def test_it_stands_again_as_it_stood(flagged: ControlPlane, clock: Clock) -> None:
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    flagged.flags.set_percentage(FLAG, 50, audience=BETA, actor=ENGINEER)
    at = to_iso(clock.now)
    clock.advance(HOUR)
    flagged.flags.set_percentage(FLAG, 60, actor=ENGINEER)
    flagged.flags.set_percentage(FLAG, 20, audience=OTHER_BETA, actor=ENGINEER)
    flagged.flags.set_percentage(FLAG, 5, audience=Audience("staff"), actor=ENGINEER)
    flagged.flags.describe(FLAG, owner="others", tags=("x",), actor=ENGINEER)
    before, told = flagged.head().position, types(flagged)
    flag = back(flagged, at)
    assert standing(flag) == standing(flagged.as_of(at).flags.get(FLAG))
    assert types(flagged)[:before] == told
    added = flagged.events(after=before)
    assert {event.recorded_at for event in added} == {clock.now}, "one transaction"
    assert {event.actor.id for event in added} == {ON_CALL}
    assert {getattr(e.event, "reason", None) for e in added} == {
        None,
        f"as it was at {at}: a mistake",
    }
    assert [event.event.after for event in added if event.type == "flag.exposure_changed"] == [  # type: ignore[attr-defined]  # why: by its type
        *(10, 0),
        50,
    ], "lowered before it is raised"


def test_led_back_twice_nothing_changes(flagged: ControlPlane) -> None:
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    back(flagged, 1)
    head = flagged.head()
    assert not back(flagged, 1).enabled
    assert flagged.head() == head


def test_a_flag_that_was_on_is_switched_on_and_one_that_was_off_is_switched_off(
    flagged: ControlPlane,
) -> None:
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    on, without_exposure = flagged.head().position, flagged.head().position - 1
    flagged.flags.disable(FLAG, actor=ENGINEER)
    off = flagged.head().position
    assert back(flagged, on).percentage == 10
    assert not back(flagged, off).enabled
    assert (back(flagged, without_exposure).enabled, flagged.flags.get(FLAG).percentage) == (
        True,
        0,
    )


def test_raising_takes_what_raising_takes(flagged: ControlPlane, clock: Clock) -> None:
    flagged.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    high = flagged.head().position
    flagged.flags.set_percentage(FLAG, 10, actor=ENGINEER)
    with pytest.raises(RaiseNotPermitted):
        back(flagged, high, may_raise=False)
    clock.advance(MINUTE)
    flagged.executions.record([batch(violations={"order": 1})])
    flagged.alerts.watch()
    flagged.flags.describe(FLAG, owner="others", actor=ENGINEER)
    with pytest.raises(CriticalAlertOpen):
        back(flagged, high)
    assert flagged.flags.get(FLAG).owner == "others", "all of it, or nothing"
    assert back(flagged, 1, may_raise=False).owner == "patch-team"


def test_under_a_rollout_it_is_lowered_only(flagged: ControlPlane) -> None:
    flagged.flags.enable(FLAG, percentage=90, actor=ENGINEER)
    high = flagged.head().position
    flagged.flags.disable(FLAG, actor=ENGINEER)
    rollout = flagged.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    with pytest.raises(RolloutInCharge):
        back(flagged, high)
    assert not back(flagged, 1).enabled
    assert flagged.rollouts.get(rollout.id).state == "rolling_back", "off is off"
    assert back(flagged, high).percentage == 90


def test_a_kind_stays_while_the_flag_is_on(flagged: ControlPlane) -> None:
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    booleans = flagged.head().position
    flagged.flags.disable(FLAG, actor=ENGINEER)
    flagged.flags.define_variants(
        FLAG, kind="string", variants=COLOURS, default="plain", actor=ENGINEER
    )
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    with pytest.raises(FlagIsOn):
        back(flagged, booleans)
    assert back(flagged, 1).kind == "boolean", "where it was off, it is switched off first"
    assert back(flagged, booleans).percentage == 10


def test_what_is_archived_stays_so(flagged: ControlPlane) -> None:
    flagged.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    on = flagged.head().position
    flagged.flags.archive(FLAG, actor=ENGINEER)
    with pytest.raises(FlagIsArchived):
        back(flagged, on)
    head = flagged.head()
    assert back(flagged, head.position).archived
    assert flagged.head() == head


def test_what_cannot_be_told_is_refused(flagged: ControlPlane) -> None:
    with pytest.raises(FlagNotFound):
        back(flagged, 0)
    with pytest.raises(FlagNotFound):
        flagged.flags.revert("nonsense", 1, actor=ON_CALL, reason="why")
    with pytest.raises(InvalidInput, match="leading a flag back needs a reason"):
        flagged.flags.revert(FLAG, 1, actor=ON_CALL, reason=" ")
    with pytest.raises(InvalidInput, match="positions 1 to 1"):
        back(flagged, 2)
    assert back(flagged, 1).name == FLAG
    long = flagged.flags.enable(FLAG, percentage=1, actor=ENGINEER).position
    flagged.flags.revert(FLAG, long - 2, actor=ON_CALL, reason="x" * 3000)


percentages = st.sampled_from([0.0, 10.0, 50.0, 100.0])
audiences = st.sampled_from([Audience("everyone"), BETA, OTHER_BETA])
commands = st.one_of(
    st.fixed_dictionaries({"percentage": percentages, "audience": audiences}).map(
        lambda facts: ("enable", facts)
    ),
    st.just(("disable", {})),
    st.fixed_dictionaries({"owner": st.sampled_from("ab"), "tags": st.just(("t",))}).map(
        lambda facts: ("describe", facts)
    ),
    st.sampled_from([1, 2]).map(
        lambda weight: (
            "define_variants",
            {
                "kind": "string",
                "variants": (Variant("x", "1", weight), *COLOURS),
                "default": "plain",
            },
        )
    ),
)


@settings(max_examples=60)
@given(history=st.lists(commands, max_size=12), data=st.data())
def test_whatever_happened_it_is_led_back_or_nothing_is_done(
    history: list[Any], data: st.DataObject
) -> None:
    with ControlPlane("memory://") as plane:
        plane.flags.create(FLAG, owner="a", actor=ENGINEER)
        for name, facts in history:
            with suppress(ControlPlaneError):
                getattr(plane.flags, name)(FLAG, actor=ENGINEER, **facts)
        head = plane.head()
        at = data.draw(st.integers(1, head.position))
        was = plane.as_of(at).flags.get(FLAG)
        try:
            flag = back(plane, at)
        except FlagIsOn:
            assert (plane.flags.get(FLAG).kind, plane.head()) != (was.kind, head)
            assert plane.head() == head
            return
        assert standing(flag) == standing(was)
        assert flag == plane.flags.get(FLAG)
        for unit in ("user-3", "user-17"):
            for group in ("beta", "b2", "none"):
                asked = (FLAG, unit, {"group": group})
                now, then = plane.flags.explain(*asked), plane.as_of(at).flags.explain(*asked)
                assert (now.enabled, now.value) == (then.enabled, then.value)
