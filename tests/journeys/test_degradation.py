"""Graceful degradation and recovery: bad news switches off, good news must be fresh."""

import pytest

from controlplane.errors import CriticalAlertOpen
from events.alerts import alert_stream
from events.timestamps import MINUTE, SECOND
from tests.journeys.traffic import ENGINEER, ENOUGH, FLAG, ON_CALL, Rolling, Service, resolve_all


def test_high_errors_disable_the_flag_and_roll_back(rolling: Rolling) -> None:
    rolling.service.runs(20, failed=15)
    rolling.plane.tick()
    found = rolling.plane.events(newest_first=True, limit=6)[::-1]
    assert [event.type for event in found] == [
        "alert.raised",
        "incident.opened",
        "incident.joined",  # The warning that came first.
        "rollout.rollback_started",
        "flag.disabled",
        "flag.rollout_detached",
    ]
    raised, opened, joined, back, *flag = found
    assert opened.causation_id == joined.causation_id == raised.id
    assert back.causation_id == raised.id
    assert {event.causation_id for event in flag} == {back.id}
    assert (rolling.now.state, back.event.trigger) == ("rolling_back", "alert")
    assert rolling.service.share() == 0


def test_a_failed_criterion_rolls_back_by_itself(rolling: Rolling) -> None:
    rolling.service.runs(ENOUGH, failed=36)  # 18 %: no critical alert, but far above 5 %.
    rolling.plane.rollouts.evaluate_all()
    started = rolling.plane.events(type="rollout.rollback_started")
    assert [one.event.trigger for one in started] == ["criterion"]
    assert "36 of 200 failed = 18.0 %" in rolling.now.reason.replace("%", " %")
    assert not rolling.plane.flags.get(FLAG).enabled


def test_a_critical_alert_of_any_kind_rolls_back(rolling: Rolling) -> None:
    for block in range(21):
        rolling.service.clock.advance(SECOND)
        facts = {"instance": "host:1", "memory_current_bytes": (100 + 4 * block) * 2**20}
        rolling.service.runs(4, **facts)
    rolling.plane.tick()
    assert [alert.rule for alert in rolling.plane.alerts.open()] == ["MEMORY_LEAK_DETECTED"]
    assert rolling.now.state == "rolling_back"
    assert "MEMORY_LEAK_DETECTED" in rolling.now.reason


def broken(service: Service) -> Service:
    service.runs(20, failed=15)
    service.plane.tick()
    assert not service.plane.flags.get(FLAG).enabled
    return service


def enabled_again(service: Service) -> None:
    service.clock.advance(MINUTE)
    resolve_all(service.plane)
    service.plane.flags.enable(FLAG, percentage=50, actor=ENGINEER, reason="fixed")


def test_enabled_again_after_the_fix_it_stays_on(served: Service) -> None:
    enabled_again(broken(served))
    for _ in range(5):
        served.plane.tick()
        assert served.plane.flags.get(FLAG).enabled, "switched off on old evidence"
        served.runs(20)
        served.clock.advance(10 * SECOND)
    assert served.plane.alerts.open() == []


def test_still_broken_it_is_switched_off_again_on_fresh_evidence(served: Service) -> None:
    enabled_again(broken(served))
    served.runs(2, failed=2)
    served.plane.tick()
    assert served.plane.flags.get(FLAG).enabled, "two batches are no evidence"
    served.runs(18, failed=13)
    served.plane.tick()
    flag = served.plane.flags.get(FLAG)
    assert not flag.enabled
    off = served.plane.events(type="flag.disabled")
    stream = alert_stream(FLAG, "ERROR_RATE_CRITICAL")
    raised = served.plane.events(stream=stream, type="alert.raised")
    assert [one.causation_id for one in off] == [one.id for one in raised]
    assert len(raised) == 2


def test_batches_from_before_the_fix_that_arrive_late_change_nothing(served: Service) -> None:
    late = served.clock.now
    enabled_again(broken(served))
    served.runs(50, failed=50, occurred_at=late)
    served.plane.tick()
    assert served.plane.flags.get(FLAG).enabled


def test_by_hand_nothing_is_raised_while_a_critical_alert_is_open(served: Service) -> None:
    broken(served)
    with pytest.raises(CriticalAlertOpen, match="before you resolve it"):
        served.plane.flags.enable(FLAG, percentage=1, actor=ENGINEER)
    assert served.share() == 0


def test_no_rollout_starts_while_a_critical_alert_is_open(served: Service) -> None:
    broken(served)
    with pytest.raises(Exception, match="before you resolve it"):
        served.plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    alert = served.plane.alerts.open()[0]
    served.plane.alerts.resolve(alert.id, actor=ON_CALL, reason="off by one, fixed")
    assert served.plane.rollouts.start(flag=FLAG, actor=ENGINEER).wave == 1


def test_errors_of_the_old_path_roll_nothing_back(rolling: Rolling) -> None:
    rolling.service.runs(ENOUGH, failed=ENOUGH, cohort="off")
    rolling.service.runs(50)
    rolling.plane.tick()
    assert rolling.now.state == "observing"
