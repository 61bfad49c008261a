"""An alert, and the incident that it opens or joins, in one transaction."""

from collections.abc import Sequence

from controlplane import incidents
from controlplane.execution import Transaction
from controlplane.rules.catalog import WATCHED
from events.alerts import AlertEvent, AlertRaised, alert_stream
from events.incidents import INCIDENT_STREAM, IncidentOpened
from projections.alerts import ALERTS, Alert
from projections.flags import Flag
from projections.incidents import INCIDENTS, Incidents


def stage_alert(
    transaction: Transaction,
    flag: Flag,
    stream: str,
    decided: Sequence[AlertEvent],
    *,
    cause: str | None = None,
) -> str | None:
    """Stage an alert's events and what follows; the id of the last of its own, or `cause`."""
    caused = transaction.stage(stream, decided, cause=cause, belongs_to=flag.rollout)
    for event in decided:
        if isinstance(event, AlertRaised):
            standing, number = fold_incidents(transaction, flag.name)
            others = _others(transaction, flag.name, stream) if event.severity == "critical" else []
            for one in incidents.follow(
                standing, event, number, flag.rollout, others, transaction.now
            ):
                transaction.stage(INCIDENT_STREAM, [one], cause=caused, belongs_to=one.incident)
    return caused


def _others(transaction: Transaction, flag: str, but: str) -> list[Alert]:
    streams = [alert_stream(flag, rule) for rule in sorted(WATCHED)]
    return [transaction.fold(ALERTS, stream, stream) for stream in streams if stream != but]


def fold_incidents(transaction: Transaction, flag: str) -> tuple[Incidents, int]:
    """The incidents of a flag as the transaction finds them, and the number of the next one.

    As far as decisions need them: who acknowledged, and what became of the flag, is left out.
    """
    told = transaction.read(INCIDENT_STREAM)
    number = 1 + sum(isinstance(event.event, IncidentOpened) for event in told)
    own = [event for event in told if INCIDENTS.key(event) == flag]
    rules = {id_.split("/")[1] for one in INCIDENTS.fold(flag, own).all for id_ in one.alerts}
    for rule in sorted(rules):
        stream = transaction.read(alert_stream(flag, rule))
        own += [event for event in stream if type(event.event) in INCIDENTS.events]
    own.sort(key=lambda event: event.position)
    return INCIDENTS.fold(flag, own), number
