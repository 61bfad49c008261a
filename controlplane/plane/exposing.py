"""Moving an exposure inside a transaction: who may, and what one who acts alone leaves behind."""

from controlplane import alerts, flags
from controlplane.access_errors import RaiseNotPermitted
from controlplane.errors import InvalidInput
from controlplane.execution import Transaction
from controlplane.people import refuse_machines, require_reason
from controlplane.plane.alarms import stage_alert
from controlplane.plane.consequences import refuse_open_alerts
from controlplane.rules.overriding import GLASS_BROKEN
from controlplane.rules.rule import Finding
from events.access import REVIEW_STREAM, GlassBroken
from events.alerts import alert_stream
from events.event import Actor
from events.flags import ExposureChanged, FlagEvent, VariantsDefined, flag_stream
from projections.access import REVIEWS
from projections.alerts import ALERTS
from projections.flags import Flag


def stage_exposure(
    transaction: Transaction,
    flag: Flag,
    command: flags.FlagCommand,
    who: Actor,
    *,
    may_raise: bool = True,
) -> None:
    """Stage what a command leads to. Raises CriticalAlertOpen, RaiseNotPermitted where it raises.

    What a rollout in charge had granted may be restored by whoever may lower it.
    """
    decided = flags.decide(flag, command)
    for event in _raises(flag, decided):
        granted = any(
            grant.audience == event.audience and event.after <= grant.percentage
            for grant in flag.granted
        )
        if not (may_raise or granted):
            raise RaiseNotPermitted(
                actor=who.id, flag=flag.name, served=event.before, audience=event.audience.name
            )
        refuse_open_alerts(transaction, flag.name)
    if any(isinstance(event, VariantsDefined) for event in decided):
        # Another default reaches everybody, though the flag be off.
        refuse_open_alerts(transaction, flag.name)
    transaction.stage(flag_stream(flag.name), decided)


def _raises(flag: Flag, decided: list[FlagEvent]) -> list[ExposureChanged]:
    """Those that let in somebody who was out: another definition of an audience may, too."""
    served = {exposure.audience for exposure in flag.exposures}
    return [
        event
        for event in decided
        if isinstance(event, ExposureChanged)
        and (event.after > event.before or (event.after > 0 and event.audience not in served))
    ]


def break_glass(transaction: Transaction, flag: Flag, command: flags.BreakGlass, who: Actor) -> str:
    """Stage a raise that one person decides alone, its alert and its review; the review's id."""
    refuse_machines(who)
    require_reason("breaking the glass", command.reason)
    decided = flags.decide(flag, command)
    raised = _raises(flag, decided)
    if not raised:
        raise InvalidInput(
            reason="nothing is raised by that, so no glass need be broken: "
            "set the percentage as usual"
        )
    reviews = transaction.fold(REVIEWS, REVIEW_STREAM, REVIEW_STREAM)
    review = f"review-{len(reviews.all) + 1}"
    moved = raised[0]
    broken = GlassBroken(
        review=review,
        flag=flag.name,
        before=moved.before,
        after=moved.after,
        audience=moved.audience.name,
        rollout=flag.rollout,
        reason=command.reason,
    )
    cause = transaction.stage(REVIEW_STREAM, [broken], belongs_to=flag.rollout)
    transaction.stage(flag_stream(flag.name), decided, cause=cause, belongs_to=flag.rollout)
    finding = Finding(
        state="firing",
        value=moved.after / 100,
        threshold=moved.before / 100,
        unit="ratio",
        summary=f"{who.name or who.id} alone raised {moved.audience.name} from {moved.before:g} % "
        f"to {moved.after:g} %: {command.reason}"[:2000],
    )
    stream = alert_stream(flag.name, GLASS_BROKEN.name)
    report = alerts.Report(rule=GLASS_BROKEN, flag=flag.name, finding=finding)
    raised_alert = alerts.decide(transaction.fold(ALERTS, stream, stream), report)
    stage_alert(transaction, flag, stream, raised_alert, cause=cause)
    return review
