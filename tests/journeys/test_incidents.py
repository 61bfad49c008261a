"""From the first bad batch to the last word about it: an incident, and all that belongs to it."""

import pytest

from controlplane import ControlPlane
from controlplane.errors import FlagNotFound
from controlplane.incident_errors import IncidentIsOpen, IncidentNotFound, IncidentNotOver
from events.timestamps import HOUR, MINUTE, SECOND, to_iso
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, batch, resolve_all


@pytest.fixture
def failing(rolling: Rolling) -> Rolling:
    """Wave 1, healthy for an hour, then all batches fail for two minutes."""
    clock, service = rolling.service.clock, rolling.service
    clock.advance(HOUR)
    service.runs(120, over=HOUR)
    rolling.plane.tick()
    clock.advance(2 * MINUTE)
    service.runs(60, failed=60, over=2 * MINUTE)
    rolling.plane.tick()
    return rolling


@pytest.fixture
def on_the_minute(service: Service) -> Service:
    """The flag is off, and a minute begins."""
    service.clock.advance(MINUTE - service.clock.now % MINUTE)
    return service


def test_a_critical_alert_opens_one_in_the_same_transaction(failing: Rolling) -> None:
    plane = failing.plane
    (incident,) = plane.incidents.open()
    assert (incident.id, incident.flag, incident.rollout) == ("INC-1", FLAG, failing.id)
    (raised,) = (
        e
        for e in plane.events(type="alert.raised")
        if e.event.severity == "critical"  # type: ignore[attr-defined]  # why: alerts alone are asked for
    )
    (opened,) = plane.events(type="incident.opened")
    assert opened.causation_id == raised.id
    assert opened.recorded_at == raised.recorded_at
    assert opened.correlation_id == "INC-1"
    assert incident.alerts[0] == raised.event.alert  # type: ignore[attr-defined]  # why: it is an alert
    assert incident.mitigated_at == incident.opened_at, "the rule switched the flag off"


def test_its_report_tells_who_did_what_and_how_fast(failing: Rolling) -> None:
    plane, clock = failing.plane, failing.service.clock
    (incident,) = plane.incidents.open()
    clock.advance(3 * MINUTE)
    plane.alerts.acknowledge(incident.alerts[0], actor=ON_CALL, note="reading the errors")
    plane.incidents.note("INC-1", "only inserts fail", actor=ON_CALL)
    plane.tick()
    clock.advance(MINUTE)
    resolve_all(plane)
    clock.advance(MINUTE)
    closed = plane.incidents.close("INC-1", actor=ON_CALL, reason="off by one in the normalizer")
    report = plane.incidents.report("INC-1")
    assert report.incident == closed == plane.incidents.get("INC-1")
    took = {measure.name: measure for measure in report.measures}
    assert took["detect"].took_us is not None
    assert 0 <= took["detect"].took_us <= 3 * MINUTE
    assert took["acknowledge"].took_us == 3 * MINUTE
    assert took["mitigate"].took_us == 0
    assert (took["rollback"].took_us, took["rollback"].met) == (0, True)
    assert took["recover"].took_us == 3 * MINUTE, "when the rollback was confirmed"
    names = [event.type for event in report.timeline]
    assert "execution.batch_executed" not in names
    told = [
        *("alert.raised", "incident.opened", "rollout.rollback_started", "flag.disabled"),
        *("alert.acknowledged", "incident.noted", "rollout.rolled_back"),
        *("alert.resolved", "incident.closed"),
    ]
    assert [name for name in names if name in told and names.count(name) == 1] == [
        name for name in told if names.count(name) == 1
    ]
    assert set(told) <= set(names)
    assert names[-1] == "incident.closed"
    assert plane.incidents.open() == []
    assert [one.id for one in plane.incidents.all()] == ["INC-1"]


def test_a_change_shortly_before_belongs_to_it(served_flag: ControlPlane) -> None:
    plane = served_flag
    plane.executions.record([batch(violations={"order": 1})])
    plane.alerts.watch()
    report = plane.incidents.report("INC-1")
    assert [e.type for e in report.timeline][:2] == ["flag.created", "flag.enabled"]


@pytest.fixture
def served_flag(plane: ControlPlane) -> ControlPlane:
    """A flag without a rollout, at 50 %."""
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    return plane


