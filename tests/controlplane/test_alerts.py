from typing import Any

import pytest

from controlplane import alerts
from controlplane.alerts import Acknowledge, Report, Resolve
from controlplane.errors import AlertClosed, AlertNotFound, InvalidInput
from controlplane.rules.failures import ERROR_RATE_CRITICAL
from controlplane.rules.rule import NO_DATA, Finding
from events.alerts import AlertAcknowledged, AlertRaised, AlertResolved, alert_stream
from projections.alerts import ALERTS
from tests.controlplane.decider import Decider

STREAM = alert_stream("checkout", "ERROR_RATE_CRITICAL")
FIRST, SECOND = (f"checkout/ERROR_RATE_CRITICAL/{number}" for number in (1, 2))

given = Decider(ALERTS, STREAM, lambda alert, command, _now: alerts.decide(alert, command)).given

acknowledged = AlertAcknowledged(alert=FIRST, note="mine")


def report(state: Any) -> Report:
    finding = Finding(
        state=state, value=0.5, threshold=0.2, unit="ratio", sample=10, summary="5 of 10"
    )
    return Report(
        rule=ERROR_RATE_CRITICAL,
        flag="checkout",
        finding=NO_DATA if state == "no_data" else finding,
    )


def raised(alert: str = FIRST) -> AlertRaised:
    return AlertRaised(
        alert=alert,
        rule="ERROR_RATE_CRITICAL",
        flag="checkout",
        severity="critical",
        value=0.5,
        threshold=0.2,
        unit="ratio",
        sample=10,
        summary="5 of 10",
    )


def resolved(reason: str, **found: Any) -> AlertResolved:
    return AlertResolved(
        alert=FIRST,
        rule="ERROR_RATE_CRITICAL",
        flag="checkout",
        severity="critical",
        reason=reason,
        **found,
    )


def test_what_fires_is_raised_once() -> None:
    given().when(report("firing")).then(raised()).then_asking_again_changes_nothing()
    given(raised(), acknowledged).when(report("firing")).then_nothing_happens()


def test_what_fires_again_is_another_alert() -> None:
    given(raised(), resolved("over")).when(report("firing")).then(raised(SECOND))


def test_what_is_fine_again_is_resolved_by_the_rule() -> None:
    found = resolved("5 of 10", value=0.5, threshold=0.2, sample=10)
    given(raised()).when(report("ok")).then(found).then_asking_again_changes_nothing()


@pytest.mark.parametrize("history", [[], [raised(), resolved("over")]])
def test_what_was_fine_stays_fine(history: Any) -> None:
    given(*history).when(report("ok")).then_nothing_happens()


@pytest.mark.parametrize(
    "history", [[], [raised()], [raised(), acknowledged], [raised(), resolved("over")]]
)
def test_no_data_changes_nothing(history: Any) -> None:
    given(*history).when(report("no_data")).then_nothing_happens()


def test_the_first_to_acknowledge_has_it() -> None:
    given(raised()).when(Acknowledge(alert=FIRST, note="mine")).then(
        acknowledged
    ).then_asking_again_changes_nothing()
    given(raised(), acknowledged).when(
        Acknowledge(alert=FIRST, note="me too")
    ).then_nothing_happens()


@pytest.mark.parametrize("history", [[raised()], [raised(), acknowledged]])
def test_a_person_may_resolve_it(history: Any) -> None:
    given(*history).when(Resolve(alert=FIRST, reason="fixed")).then(resolved("fixed"))


@pytest.mark.parametrize("reason", ["", " ", "\t\n"])
def test_who_resolves_it_says_why(reason: str) -> None:
    given(raised()).when(Resolve(alert=FIRST, reason=reason)).then_it_is_refused(
        InvalidInput, "needs a reason"
    )


def test_resolved_by_a_person_it_keeps_no_numbers() -> None:
    (event,) = given(raised()).when(Resolve(alert=FIRST, reason="fixed")).events
    assert (event.value, event.threshold, event.sample) == (None, None, None)


COMMANDS = [Acknowledge(alert=FIRST), Resolve(alert=FIRST, reason="fixed")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_alert_says_why_it_is_closed(command: Any) -> None:
    given(raised(), resolved("over")).when(command).then_it_is_refused(AlertClosed, "already: over")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("history", [[], [raised(), resolved("over"), raised(SECOND)]])
def test_only_the_latest_alert_of_a_rule_can_be_acted_on(history: Any, command: Any) -> None:
    given(*history).when(command).then_it_is_refused(AlertNotFound, FIRST)
