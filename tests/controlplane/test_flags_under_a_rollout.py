"""While a rollout is in charge: it alone raises; by hand one may lower, and restore."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane import flags
from controlplane.errors import ControlPlaneError, RolloutInCharge
from controlplane.flags import ChangeExposure, DisableFlag, EnableFlag, EnterWave
from events import EVERYONE, Audience, Event
from projections.flags import FLAGS
from tests.controlplane.decider import Decider
from tests.projections.flag_events import (
    BETA,
    OTHER_BETA,
    attached,
    created,
    detached,
    disabled,
    enabled,
    exposed,
)
from tests.projections.histories import audiences

IN_CHARGE = (created, attached, enabled, exposed(10, BETA))


def given(*history: Event) -> Any:
    return Decider(
        FLAGS, "checkout", lambda flag, command, _now: flags.decide(flag, command)
    ).given(*history)


def wave(percentage: float, audience: Audience = EVERYONE) -> EnterWave:
    return EnterWave(percentage=percentage, audience=audience, reason="")


def by_hand(percentage: float, audience: Audience = EVERYONE) -> ChangeExposure:
    return ChangeExposure(percentage=percentage, audience=audience)


def off_for(_percentage: float, audience: Audience) -> ChangeExposure:
    return by_hand(0, audience)


# By hand


@pytest.mark.parametrize("command", [ChangeExposure, EnableFlag])
@pytest.mark.parametrize(
    ("percentage", "audience"),
    [(11, BETA), (10, OTHER_BETA), (5, OTHER_BETA), (0.001, EVERYONE)],
)
def test_a_rollout_in_charge_alone_raises_the_exposure(
    command: Any, percentage: float, audience: Audience
) -> None:
    given(*IN_CHARGE).when(command(percentage=percentage, audience=audience)).then_it_is_refused(
        RolloutInCharge, "checkout-r1"
    )


@pytest.mark.parametrize("command", [ChangeExposure, EnableFlag])
def test_with_a_rollout_in_charge_the_exposure_can_be_lowered(command: Any) -> None:
    for after in (5, 0):
        given(*IN_CHARGE).when(command(percentage=after, audience=BETA)).then(
            exposed(after, BETA, before=10)
        )
    given(*IN_CHARGE).when(command(percentage=10, audience=BETA)).then_nothing_happens()
    given(*IN_CHARGE).when(DisableFlag()).then(disabled)


def test_switched_off_under_a_rollout_it_is_not_switched_on_by_hand() -> None:
    given(*IN_CHARGE, disabled).when(EnableFlag(percentage=1)).then_it_is_refused(RolloutInCharge)


def test_a_wave_switches_on_and_serves_its_audience() -> None:
    given(created, attached).when(wave(10, BETA)).then(
        enabled, exposed(10, BETA)
    ).then_asking_again_changes_nothing()


def test_a_wave_takes_nobody_out() -> None:
    given(created, enabled, exposed(50), attached).when(wave(10)).then_nothing_happens()


def test_a_wave_serves_its_audience_as_planned_though_another_had_its_name() -> None:
    given(created, enabled, exposed(50, OTHER_BETA), attached).when(wave(10, BETA)).then(
        exposed(10, BETA, before=50)
    )


# Restoring

LOWERED = (*IN_CHARGE, exposed(2, BETA, before=10))


@pytest.mark.parametrize("command", [ChangeExposure, EnableFlag])
@pytest.mark.parametrize("percentage", [2.001, 5, 10])
def test_what_was_lowered_can_be_restored_up_to_what_was_granted(
    command: Any, percentage: float
) -> None:
    given(*LOWERED).when(command(percentage=percentage, audience=BETA)).then(
        exposed(percentage, BETA, before=2)
    ).then_asking_again_changes_nothing()


@pytest.mark.parametrize("lowered", [exposed(0, BETA, before=10), exposed(0, OTHER_BETA, 10)])
def test_what_was_lowered_to_nothing_can_be_restored(lowered: Event) -> None:
    given(*IN_CHARGE, lowered).when(ChangeExposure(percentage=10, audience=BETA)).then(
        exposed(10, BETA)
    )


@pytest.mark.parametrize("command", [ChangeExposure, EnableFlag])
@pytest.mark.parametrize(
    ("percentage", "audience"), [(10.001, BETA), (10, OTHER_BETA), (1, OTHER_BETA), (1, EVERYONE)]
)
def test_nothing_more_and_nobody_else_is_restored(
    command: Any, percentage: float, audience: Audience
) -> None:
    given(*LOWERED).when(command(percentage=percentage, audience=audience)).then_it_is_refused(
        RolloutInCharge
    )


def test_what_stood_when_the_rollout_took_charge_can_be_restored() -> None:
    before = (created, enabled, exposed(25), attached, exposed(5, before=25))
    given(*before).when(ChangeExposure(percentage=25)).then(exposed(25, before=5))
    given(*before).when(ChangeExposure(percentage=26)).then_it_is_refused(RolloutInCharge)


def test_switched_off_there_is_nothing_to_restore() -> None:
    for percentage in (0.001, 10):
        given(*IN_CHARGE, disabled).when(
            EnableFlag(percentage=percentage, audience=BETA)
        ).then_it_is_refused(RolloutInCharge)


def test_without_a_rollout_one_is_free_again() -> None:
    given(*LOWERED, detached).when(ChangeExposure(percentage=99, audience=BETA)).then(
        exposed(99, BETA, before=2)
    )


# Whatever is done

steps = st.lists(
    st.builds(
        lambda kind, percentage, audience: (
            kind() if kind is DisableFlag else kind(percentage, audience)
        ),
        st.sampled_from([by_hand, by_hand, off_for, wave, DisableFlag]),
        st.sampled_from([0.001, 2, 10, 25, 100]),
        st.sampled_from([EVERYONE, BETA, OTHER_BETA]),
    ),
    max_size=12,
)


@for_all(st.lists(st.builds(exposed, st.sampled_from([5, 25]), audiences), max_size=2), steps)
def test_by_hand_no_audience_is_ever_served_more_than_the_rollout_granted(
    found: list[Event], steps: list[Any]
) -> None:
    telling = given(created, enabled, *found, attached)
    most = {one.audience: one.percentage for one in telling.state.exposures}
    for step in steps:
        decision = telling.when(step)
        if decision.refusal is not None:
            assert isinstance(decision.refusal, ControlPlaneError)
            continue
        telling = decision.afterwards
        served = {one.audience: one.percentage for one in telling.state.exposures}
        if isinstance(step, EnterWave):
            most[step.audience] = max(most.get(step.audience, 0), served[step.audience])
        if isinstance(step, DisableFlag):
            most = {}
        assert all(share <= most.get(audience, 0) for audience, share in served.items())


@for_all(steps)
def test_what_the_last_wave_granted_can_always_be_restored_while_the_flag_is_on(
    steps: list[Any],
) -> None:
    telling = given(created, attached).when(wave(10, BETA)).afterwards
    for step in steps:
        if not isinstance(step, EnterWave | DisableFlag):
            decision = telling.when(step)
            telling = telling if decision.refusal else decision.afterwards
    restored = telling.when(by_hand(10, BETA)).afterwards.state
    assert restored.exposure_of(BETA) == restored.percentage == 10
