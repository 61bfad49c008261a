from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane import flags
from controlplane.errors import (
    ControlPlaneError,
    FlagExists,
    FlagIsArchived,
    FlagIsDisabled,
    FlagNotFound,
    InvalidInput,
    RolloutInCharge,
)
from controlplane.flags import (
    ArchiveFlag,
    AttachRollout,
    ChangeExposure,
    CreateFlag,
    DescribeFlag,
    DetachRollout,
    DisableFlag,
    EnableFlag,
    EnterWave,
)
from events import EVERYONE, Audience, Condition, Event
from events.flags import FlagDescribed
from projections.flags import FLAGS
from tests.controlplane.decider import Decider
from tests.projections.flag_events import (
    BETA,
    OTHER_BETA,
    archived,
    attached,
    created,
    detached,
    disabled,
    enabled,
    exposed,
)
from tests.projections.histories import about_flags


def wave(percentage: float, audience: Audience = EVERYONE) -> EnterWave:
    return EnterWave(percentage=percentage, audience=audience, reason="")


def given_a_flag_named(name: str, *history: Event) -> Any:
    return Decider(FLAGS, name, lambda flag, command, _now: flags.decide(flag, command)).given(
        *history
    )


def given(*history: Event) -> Any:
    return given_a_flag_named("checkout", *history)


ON = (created, enabled, exposed(25))
IN_CHARGE = (created, attached, enabled, exposed(10, BETA))

# Creating and describing


def test_a_flag_is_created_with_its_name_for_salt() -> None:
    given().when(CreateFlag(owner="team", description="new")).then(
        created
    ).then_asking_again_changes_nothing()


def test_a_salt_of_its_own_is_kept() -> None:
    (event,) = given().when(CreateFlag(owner="team", salt="v2")).events
    assert event.salt == "v2"


@pytest.mark.parametrize(
    "other",
    [
        CreateFlag(owner="other", description="new"),
        CreateFlag(owner="team", description="other"),
        CreateFlag(owner="team", description="new", salt="other"),
    ],
)
def test_a_flag_that_exists_is_not_created_otherwise(other: CreateFlag) -> None:
    given(created).when(other).then_it_is_refused(FlagExists, "owned by team")


def test_an_archived_flag_is_not_created_again() -> None:
    again = CreateFlag(owner="team", description="new")
    given(created, archived).when(again).then_it_is_refused(FlagExists)


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "a\n", "ä", "a" * 101])
def test_a_name_that_could_not_be_typed_is_refused(name: str) -> None:
    given_a_flag_named(name).when(CreateFlag(owner="team")).then_it_is_refused(
        InvalidInput, "flag name"
    )


@pytest.mark.parametrize("name", ["a", "0", "batch-patches.v1_x", "a" * 100])
def test_lower_case_digits_dots_dashes_and_underscores_make_a_name(name: str) -> None:
    assert given_a_flag_named(name).when(CreateFlag(owner="team")).events


def test_a_flag_has_an_owner_for_all_its_life() -> None:
    given().when(CreateFlag(owner=" ")).then_it_is_refused(InvalidInput, "needs an owner")
    given(created).when(DescribeFlag(owner="")).then_it_is_refused(InvalidInput, "needs an owner")


def test_describing_changes_what_is_given_and_keeps_the_rest() -> None:
    given(created).when(DescribeFlag(tags=("b", "a", "b"))).then(
        FlagDescribed(flag="checkout", owner="team", description="new", tags=("a", "b"))
    ).then_asking_again_changes_nothing()
    given(created).when(DescribeFlag()).then_nothing_happens()
    given(created).when(DescribeFlag(owner="team", description="new")).then_nothing_happens()


# Switching on and off


def test_switching_on_serves_a_percentage() -> None:
    given(created).when(EnableFlag(percentage=25)).then(
        enabled, exposed(25)
    ).then_asking_again_changes_nothing()


def test_switching_on_at_nothing_serves_nobody() -> None:
    given(created).when(EnableFlag(percentage=0)).then(enabled).then_asking_again_changes_nothing()


