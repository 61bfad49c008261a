"""What may be done to an alert."""

from dataclasses import dataclass
from typing import assert_never

from controlplane.errors import AlertClosed, AlertNotFound, InvalidInput
from controlplane.rules.rule import Finding, Rule
from events.alerts import AlertAcknowledged, AlertEvent, AlertRaised, AlertResolved
from events.timestamps import Timestamp
from projections.alerts import Alert


@dataclass(frozen=True, kw_only=True)
class Report:
    """Take note of what a rule found."""

    rule: Rule
    flag: str
    finding: Finding
    judged_at: Timestamp = 0
    as_of: int = 0
    """The log position of what the rule looked at."""


@dataclass(frozen=True, kw_only=True)
class Acknowledge:
    """Say that somebody is on it."""

    alert: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Resolve:
    """Close it by a person's word."""

    alert: str
    reason: str


AlertCommand = Report | Acknowledge | Resolve


def alert_id(flag: str, rule: str, number: int) -> str:
    """`batch-patches-v1/ERROR_RATE_CRITICAL/2`: readable, and the same in every replay."""
    return f"{flag}/{rule}/{number}"


def decide(alert: Alert, command: AlertCommand) -> list[AlertEvent]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    match command:
        case Report():
            return _report(alert, command)
        case Acknowledge(alert=id_, note=note):
            _the_open_one(alert, id_)
            if alert.acknowledged_at is not None:
                return []
            return [AlertAcknowledged(alert=id_, note=note)]
        case Resolve(reason=reason) if not reason.strip():
            raise InvalidInput(reason="say why: resolving an alert needs a reason")
        case Resolve(alert=id_, reason=reason):
            _the_open_one(alert, id_)
            return [_resolved(alert, reason)]
        case _ as unreachable:
            assert_never(unreachable)


def _report(alert: Alert, command: Report) -> list[AlertEvent]:
    """Raise what fires, resolve what is fine. No data changes nothing: it is not good news."""
    finding = command.finding
    if finding.state == "firing" and not alert.open:
        return [
            AlertRaised(
                alert=alert_id(command.flag, command.rule.name, alert.count + 1),
                rule=command.rule.name,
                flag=command.flag,
                severity=command.rule.severity,
                value=finding.value,
                threshold=finding.threshold,
                unit=finding.unit,
                sample=finding.sample,
                summary=finding.summary,
                judged_at=command.judged_at,
                as_of=command.as_of,
            )
        ]
    if finding.state == "ok" and alert.open:
        return [_resolved(alert, finding.summary, command)]
    return []


def _resolved(alert: Alert, reason: str, report: Report | None = None) -> AlertResolved:
    finding = report.finding if report else None
    return AlertResolved(
        alert=alert.id,
        rule=alert.rule,
        flag=alert.flag,
        severity=alert.severity,
        reason=reason,
        value=finding.value if finding else None,
        threshold=finding.threshold if finding else None,
        sample=finding.sample if finding else None,
        judged_at=report.judged_at if report else 0,
        as_of=report.as_of if report else 0,
    )


def _the_open_one(alert: Alert, id_: str) -> None:
    if alert.id != id_:
        raise AlertNotFound(alert=id_)
    if not alert.open:
        raise AlertClosed(alert=id_, reason=alert.resolution or "its condition ended")
