"""Watching: in which order, when it is over, and that one fault stops nothing else."""

from dataclasses import replace

import pytest

from controlplane import ControlPlane
from controlplane.rules.catalog import RULES, WATCHED
from events.errors import LogUnavailable
from events.event import Actor, NewEvent
from events.rollouts import RolloutArmed, RolloutDrafted, RolloutSubmitted, rollout_stream
from events.timestamps import HOUR, SECOND
from tests.journeys.traffic import ENGINEER, FLAG, Service, batch, plan


def open_rules(service: Service) -> set[str]:
    return {alert.rule for alert in service.plane.alerts.watch()}


def test_what_switches_the_flag_off_is_judged_last(served: Service) -> None:
    served.runs(40, failed=30, ms=1500, violations={"atomic": 1})
    served.plane.alerts.watch()
    raised = [one.event.rule for one in served.plane.events(type="alert.raised")]
    assert set(raised[:-1]) == {"SLOW_BATCH_DETECTED", "ERROR_RATE_WARNING", "HIGH_VIOLATION_RATE"}
    assert RULES[raised[-1]].disables_flag


def test_with_the_flag_off_all_but_the_critical_alerts_are_over(served: Service) -> None:
    served.runs(40, failed=30, ms=1500)
    assert len(open_rules(served)) == 3
    assert open_rules(served) == {"ERROR_RATE_CRITICAL"}
    resolved = served.plane.events(type="alert.resolved")
    assert {one.event.rule for one in resolved} == {"SLOW_BATCH_DETECTED", "ERROR_RATE_WARNING"}
    assert {one.event.reason for one in resolved} == {"the flag is off"}


def test_it_takes_twenty_clean_executions_to_say_it_is_over(served: Service) -> None:
    rule = "SLOW_BATCH_DETECTED"
    served.runs(1, ms=1500)
    assert rule in open_rules(served)
    served.clock.advance(HOUR + SECOND)
    served.runs(19)
    assert rule in open_rules(served)
    served.runs(1)
    assert rule not in open_rules(served)


def broken(*_: object) -> None:
    raise ZeroDivisionError


def test_one_faulty_rule_does_not_stop_the_others(
    served: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "SLOW_BATCH_DETECTED"
    monkeypatch.setitem(WATCHED, rule, replace(WATCHED[rule], judge=broken))
    served.runs(40, failed=30, ms=1500)
    assert open_rules(served) == {"ERROR_RATE_CRITICAL", "ERROR_RATE_WARNING"}


@pytest.fixture
def pair(plane: ControlPlane) -> ControlPlane:
    """Two flags, both at 50 %."""
    for name in ("another", FLAG):
        plane.flags.create(name, owner="patch-team", actor=ENGINEER)
        plane.flags.enable(name, percentage=50, actor=ENGINEER)
    return plane


def test_one_faulty_flag_does_not_stop_the_others(
    pair: ControlPlane, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch = pair.alerts._watch_flag
    monkeypatch.setattr(
        pair.alerts, "_watch_flag", lambda name: broken() if name == "another" else watch(name)
    )
    pair.executions.record([batch(failed=True) for _ in range(20)])
    assert "ERROR_RATE_CRITICAL" in {alert.rule for alert in pair.alerts.watch()}
    assert "another could not be watched; the others are" in caplog.messages


def test_one_faulty_rollout_does_not_stop_the_others(
    pair: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    good = pair.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    drafted = RolloutDrafted(
        rollout="another-r1",
        flag="another",
        attempt=1,
        waves=1,
        plan={"nobody": "reads this"},
        plan_hash="x",
        requested_by=ENGINEER,
    )
    due = RolloutSubmitted(rollout="another-r1", submitted_by=ENGINEER, start_at=1)
    armed = RolloutArmed(rollout="another-r1")
    new = [
        NewEvent(
            stream=rollout_stream("another-r1"),
            event=event,
            id=f"00000000-0000-0000-0000-00000000fff{number}",
            occurred_at=pair.clock(),
            actor=Actor.person(ENGINEER),
        )
        for number, event in enumerate((drafted, due, armed))
    ]
    pair.log.append(new)
    assert [one.id for one in pair.rollouts.evaluate_all()] == [good.id]
    assert "another-r1 could not be judged; the others are" in caplog.messages


def test_where_the_log_is_gone_watching_and_evaluating_say_so(
    pair: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)

    def gone(*_: object) -> None:
        raise LogUnavailable(cause="unplugged")

    monkeypatch.setattr(pair.alerts, "_watch_flag", gone)
    monkeypatch.setattr(pair.rollouts, "evaluate", gone)
    for look in (pair.alerts.watch, pair.rollouts.evaluate_all):
        with pytest.raises(LogUnavailable, match="unplugged"):
            look()