def test_alerts_within_a_quarter_of_an_hour_are_one_incident_and_later_ones_another(
    failing: Rolling,
) -> None:
    plane, clock = failing.plane, failing.service.clock
    plane.tick()
    resolve_all(plane)
    plane.incidents.close("INC-1", actor=ON_CALL, reason="mended")
    clock.advance(5 * MINUTE)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    clock.advance(SECOND)
    failing.service.runs(1, violations={"order": 1})
    plane.alerts.watch()
    (again,) = plane.incidents.open()
    assert again.id == "INC-1"
    assert again.alerts[-1].startswith(f"{FLAG}/INVARIANT_VIOLATION_DETECTED")
    with pytest.raises(IncidentNotOver):
        plane.incidents.close("INC-1", actor=ON_CALL, reason="mended")
    resolve_all(plane)
    clock.advance(20 * MINUTE)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    clock.advance(SECOND)
    failing.service.runs(1, violations={"order": 1})
    plane.alerts.watch()
    assert [(one.id, one.is_open) for one in plane.incidents.all()] == [
        ("INC-2", True),
        ("INC-1", True),  # Recovered, but nobody has said that it is over.
    ]


def test_one_that_was_opened_by_hand_gathers_the_alerts_that_follow(
    served_flag: ControlPlane,
) -> None:
    plane = served_flag
    opened = plane.incidents.declare(FLAG, actor=ON_CALL, reason="customers call")
    assert (opened.id, opened.opened_by, opened.alerts) == ("INC-1", ON_CALL, ())
    with pytest.raises(IncidentIsOpen):
        plane.incidents.declare(FLAG, actor=ON_CALL, reason="once more")
    plane.executions.record([batch(violations={"order": 1})])
    plane.alerts.watch()
    assert len(plane.incidents.get("INC-1").alerts) >= 1
    report = plane.incidents.report("INC-1")
    assert report.began_at is None, "a person was faster than the rules"
    assert report.incident.acknowledged_by == ON_CALL


def test_what_is_not_there_is_refused(served_flag: ControlPlane) -> None:
    with pytest.raises(FlagNotFound):
        served_flag.incidents.declare("nonsense", actor=ON_CALL, reason="x")
    for ask in (served_flag.incidents.get, served_flag.incidents.report):
        with pytest.raises(IncidentNotFound, match="no incident INC-9"):
            ask("INC-9")


def test_incidents_of_several_flags_are_numbered_in_a_row(served_flag: ControlPlane) -> None:
    plane = served_flag
    for name in ("a", "b"):
        plane.flags.create(name, owner="x", actor=ENGINEER)
        plane.incidents.declare(name, actor=ON_CALL, reason="odd")
    plane.executions.record([batch(violations={"order": 1})])
    plane.alerts.watch()
    assert [(one.id, one.flag) for one in plane.incidents.all()] == [
        *(("INC-3", FLAG), ("INC-2", "b"), ("INC-1", "a"))
    ]


def test_as_of_a_moment_they_are_as_they_were(failing: Rolling) -> None:
    plane, clock = failing.plane, failing.service.clock
    at = to_iso(clock.now)
    clock.advance(HOUR)
    plane.tick()
    resolve_all(plane)
    plane.incidents.close("INC-1", actor=ON_CALL, reason="mended")
    past = plane.as_of(at).incidents
    assert past.get("INC-1").is_open
    assert [one.id for one in past.open()] == ["INC-1"]
    with pytest.raises(IncidentNotFound):
        plane.as_of(1).incidents.get("INC-1")
    changes = {c.fact: (c.before, c.after) for c in plane.diff(at, plane.head().position).changes}
    assert changes["INC-1"] == ("open", "closed")


def test_what_people_did_about_it_later_stands_in_the_timeline_of_its_rollout(
    failing: Rolling,
) -> None:
    plane, clock = failing.plane, failing.service.clock
    clock.advance(MINUTE)
    plane.tick()
    assert failing.now.is_final, "the rollback was confirmed"
    clock.advance(HOUR)
    resolve_all(plane)
    plane.incidents.close("INC-1", actor=ON_CALL, reason="mended")
    told = [one.event.type for one in plane.audit.timeline(failing.id)]
    assert told[-2:] == ["alert.resolved", "incident.closed"]
    report = plane.audit.report(failing.id)
    assert [e.type for e in report.dossier.incidents][-1] == "incident.closed"
    assert report.dossier.alerts[-1].type == "alert.resolved"


def test_trouble_began_with_the_first_execution_that_failed(on_the_minute: Service) -> None:
    """Not with its minute, in which the flag was not even on."""
    plane, clock = on_the_minute.plane, on_the_minute.clock
    clock.advance(10 * SECOND)
    before = batch(violations={"order": 1}, occurred_at=clock.now)  # Of an earlier exposure.
    clock.advance(40 * SECOND)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    clock.advance(2 * SECOND)
    on_the_minute.runs(1)
    plane.executions.record([before])
    clock.advance(SECOND)
    began = clock.now
    on_the_minute.runs(1, violations={"order": 1})
    clock.advance(SECOND)
    plane.alerts.watch()
    report = plane.incidents.report("INC-1")
    (detect,) = [one for one in report.measures if one.name == "detect"]
    assert (report.began_at, detect.took_us) == (began, SECOND)
