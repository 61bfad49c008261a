"""What a rollout's events mean for its flag, in the same transaction."""

from collections.abc import Sequence

from controlplane import commands, flags, rollouts
from controlplane.access_errors import SameReviewer
from controlplane.errors import CriticalAlertOpen, SamePerson
from controlplane.execution import Transaction
from controlplane.people import is_one_of
from controlplane.rules.catalog import WATCHED
from controlplane.rules.overriding import GLASS_BROKEN
from controlplane.stages import consequences
from events.access import REVIEW_STREAM
from events.alerts import alert_stream
from events.event import Actor, Event
from events.flags import flag_stream
from events.judgements import JudgementEvent, WaveJudged, judgement_stream
from events.rollouts import RolloutEvent, Trigger, rollout_stream
from projections.access import REVIEWS
from projections.alerts import ALERTS, Alert
from projections.flags import FLAGS, Flag
from projections.precedents import kinds_before
from projections.rollouts import ROLLOUTS, Rollout


def stage_rollout(
    transaction: Transaction,
    rollout: str,
    events: Sequence[RolloutEvent],
    flag: Flag,
    *,
    cause: str | None = None,
) -> None:
    """Stage a rollout's events, each followed by what it means for the flag.

    What a look decides is caused by the judgement that is recorded with it.
    """
    looked: str | None = None
    for event in events:
        found = isinstance(event, JudgementEvent)
        stream = judgement_stream(rollout) if found else rollout_stream(rollout)
        led_to = cause if kinds_before(event) else cause or looked
        caused = transaction.stage(stream, [event], cause=led_to, belongs_to=rollout)
        if isinstance(event, WaveJudged):
            looked = caused
        for command in consequences(event):
            decided = flags.decide(flag, command)
            transaction.stage(flag_stream(flag.name), decided, cause=caused, belongs_to=rollout)


def switch_off(
    transaction: Transaction,
    flag: Flag,
    reason: str,
    *,
    by: str,
    trigger: Trigger = "person",
    cause: str | None = None,
) -> None:
    """Disable a flag; the rollout in charge, if any, is thereby rolled back."""
    if flag.rollout is None:
        events: Sequence[Event] = flags.decide(flag, flags.DisableFlag(reason=reason))
        transaction.stage(flag_stream(flag.name), events, cause=cause)
        return
    rollout = fold_rollout(transaction, flag.rollout)
    abort = commands.Abort(reason=reason, aborted_by=by, trigger=trigger)
    decided = rollouts.decide(rollout, abort, transaction.now)
    stage_rollout(transaction, rollout.id, decided, flag, cause=cause)


def refuse_open_alerts(transaction: Transaction, flag: str) -> None:
    """Raise CriticalAlertOpen where one is; should one be raised meanwhile, nothing is appended."""
    for rule in WATCHED.values():
        if rule.severity == "critical":
            stream = alert_stream(flag, rule.name)
            alert = transaction.fold(ALERTS, stream, stream)
            if alert.open:
                raise CriticalAlertOpen(alert=alert.id, flag=flag, summary=alert.summary)


def refuse_asker_of_rollout(transaction: Transaction, alert: Alert, who: Actor) -> None:
    """Raise SamePerson where somebody would silence what holds up the rollout they asked for.

    Raises SameReviewer where they broke the glass themselves, and nobody has reviewed it.
    """
    if alert.rule == GLASS_BROKEN.name:
        for review in transaction.fold(REVIEWS, REVIEW_STREAM, REVIEW_STREAM).all:
            own = is_one_of(who.id, [review.opened_by])
            if own and review.flag == alert.flag and review.closed_at is None:
                raise SameReviewer(actor=who.id, review=review.id)
    flag = fold_flag(transaction, alert.flag)
    if alert.severity != "critical" or flag.rollout is None:
        return
    rollout = fold_rollout(transaction, flag.rollout)
    if is_one_of(who.id, rollout.askers):
        raise SamePerson(actor=who.id, rollout=rollout.id)


def fold_flag(transaction: Transaction, flag: str) -> Flag:
    """The flag as the transaction finds it."""
    return transaction.fold(FLAGS, flag_stream(flag), flag)


def fold_rollout(transaction: Transaction, rollout: str) -> Rollout:
    """The rollout as the transaction finds it: what was decided, and the latest judgement."""
    streams = (rollout_stream(rollout), judgement_stream(rollout))
    return transaction.fold_with_latest(ROLLOUTS, rollout, *streams, WaveJudged.TYPE)
