"""Who may approve, and what no approval overrides."""

from collections.abc import Callable

import pytest

from controlplane import ControlPlane
from controlplane.errors import (
    AlreadyExposed,
    CriticalAlertOpen,
    InvalidInput,
    NotAPerson,
    SamePerson,
)
from events.alerts import AlertRaised, alert_stream
from events.event import Actor, NewEvent
from events.flags import Audience, Condition
from events.timestamps import HOUR, SECOND
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, plan

MIB = 2**20
INTERNAL = Audience("internal", (Condition("group", "equals", "internal"),))


@pytest.mark.parametrize("kind", ["system", "scheduler"])
def test_no_part_of_the_control_plane_approves(rolling: Rolling, kind: str) -> None:
    proposal = rolling.propose()
    with pytest.raises(NotAPerson, match="only people"):
        rolling.plane.rollouts.approve(proposal, actor=Actor(kind=kind, id="robot"))
    assert rolling.now.state == "proposed"


@pytest.mark.parametrize("kind", ["person", "token"])
def test_a_person_approves_in_person_or_by_token(rolling: Rolling, kind: str) -> None:
    proposal = rolling.propose()
    assert rolling.plane.rollouts.approve(proposal, actor=Actor(kind=kind, id="bob")).wave == 2


@pytest.mark.parametrize("name", ["Ana", " ANA", "ａｎａ"])  # noqa: RUF001  why: the point
@pytest.mark.parametrize("kind", ["person", "token"])
def test_another_spelling_makes_no_other_person(service: Service, kind: str, name: str) -> None:
    rollout = service.plane.rollouts.start(plan(), flag=FLAG, actor="ana").id
    proposal = Rolling(service, rollout).propose(1)
    with pytest.raises(SamePerson):
        service.plane.rollouts.approve(proposal, actor=Actor(kind=kind, id=name))
    assert service.plane.rollouts.get(rollout).state == "proposed"


def serves_internal_users_only(service: Service) -> None:
    """As much as wave 1 plans, by hand."""
    service.plane.flags.set_percentage(FLAG, 0, actor=ENGINEER)
    service.plane.flags.set_percentage(FLAG, 10, audience=INTERNAL, actor=ENGINEER)


def leaks(service: Service) -> None:
    """Memory grows: a critical alert, once somebody watches, that leaves the flag on."""
    for block in range(21):
        service.clock.advance(SECOND)
        facts = {"instance": "host:1", "memory_current_bytes": (100 + 4 * block) * MIB}
        service.runs(4, **facts)


def test_a_critical_alert_that_is_open_refuses_approval(rolling: Rolling) -> None:
    proposal = rolling.propose()
    leaks(rolling.service)
    rolling.plane.alerts.watch()
    with pytest.raises(CriticalAlertOpen, match="MEMORY_LEAK_DETECTED"):
        rolling.approve(proposal)
    assert rolling.now.wave == 1


def meanwhile(plane: ControlPlane, patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen between the next decision and its append."""
    append = plane.log.append

    def late(*arguments: object, **options: object) -> object:
        patch.setattr(plane.log, "append", append)
        act()
        return append(*arguments, **options)

    patch.setattr(plane.log, "append", late)


def test_a_critical_alert_raised_during_an_approval_refuses_it(
    rolling: Rolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = rolling.propose()
    leaks(rolling.service)
    meanwhile(rolling.plane, monkeypatch, rolling.plane.alerts.watch)
    with pytest.raises(CriticalAlertOpen):
        rolling.plane.rollouts.approve(proposal, actor=ON_CALL)
    assert rolling.now.wave == 1


def test_a_critical_alert_raised_during_a_start_refuses_it(
    served: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves_internal_users_only(served)
    leaks(served)
    meanwhile(served.plane, monkeypatch, served.plane.alerts.watch)
    with pytest.raises(CriticalAlertOpen):
        served.plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    assert served.plane.rollouts.all() == []


def test_a_wave_begins_with_the_critical_alerts_that_are_open(served: Service) -> None:
    """One of a rule that only another release knows, here."""
    alert = f"{FLAG}/NOT_KNOWN_HERE/1"
    raised = AlertRaised(
        alert=alert,
        rule="NOT_KNOWN_HERE",
        flag=FLAG,
        severity="critical",
        value=1,
        threshold=0,
        unit="x",
        sample=1,
        summary="x",
    )
    new = NewEvent(
        stream=alert_stream(FLAG, "NOT_KNOWN_HERE"),
        event=raised,
        id="00000000-0000-0000-0000-00000000ffff",
        occurred_at=served.clock.now,
        actor=Actor.system("another release"),
    )
    served.plane.log.append([new])
    serves_internal_users_only(served)
    rollout = served.plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    assert served.plane.rollouts.status(rollout.id).evidence.critical_alerts == [alert]
    served.plane.rollouts.evaluate_all()
    assert served.plane.rollouts.get(rollout.id).state == "rolling_back"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_rejection_needs_a_reason(rolling: Rolling, reason: str) -> None:
    proposal = rolling.propose()
    with pytest.raises(InvalidInput, match="a rejection needs a reason"):
        rolling.plane.rollouts.reject(proposal, actor=ON_CALL, reason=reason)
    assert rolling.now.state == "proposed"


def test_a_flag_that_serves_more_than_wave_1_plans_is_not_rolled_out(served: Service) -> None:
    with pytest.raises(AlreadyExposed, match="serves 50 % of everyone already, more than the 0 %"):
        served.plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    assert served.plane.rollouts.all() == []


def test_what_was_lowered_by_hand_is_restored_by_hand_up_to_what_was_granted(
    rolling: Rolling,
) -> None:
    flags = rolling.plane.flags
    flags.set_percentage(FLAG, 4, audience=INTERNAL, actor=ON_CALL)
    with pytest.raises(Exception, match="is in charge"):
        flags.set_percentage(FLAG, 10.001, audience=INTERNAL, actor=ON_CALL)
    with pytest.raises(Exception, match="is in charge"):
        flags.set_percentage(FLAG, 4, actor=ON_CALL)
    for percentage in (7, 3, 10):
        flags.set_percentage(FLAG, percentage, audience=INTERNAL, actor=ON_CALL)
        assert flags.get(FLAG).exposure_of(INTERNAL) == percentage
    assert rolling.approve(rolling.propose()).wave == 2


def test_what_an_earlier_wave_granted_can_be_restored_in_a_later_one(rolling: Rolling) -> None:
    rolling.advance_to(3)
    flags = rolling.plane.flags
    for audience, granted in ((INTERNAL, 10), (Audience("everyone"), 50)):
        flags.set_percentage(FLAG, 0, audience=audience, actor=ON_CALL)
        with pytest.raises(Exception, match="is in charge"):
            flags.set_percentage(FLAG, granted + 1, audience=audience, actor=ON_CALL)
        flags.set_percentage(FLAG, granted, audience=audience, actor=ON_CALL)
        assert flags.get(FLAG).exposure_of(audience) == granted
    assert rolling.service.clock.now - rolling.now.started_at >= 72 * HOUR
