"""What opens an incident, what joins it, who closes it, and how fast it was dealt with."""

from typing import Any

import pytest

from controlplane.errors import InvalidInput, NotAPerson
from controlplane.incident_errors import (
    IncidentIsClosed,
    IncidentIsOpen,
    IncidentNotFound,
    IncidentNotOver,
)
from controlplane.incidents import (
    CloseIncident,
    IncidentCommand,
    NoteIncident,
    OpenIncident,
    began,
    decide,
    follow,
    is_bad,
    measures,
)
from events import Actor, Event
from events.alerts import AlertRaised, AlertResolved
from events.flags import FlagDisabled
from events.incidents import IncidentClosed, IncidentJoined, IncidentNoted, IncidentOpened
from events.rollouts import RollbackStarted, RolloutRolledBack
from events.timestamps import HOUR, MINUTE, SECOND
from projections.alerts import Alert
from projections.incidents import INCIDENTS, Incident, Incidents
from projections.metrics import Tally
from tests.projections.recording import START, at, execution, told

A1, A2 = "checkout/ERROR_RATE_CRITICAL/1", "checkout/SLOW_BATCH_DETECTED/1"
ALICE, SCHEDULER = Actor.person("alice"), Actor(kind="scheduler", id="evaluation")


def raised(alert: str = A1, severity: str = "critical", **facts: Any) -> AlertRaised:
    flag, rule, _ = alert.split("/")
    facts = {"value": 0.4, "threshold": 0.2, "unit": "ratio", "sample": 60} | facts
    return AlertRaised(
        alert=alert,
        rule=rule,
        flag=flag,
        severity=severity,  # type: ignore[arg-type]  # why: one of them
        summary="24 of 60 executions failed",
        **facts,
    )


def resolved(alert: str = A1) -> AlertResolved:
    flag, rule, _ = alert.split("/")
    return AlertResolved(alert=alert, rule=rule, flag=flag, severity="critical", reason="fixed")


OPENED = IncidentOpened(
    incident="INC-1",
    flag="checkout",
    severity="critical",
    reason="24 of 60 executions failed",
    alert=A1,
)
BY_HAND = IncidentOpened(
    incident="INC-1", flag="checkout", severity="warning", reason="odd totals", alert=""
)
CLOSED = IncidentClosed(incident="INC-1", flag="checkout", reason="mended")


def given(*history: Any) -> Incidents:
    return INCIDENTS.fold("checkout", told(*history))


def the(*history: Any) -> Incident:
    return given(*history).all[0]


def followed(
    history: list[Any], alert: AlertRaised, after: int = 0, others: tuple[Alert, ...] = ()
) -> list[Event]:
    return [*follow(given(*history), alert, 7, "checkout-r1", others, START + after)]


JOINED = IncidentJoined(incident="INC-1", flag="checkout", alert=A2, severity="warning")


def test_a_critical_alert_opens_the_next_one() -> None:
    assert followed([], raised()) == [
        IncidentOpened(
            incident="INC-7",
            flag="checkout",
            severity="critical",
            reason="24 of 60 executions failed",
            alert=A1,
            rollout="checkout-r1",
        )
    ]


def test_a_warning_alone_opens_none() -> None:
    assert followed([], raised(A2, "warning")) == []


@pytest.mark.parametrize(
    ("history", "after", "joins"),
    [
        ([OPENED], 0, True),
        ([OPENED], 5 * HOUR, True),  # Its alert is open: it goes on.
        ([OPENED, at(HOUR, resolved())], HOUR + 14 * MINUTE, True),
        ([OPENED, at(HOUR, resolved())], HOUR + 15 * MINUTE, False),
        ([OPENED, resolved(), at(HOUR, CLOSED)], HOUR + 14 * MINUTE, True),
        ([OPENED, resolved(), at(HOUR, CLOSED)], HOUR + 15 * MINUTE, False),
        ([BY_HAND], 5 * HOUR, True),  # A person has not said that it is over.
        ([BY_HAND, at(HOUR, CLOSED)], 2 * HOUR, False),
    ],
)
def test_what_follows_soon_is_of_the_same_trouble(
    history: list[Any], after: int, *, joins: bool
) -> None:
    assert followed(history, raised(A2, "warning"), after) == ([JOINED] if joins else [])
    (event,) = followed(history, raised(), after)
    assert isinstance(event, IncidentJoined if joins else IncidentOpened)


