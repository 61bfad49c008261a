"""Flags with monitoring: what is off is turned away, what is on is measured."""

import pytest

from events.flags import Audience, Condition
from tests.journeys.traffic import ENGINEER, FLAG, Service

INTERNAL = Audience("internal", (Condition("group", "equals", "internal"),))


def test_while_the_flag_is_off_rejections_are_tracked(service: Service) -> None:
    service.rejects(7)
    total = service.plane.metrics.total(FLAG)
    assert (total.rejected, total.executions, total.error_rate) == (7, 0, None)


def test_while_the_flag_is_on_executions_are_tracked(service: Service) -> None:
    service.plane.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    service.serves(9)
    total = service.plane.metrics.total(FLAG)
    assert (total.succeeded, total.failed, total.rejected) == (9, 0, 0)


def test_every_user_is_counted_on_the_path_they_took(served: Service) -> None:
    served.serves(400)
    on, off = (served.plane.metrics.total(FLAG, cohort).executions for cohort in ("on", "off"))
    assert on + off == 400
    assert on == pytest.approx(200, abs=60)


@pytest.mark.parametrize("percentage", [0, 10, 25, 50, 100])
def test_percentages_scale(service: Service, percentage: float) -> None:
    service.plane.flags.enable(FLAG, percentage=percentage, actor=ENGINEER)
    assert service.share() == pytest.approx(percentage, abs=4)


def test_raising_the_percentage_takes_nobody_out(service: Service) -> None:
    inside: set[str] = set()
    service.plane.flags.enable(FLAG, percentage=0, actor=ENGINEER)
    for percentage in (10, 25, 50, 100):
        service.plane.flags.set_percentage(FLAG, percentage, actor=ENGINEER)
        now = {user.id for user in service.users if service.enabled(user)}
        assert inside < now
        inside = now


def test_an_audience_gets_its_share_and_nobody_else_any(service: Service) -> None:
    service.plane.flags.enable(FLAG, percentage=50, audience=INTERNAL, actor=ENGINEER)
    assert service.share(group="internal") == pytest.approx(50, abs=8)
    assert service.share(group="beta") == service.share(group="public") == 0


def test_disabling_reaches_everyone_at_once(served: Service) -> None:
    served.plane.flags.disable(FLAG, actor="on-call", reason="feels wrong")
    assert served.share() == 0


def test_a_users_answer_is_the_same_every_time(served: Service) -> None:
    answers = [[served.enabled(user) for user in served.users] for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
