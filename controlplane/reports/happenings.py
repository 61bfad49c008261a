"""What else happened: agreements, interventions, alerts, freezes, and how it was rolled back."""

from collections.abc import Iterable, Iterator, Sequence

from controlplane.durations import rough_duration
from controlplane.plane.lineages import Recorded
from controlplane.reports.blocks import AnyCell, Block, Cell, Facts, Heading, Table, Text, Tone
from controlplane.reports.contents import Report
from controlplane.sentences import sentence
from events.access import GlassBroken, ReviewClosed
from events.alerts import AlertAcknowledged, AlertRaised, AlertResolved
from events.flags import FlagEvent, RolloutAttached, RolloutDetached
from events.interventions import InterventionEvent, ItemSignedOff
from events.promotions import PromotionProposed
from events.rollouts import (
    RollbackStalled,
    RollbackStarted,
    RolloutRolledBack,
    StartApproved,
    StartRejected,
)
from events.timestamps import Timestamp, to_iso
from projections.audit import Deed

_TONES: dict[str, Tone] = {"critical": "bad", "warning": "warn", "info": "quiet"}


def approval(report: Report) -> Iterator[Block]:
    """Of the start."""
    about = StartApproved | StartRejected
    start = [one for one in report.dossier.decided if isinstance(one.event, about)]
    yield Heading("Approval of the start")
    yield _deeds(report.deeds(start), "asked by", "None was given.")


def happenings(report: Report) -> Iterator[Block]:
    """What did not belong to one stage alone."""
    dossier = report.dossier
    yield from _rollback(dossier.decided)
    yield Heading("Interventions")
    yield _deeds(report.deeds(_interventions(report)), "agreed by", "Nobody had to intervene.")
    yield Heading("Alerts")
    yield _alerts(dossier.alerts)
    if dossier.incidents:
        yield Heading("Incidents", 3)
        yield _deeds(report.deeds(dossier.incidents), "agreed by", "")
    yield Heading("Freezes")
    yield _deeds(report.deeds(dossier.freezes), "agreed by", "No freeze was declared meanwhile.")
    yield Heading("Exposure")
    taken = (RolloutAttached, RolloutDetached)
    moved = [
        one
        for one in dossier.flag
        if isinstance(one.event, FlagEvent) and not isinstance(one.event, taken)
    ]
    yield _deeds(report.deeds(moved), "agreed by", "The flag was not touched.")


def _interventions(report: Report) -> list[Recorded]:
    dossier = report.dossier
    found = [
        one
        for one in dossier.decided
        if (isinstance(one.event, InterventionEvent) and not isinstance(one.event, ItemSignedOff))
        or (isinstance(one.event, PromotionProposed) and one.event.kind == "skip")
    ]
    alone = [one for one in dossier.reviews if isinstance(one.event, GlassBroken | ReviewClosed)]
    return sorted([*found, *alone], key=lambda one: one.position)


def _deeds(deeds: Sequence[Deed], behind: str, empty: str) -> Table:
    rows = [
        (
            deed.event.position,
            moment(deed.event.occurred_at),
            who(deed.event),
            by_token(deed),
            sentence(deed.event.event),
            ", ".join(deed.behind.asked if behind == "asked by" else deed.behind.agreed),
        )
        for deed in deeds
    ]
    return Table(("position", "time", "by", "by token", "what", behind), rows, empty)


def _alerts(events: Iterable[Recorded]) -> Table:
    """One line an alert, from its rise to its end."""
    rows: dict[str, list[AnyCell]] = {}
    for one in events:
        match one.event:
            case AlertRaised() as raised:
                rows[raised.alert] = [
                    one.position,
                    moment(one.occurred_at),
                    Cell(raised.severity, _TONES[raised.severity]),
                    raised.alert,
                    raised.summary,
                    "",
                    Cell("open", "bad"),
                ]
            case AlertAcknowledged(alert=alert) if alert in rows:
                rows[alert][5] = f"{one.actor.id}, {moment(one.occurred_at)}"
            case AlertResolved(alert=alert, reason=reason) if alert in rows:
                rows[alert][6] = f"{one.actor.id}, {moment(one.occurred_at)}: {reason}"
            case _:
                pass
    columns = ("position", "raised", "severity", "alert", "because", "acknowledged", "resolved")
    return Table(columns, list(rows.values()), "None was open while it ran.")


def _rollback(decided: Iterable[Recorded]) -> Iterator[Block]:
    facts: list[tuple[str, AnyCell]] = []
    for one in decided:
        at = f"{moment(one.occurred_at)} (position {one.position})"
        match one.event:
            case RollbackStarted(trigger=trigger, reason=reason):
                facts += [
                    ("Triggered by", f"{trigger}: {who(one)}"),
                    ("Because", reason),
                    ("Flag off", at),
                ]
            case RollbackStalled(reports=reports):
                stalled = f"{reports} executions of the new code were reported since: {at}"
                facts.append(("Stalled", Cell(stalled, "bad")))
            case RolloutRolledBack(confirmed_by=by, took_us=took):
                last = rough_duration(took) if took else "0 s"
                facts.append(("Confirmed by", f"{by}, {at}; the last report of it after {last}"))
            case _:
                pass
    yield Heading("Rollback")
    yield Facts(facts) if facts else Text("It was not rolled back.", "quiet")


def some(count: int, what: str) -> str:
    """`1 approval`, `2 approvals`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def moment(at: Timestamp | None) -> str:
    """To the second, in UTC; empty where it has not been."""
    return to_iso(at)[:19].replace("T", " ") + " UTC" if at else ""


def who(event: Recorded) -> str:
    """By id, and of which kind where it is no person."""
    actor = event.actor
    return actor.id if actor.kind in ("person", "token") else f"{actor.id} ({actor.kind})"


def by_token(deed: Deed) -> str:
    """The token that a command came with, and from where."""
    if deed.command is None:
        return ""
    sent = deed.command.event
    return f"{sent.token or 'open'} from {sent.address}"
