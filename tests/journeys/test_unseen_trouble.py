"""Trouble that no rule was running to see, or that is told of late, counts all the same."""

import pytest

from events.timestamps import DAY, MINUTE
from tests.journeys.traffic import Rolling, Service


def test_a_violation_that_no_rule_saw_rolls_back_at_the_next_look(rolling: Rolling) -> None:
    rolling.service.runs(1, violations={"atomic": 1})
    rolling.service.clock.advance(40 * MINUTE)
    rolling.service.runs(200, over=39 * MINUTE)
    rolling.plane.tick()
    assert rolling.plane.alerts.all() == []
    assert rolling.now.state == "rolling_back"
    assert rolling.now.reason == "critical_alerts: 1 invariant violations; need none"
    (back,) = rolling.plane.events(type="rollout.rollback_started")
    assert back.event.trigger == "criterion"
    assert rolling.service.share() == 0


def test_a_violation_of_the_old_path_rolls_nothing_back(rolling: Rolling) -> None:
    rolling.service.runs(1, violations={"atomic": 1}, cohort="off")
    rolling.plane.tick()
    assert rolling.now.state == "entering"


def test_a_violation_is_answered_for_by_its_own_rollout_only(rolling: Rolling) -> None:
    rolling.service.runs(1, violations={"atomic": 1})
    rolling.plane.rollouts.evaluate_all()
    rolling.service.clock.advance(MINUTE)
    rolling.plane.rollouts.start(flag=rolling.now.flag, actor="somebody")
    again, before = rolling.plane.rollouts.evaluate_all()
    assert (again.attempt, again.state) == (2, "entering")
    assert (before.attempt, before.state) == (1, "rolled_back")


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("INVARIANT_VIOLATION_DETECTED", {"violations": {"atomic": 1}}),
        ("ERROR_RATE_CRITICAL", {"failed": 15}),
    ],
)
@pytest.mark.parametrize("late", [16 * MINUTE, 2 * DAY])
def test_telemetry_that_comes_late_raises_what_it_shows(
    served: Service, rule: str, facts: dict[str, object], late: int
) -> None:
    happened = served.clock.now
    served.clock.advance(late)
    served.runs(20, occurred_at=happened, **facts)
    assert rule in {alert.rule for alert in served.plane.alerts.watch()}
    assert served.share() == 0


MIB = 2**20


def replicas(served: Service, memory: dict[str, int], growth: int = 0, count: int = 4) -> set[str]:
    """So much memory of each instance, over 40 looks; the rules that were raised meanwhile."""
    raised = set()
    for step in range(40):
        for instance, mib in memory.items():
            used = (mib + step * growth * (instance == "host:1")) * MIB
            served.runs(count, memory_current_bytes=used, instance=instance)
        served.clock.advance(20 * 1_000_000)
        raised |= {alert.rule for alert in served.plane.alerts.watch()}
    return raised


def test_two_healthy_replicas_of_unlike_size_are_no_leak(served: Service) -> None:
    assert replicas(served, {"host:1": 110, "host:2": 300}) == set()


def test_a_replica_that_joins_later_and_is_larger_is_no_leak(served: Service) -> None:
    assert replicas(served, {"host:1": 110}) == set()
    assert replicas(served, {"host:1": 110, "host:2": 300}) == set()
    assert replicas(served, {"host:2": 300}) == set()


def test_one_instance_that_leaks_beside_a_healthy_one_is_a_leak(served: Service) -> None:
    assert replicas(served, {"host:1": 110, "host:2": 300}, 4) == {"MEMORY_LEAK_DETECTED"}
    (alert,) = served.plane.alerts.open()
    assert "memory floor of host:1 moved by +" in alert.summary


def test_the_memory_of_who_gives_no_name_is_not_judged(served: Service) -> None:
    for step in range(40):
        served.runs(4, memory_current_bytes=(110 + 4 * step) * MIB)
        served.clock.advance(1_000_000)
        assert served.plane.alerts.watch() == []
