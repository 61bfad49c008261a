"""Alerts: each of the eight rules is raised and resolved by looking, and says what it saw."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from controlplane.rules.catalog import RULES
from events.alerts import AlertRaised, AlertResolved, Severity, alert_stream
from events.timestamps import HOUR, MINUTE, SECOND
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Service, plan, resolve_all

MIB = 2**20


@dataclass
class Case:
    trouble: Callable[[Service], object]
    cure: Callable[[Service], object]
    severity: Severity
    value: float
    threshold: float
    unit: str
    sample: int


def enabled_again(service: Service, batches: int) -> None:
    service.clock.advance(SECOND)
    resolve_all(service.plane)
    service.plane.flags.enable(FLAG, percentage=50, actor=ENGINEER, reason="fixed")
    service.runs(batches)


def later(service: Service, minutes: int, batches: int) -> None:
    service.clock.advance(minutes * MINUTE)
    service.runs(batches)


def memory(service: Service, growth_bytes: int, base: int = 100 * MIB) -> None:
    for block in range(21):
        service.clock.advance(SECOND)
        service.runs(4, memory_current_bytes=base + block * growth_bytes, instance="host:1")


def stalls(service: Service) -> None:
    service.plane.flags.disable(FLAG, actor=ENGINEER)
    service.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    service.clock.advance(2 * HOUR + SECOND)


CASES = {
    "INVARIANT_VIOLATION_DETECTED": Case(
        lambda service: service.runs(1, violations={"atomic": 1}),
        lambda service: enabled_again(service, 20),
        *("critical", 1, 0, "violations", 1),
    ),
    "ERROR_RATE_CRITICAL": Case(
        lambda service: service.runs(20, failed=15),
        lambda service: enabled_again(service, 30),
        *("critical", 0.75, 0.2, "ratio", 20),
    ),
    "MEMORY_LEAK_DETECTED": Case(
        lambda service: memory(service, 4 * MIB),
        lambda service: memory(service, 0, 20 * MIB),
        *("critical", 76 * MIB, 32 * MIB, "bytes", 20),
    ),
    "SLOW_BATCH_DETECTED": Case(
        lambda service: service.runs(1, ms=1500),
        lambda service: later(service, 6, 20),
        *("warning", 1500, 1000, "ms", 1),
    ),
    "ERROR_RATE_WARNING": Case(
        lambda service: service.runs(100, failed=18),
        lambda service: later(service, 16, 100),
        *("warning", 0.18, 0.05, "ratio", 100),
    ),
    "HIGH_VIOLATION_RATE": Case(
        lambda service: service.runs(1, violations={"atomic": 4, "in_bounds": 7}),
        lambda service: enabled_again(service, 20),
        *("warning", 11, 10, "violations", 1),
    ),
    "TELEMETRY_STALE": Case(
        lambda service: service.clock.advance(16 * MINUTE),
        lambda service: service.runs(1),
        *("info", 960, 900, "seconds", 0),
    ),
    "WAVE_STALLED": Case(
        stalls,
        lambda service: service.plane.rollouts.abort(f"{FLAG}-r1", actor=ON_CALL, reason="no"),
        *("info", 7201, 7200, "seconds", 0),
    ),
}


def spoken(service: Service, rule: str) -> list[AlertRaised | AlertResolved]:
    return [one.event for one in service.plane.events(stream=alert_stream(FLAG, rule))]


def test_there_is_a_case_for_every_rule() -> None:
    assert CASES.keys() == RULES.keys()


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_is_raised_and_resolved_by_watching(served: Service, rule: str) -> None:
    case = CASES[rule]
    served.plane.alerts.watch()
    assert spoken(served, rule) == []
    case.trouble(served)
    assert rule in {alert.rule for alert in served.plane.alerts.watch()}
    (raised,) = spoken(served, rule)
    assert raised.alert == f"{FLAG}/{rule}/1"
    assert (raised.severity, raised.unit) == (case.severity, case.unit)
    assert raised.value == pytest.approx(case.value)
    assert (raised.threshold, raised.sample) == (case.threshold, case.sample)
    assert raised.summary
    case.cure(served)
    assert rule not in {alert.rule for alert in served.plane.alerts.watch()}
    _, resolved = spoken(served, rule)
    assert (resolved.alert, resolved.severity) == (raised.alert, case.severity)
    assert resolved.reason


@pytest.mark.parametrize("rule", CASES)
def test_looking_again_says_nothing_new(served: Service, rule: str) -> None:
    CASES[rule].trouble(served)
    served.plane.alerts.watch()
    served.plane.alerts.watch()  # It may tell that the flag is off now.
    head = served.plane.head()
    for _ in range(3):
        served.plane.alerts.watch()
    assert served.plane.head() == head


@pytest.mark.parametrize("rule", ["ERROR_RATE_CRITICAL", "INVARIANT_VIOLATION_DETECTED"])
def test_these_switch_the_flag_off_in_the_same_append(served: Service, rule: str) -> None:
    CASES[rule].trouble(served)
    served.plane.alerts.watch()
    (raised,) = served.plane.events(type="alert.raised", newest_first=True, limit=1)
    after = [event.type for event in served.plane.events(after=raised.position)]
    assert (after[0], after[-1]) == ("incident.opened", "flag.disabled")
    (disabled,) = served.plane.events(newest_first=True, limit=1)
    assert disabled.causation_id == raised.id
    assert disabled.recorded_at == raised.recorded_at
    assert disabled.event.reason == f"{rule}: {raised.event.summary}"
    assert raised.actor.id == disabled.actor.id == "alert-rules"
    assert served.share() == 0


@pytest.mark.parametrize(
    "rule", ["MEMORY_LEAK_DETECTED", "SLOW_BATCH_DETECTED", "ERROR_RATE_WARNING", "TELEMETRY_STALE"]
)
def test_the_others_leave_the_flag_on(served: Service, rule: str) -> None:
    CASES[rule].trouble(served)
    served.plane.alerts.watch()
    assert served.plane.flags.get(FLAG).enabled


@pytest.mark.parametrize(("failed", "of"), [(1, 1), (2, 3), (1, 4), (0, 0)])
def test_a_handful_of_batches_raises_nothing(served: Service, failed: int, of: int) -> None:
    served.runs(of, failed=failed)
    assert served.plane.alerts.watch() == []


def test_silence_does_not_resolve_an_alert(served: Service) -> None:
    served.runs(100, failed=18)
    served.plane.alerts.watch()
    served.clock.advance(3 * HOUR)
    assert "ERROR_RATE_WARNING" in {alert.rule for alert in served.plane.alerts.watch()}


def test_the_old_path_raises_nothing(served: Service) -> None:
    served.runs(50, failed=50, cohort="off", ms=5000, violations={"atomic": 1})
    assert served.plane.alerts.watch() == []


def test_somebody_takes_an_alert_and_closes_it(served: Service) -> None:
    served.runs(1, ms=1500)
    (alert,) = served.plane.alerts.watch()
    taken = served.plane.alerts.acknowledge(alert.id, actor=ON_CALL, note="looking")
    assert (taken.open, taken.acknowledged_by) == (True, ON_CALL)
    head = served.plane.head()
    served.plane.alerts.acknowledge(alert.id, actor="somebody else")
    assert served.plane.head() == head
    closed = served.plane.alerts.resolve(alert.id, actor=ON_CALL, reason="one outlier")
    assert (closed.open, closed.resolution) == (False, "one outlier")
    with pytest.raises(Exception, match="was resolved already: one outlier"):
        served.plane.alerts.acknowledge(alert.id, actor=ON_CALL)


def test_closed_by_hand_while_it_holds_it_is_raised_anew(served: Service) -> None:
    served.runs(1, ms=1500)
    (alert,) = served.plane.alerts.watch()
    served.plane.alerts.resolve(alert.id, actor=ON_CALL, reason="wishful")
    (again,) = served.plane.alerts.watch()
    assert again.id == f"{FLAG}/SLOW_BATCH_DETECTED/2"


@pytest.mark.parametrize("id_", ["", "a/b", f"{FLAG}/SLOW_BATCH_DETECTED/9", "x/Y/1", "a/b/c/d"])
def test_an_alert_that_never_was_cannot_be_taken(served: Service, id_: str) -> None:
    for act in (
        lambda: served.plane.alerts.get(id_),
        lambda: served.plane.alerts.acknowledge(id_, actor=ON_CALL),
        lambda: served.plane.alerts.resolve(id_, actor=ON_CALL, reason="?"),
    ):
        with pytest.raises(Exception, match="There is no alert"):
            act()