def test_warnings_that_were_open_shortly_before_are_of_it() -> None:
    def warning(raised_at: int, *, is_open: bool = True) -> Alert:
        return Alert("s", id=A2, severity="warning", open=is_open, raised_at=START + raised_at)

    others = (warning(0), warning(-20 * MINUTE), warning(0, is_open=False), Alert("never"))
    opened, *joined = followed([], raised(), after=MINUTE, others=others)
    assert isinstance(opened, IncidentOpened)
    assert joined == [IncidentJoined(**{**_fields(JOINED), "incident": "INC-7"})]


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_what_joins_opens_it_again() -> None:
    one = the(OPENED, resolved(), CLOSED, at(MINUTE, JOINED))
    assert one.is_open
    assert (one.resolution, one.recovered_at, one.open_alerts) == ("", None, (A2,))
    assert one.severity == "critical", "the worst of its alerts"


def deciding(history: list[Any], command: IncidentCommand) -> list[Any]:
    return [*decide(given(*history), command, 7)]


def test_a_person_opens_one_by_hand_and_has_taken_it_thereby() -> None:
    command = OpenIncident(reason="odd totals", severity="warning", rollout=None)
    (opened,) = deciding([], command)
    assert (opened.incident, opened.alert, opened.reason) == ("INC-7", "", "odd totals")
    assert the(BY_HAND).acknowledged_at == START
    with pytest.raises(IncidentIsOpen, match="INC-1 is open on flag checkout already"):
        deciding([OPENED], command)
    assert deciding([OPENED, resolved(), CLOSED], command)
    with pytest.raises(InvalidInput, match="opening an incident needs a reason"):
        deciding([], OpenIncident(reason=" ", severity="critical", rollout=None))


def test_notes_are_kept_with_who_and_when() -> None:
    (noted,) = deciding([OPENED], NoteIncident(incident="INC-1", note="only inserts fail"))
    one = the(OPENED, at(MINUTE, noted))
    assert [(n.by, n.note, n.at) for n in one.notes] == [
        ("alice", "only inserts fail", START + MINUTE)
    ]
    assert deciding([OPENED, resolved(), CLOSED], NoteIncident(incident="INC-1", note="a test"))
    with pytest.raises(InvalidInput, match="a note needs a reason"):
        deciding([OPENED], NoteIncident(incident="INC-1", note=""))
    with pytest.raises(IncidentNotFound):
        deciding([OPENED], NoteIncident(incident="INC-2", note="x"))


def test_people_close_it_with_a_reason_once_its_alerts_are_resolved() -> None:
    close = CloseIncident(incident="INC-1", reason="mended", closed_by=ALICE)
    with pytest.raises(IncidentNotOver, match=f"alert {A1} is open"):
        deciding([OPENED], close)
    assert deciding([OPENED, resolved()], close) == [CLOSED]
    assert deciding([BY_HAND], close) == [CLOSED]
    with pytest.raises(IncidentIsClosed, match="mended"):
        deciding([BY_HAND, CLOSED], close)
    with pytest.raises(NotAPerson):
        deciding([BY_HAND], CloseIncident(incident="INC-1", reason="mended", closed_by=SCHEDULER))
    with pytest.raises(InvalidInput, match="closing an incident needs a reason"):
        deciding([BY_HAND], CloseIncident(incident="INC-1", reason="", closed_by=ALICE))