def test_switching_on_what_is_on_moves_its_percentage() -> None:
    given(*ON).when(EnableFlag(percentage=50)).then(exposed(50, before=25))


def test_switched_on_again_it_counts_from_nobody() -> None:
    given(*ON, disabled).when(EnableFlag(percentage=25)).then(enabled, exposed(25))


def test_switching_off_is_for_everyone_and_once() -> None:
    given(*ON).when(DisableFlag()).then(disabled).then_asking_again_changes_nothing()
    given(created).when(DisableFlag()).then_nothing_happens()


# Moving the exposure


def test_the_exposure_moves_both_ways() -> None:
    for after in (50, 5, 0):
        given(*ON).when(ChangeExposure(percentage=after)).then(
            exposed(after, before=25)
        ).then_asking_again_changes_nothing()


def test_asking_for_the_same_exposure_twice_changes_nothing() -> None:
    given(*ON).when(ChangeExposure(percentage=25, reason="wave 2")).then_nothing_happens()


def test_audiences_move_by_themselves() -> None:
    given(*ON).when(ChangeExposure(percentage=50, audience=BETA)).then(exposed(50, BETA))


def test_an_audience_under_a_known_name_with_other_conditions_is_a_change() -> None:
    given(*ON, exposed(50, BETA)).when(ChangeExposure(percentage=50, audience=OTHER_BETA)).then(
        exposed(50, OTHER_BETA, before=50)
    )


def test_the_exposure_of_a_flag_that_is_off_does_not_move() -> None:
    given(created).when(ChangeExposure(percentage=5)).then_it_is_refused(
        FlagIsDisabled, "Switch it on with a percentage"
    )


@pytest.mark.parametrize("percentage", [-1, 100.001, 0.0005, float("nan"), True, "5"])
def test_what_is_no_percentage_is_refused(percentage: Any) -> None:
    for command in (EnableFlag, ChangeExposure):
        given(*ON).when(command(percentage=percentage)).then_it_is_refused(InvalidInput, "percent")


def test_an_audience_that_could_never_match_is_refused() -> None:
    nonsense = Audience("nonsense", (Condition("version", "version_gt", "new"),))
    given(*ON).when(ChangeExposure(percentage=5, audience=nonsense)).then_it_is_refused(
        InvalidInput, "needs a version"
    )


# Rollouts and the archive


def test_one_rollout_at_a_time_is_in_charge() -> None:
    given(created).when(AttachRollout(rollout="checkout-r1")).then(attached)
    given(created, attached).when(AttachRollout(rollout="r2")).then_it_is_refused(RolloutInCharge)
    given(created, attached).when(DetachRollout()).then(
        detached
    ).then_asking_again_changes_nothing()


def test_archiving_switches_off_for_ever() -> None:
    given(*ON).when(ArchiveFlag()).then(archived).then_asking_again_changes_nothing()
    given(*ON, archived).when(DisableFlag()).then_nothing_happens()
    given(created, attached).when(ArchiveFlag()).then_it_is_refused(RolloutInCharge)


COMMANDS = [
    DescribeFlag(owner="other"),
    EnableFlag(percentage=1),
    ChangeExposure(percentage=1),
    wave(1),
    AttachRollout(rollout="r"),
    DisableFlag(),
    ArchiveFlag(),
    DetachRollout(),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_nothing_can_be_done_to_a_flag_that_is_not_there(command: Any) -> None:
    given().when(command).then_it_is_refused(FlagNotFound, "checkout")


@pytest.mark.parametrize("command", COMMANDS[:5], ids=lambda command: type(command).__name__)
def test_an_archived_flag_stays_off(command: Any) -> None:
    given(*ON, archived).when(command).then_it_is_refused(FlagIsArchived)


@for_all(st.lists(about_flags, max_size=8), st.sampled_from(COMMANDS))
def test_what_is_not_refused_can_be_asked_twice(history: list[Any], command: Any) -> None:
    decision = given(created, *(e for e in history if e.flag == "checkout")).when(command)
    if decision.refusal is None and not isinstance(command, AttachRollout):
        decision.then_asking_again_changes_nothing()
    assert isinstance(decision.refusal, ControlPlaneError | None)
