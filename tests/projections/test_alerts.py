from events.alerts import AlertAcknowledged, AlertRaised, AlertResolved
from events.event import Actor
from events.timestamps import MINUTE
from projections.alerts import ALERTS, Alert
from tests.projections.recording import START, Told, at, told

STREAM = "alert-checkout-SLOW"


def raised(number: int) -> AlertRaised:
    return AlertRaised(
        alert=f"checkout/SLOW/{number}",
        rule="SLOW",
        flag="checkout",
        severity="warning",
        value=1200,
        threshold=1000,
        unit="ms",
        sample=7,
        summary="slow",
    )


acknowledged = AlertAcknowledged(alert="checkout/SLOW/1", note="mine")
resolved = AlertResolved(
    alert="checkout/SLOW/1", rule="SLOW", flag="checkout", severity="warning", reason="over"
)


def alert_after(*history: Told, actor: Actor | None = None) -> Alert:
    events = told(*history, actor=actor or Actor.person("bob"))
    assert {ALERTS.key(event) for event in events} <= {STREAM}
    return ALERTS.fold(STREAM, events)


def test_before_it_was_ever_raised_it_is_not_open() -> None:
    assert alert_after() == Alert(STREAM)


def test_raised_it_is_open_with_what_the_rule_saw() -> None:
    alert = alert_after(at(MINUTE, raised(1)))
    assert (alert.open, alert.id, alert.count) == (True, "checkout/SLOW/1", 1)
    assert (alert.value, alert.threshold, alert.unit, alert.sample) == (1200, 1000, "ms", 7)
    assert alert.raised_at == START + MINUTE


def test_acknowledged_it_is_open_and_somebody_is_on_it() -> None:
    alert = alert_after(raised(1), at(MINUTE, acknowledged))
    assert alert.open
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("bob", START + MINUTE)


def test_who_has_no_name_is_known_by_id() -> None:
    nameless = Actor(kind="token", id="ci")
    assert alert_after(raised(1), acknowledged, actor=nameless).acknowledged_by == "ci"


def test_resolved_it_is_closed_and_says_why() -> None:
    alert = alert_after(raised(1), acknowledged, at(MINUTE, resolved))
    assert (alert.open, alert.resolution, alert.resolved_at) == (False, "over", START + MINUTE)


def test_raised_again_it_is_another_alert_that_nobody_took() -> None:
    alert = alert_after(raised(1), acknowledged, resolved, raised(2))
    assert (alert.open, alert.id, alert.count) == (True, "checkout/SLOW/2", 2)
    assert (alert.acknowledged_by, alert.resolved_at, alert.resolution) == (None, None, "")