def took(one: Incident, began_at: int | None = None, now: int = START) -> dict[str, Any]:
    return {m.name: (m.took_us, m.met) for m in measures(one, began_at, now)}


def test_each_step_is_held_against_its_target() -> None:
    one = the(
        OPENED,
        at(0, FlagDisabled(flag="checkout", reason="")),
        at(
            0,
            RollbackStarted(rollout="checkout-r1", flag="checkout", trigger="alert", reason="x"),
        ),
        at(
            20 * SECOND,
            RolloutRolledBack(
                rollout="checkout-r1", flag="checkout", confirmed_by="reports", took_us=31 * SECOND
            ),
        ),
    )
    assert took(one, START - 2 * MINUTE, START + HOUR) == {
        "detect": (2 * MINUTE, True),
        "acknowledge": (None, False),  # An hour has passed.
        "mitigate": (0, True),
        "recover": (20 * SECOND, True),
        "rollback": (31 * SECOND, False),
    }


def test_what_has_not_happened_is_late_only_once_its_time_is_over() -> None:
    one = the(OPENED)
    soon, later = took(one, now=START + 4 * MINUTE), took(one, now=START + 16 * MINUTE)
    assert set(soon.values()) == {(None, None)}
    assert {name for name, (_, met) in later.items() if met is False} == {
        *("acknowledge", "mitigate", "recover")
    }


def minutes(*failed: int | None) -> list[tuple[int, Tally]]:
    """Tallies of ten executions a minute, ending with the present one; None: nothing ran."""
    found = []
    for number, count in enumerate(failed):
        tally = Tally()
        for place in range(10):
            tally.add(execution(failed=count is not None and place < count), START)
        if count is not None:
            found.append((START + (number + 1 - len(failed)) * MINUTE, tally))
    return found


@pytest.mark.parametrize(
    ("failed", "since"),
    [
        ((0, 0, 5, 5, 5), -2),
        ((5, 0, 5, 5, 5), -2),
        ((5, None, 5), -2),  # Silence is no better minute.
        ((0, 5, 5, 0), -2),  # The minute that has just begun says little.
        ((0, 0, 0), None),
        ((), None),
    ],
)
def test_trouble_began_with_the_first_bad_minute_that_led_up_to_the_alert(
    failed: tuple[int | None, ...], since: int | None
) -> None:
    found = began(raised(), START + SECOND, minutes(*failed))
    assert found == (None if since is None else START + since * MINUTE)


@pytest.mark.parametrize(("unit", "facts"), [("ms", {"ms": 2000}), ("violations", {})])
def test_slowness_and_violations_are_told_by_minutes_too(unit: str, facts: Any) -> None:
    tally = Tally()
    violations = {"order": 1} if unit == "violations" else {}
    tally.add(execution(**facts, violations=violations), START)
    threshold = 1000.0 if unit == "ms" else 0.0
    alert = raised(unit=unit, threshold=threshold)
    assert began(alert, START, [(START, tally)]) == START
    assert began(raised(unit="bytes"), START, [(START, tally)]) is None


def test_a_note_is_an_event_of_its_flag() -> None:
    note = IncidentNoted(incident="INC-1", flag="checkout", note="x")
    assert INCIDENTS.key(told(note)[0]) == "checkout"


@pytest.mark.parametrize(
    ("unit", "facts"),
    [("ratio", {"failed": True}), ("violations", {"violations": {"order": 1}}), ("ms", {"ms": 9})],
)
def test_an_execution_is_bad_by_the_measure_of_the_alert(unit: str, facts: Any) -> None:
    alert = raised(unit=unit, threshold=5.0)
    assert is_bad(alert, execution(**facts))
    assert not is_bad(alert, execution(cohort="off", **facts)), "the old code's is another matter"
    assert not is_bad(alert, execution(ms=1))
    assert not is_bad(raised(unit="bytes", threshold=0.0), execution(**facts))
