"""What only the machine records, and none of its decisions that told itself led to."""

from collections.abc import Sequence
from typing import Literal

from controlplane import evaluation, taking_off
from controlplane.errors import ControlPlaneError
from controlplane.promotions import promote
from controlplane.reading import Getting
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.overriding import GLASS_BROKEN
from events.alerts import AlertRaised, alert_stream
from events.event import Event, RecordedEvent
from events.flags import FlagDisabled, FlagEvent
from events.incidents import IncidentJoined, IncidentOpened
from events.promotions import ProposalApproved, WavePromoted
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutEvent,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from projections.alerts import ALERTS
from projections.flags import FLAGS
from projections.rollouts import ROLLOUTS

Recorded = RecordedEvent[Event]
_MACHINES = frozenset({evaluation.SCHEDULER, taking_off.WATCHER.id})
_Off = FlagDisabled | RollbackStarted


Account = Literal["follows", "same", "untold", "forged"]
"""It follows from what is accounted for itself, comes out the same when it is taken again, does
not tell what it was made of, or nothing led to it."""


def is_by_machine(recorded: Recorded) -> bool:
    """Whether it goes under the name of the rules, or of the looks at waves."""
    actor = recorded.actor
    return actor.kind in ("scheduler", "system") and actor.id in _MACHINES


def must_be_accounted(recorded: Recorded) -> bool:
    """Whether no person can have recorded it: something must have led to it."""
    match recorded.event:
        case RollbackStarted(trigger=trigger):
            return trigger != "person"
        case IncidentOpened(alert=alert) | IncidentJoined(alert=alert):
            return bool(alert)
        case WavePromoted() | RolloutCompleted() | WaveEntered() | SoakStarted():
            return True
        case event:
            return isinstance(event, FlagEvent | RolloutStarted) and is_by_machine(recorded)


def account(stood: Getting, recorded: Recorded, turn: Sequence[Recorded]) -> Account:
    """What led to it; `stood` is as of the position before, `turn` what was recorded with it."""
    event = recorded.event
    if isinstance(event, WavePromoted):
        return "follows" if _is_approved(stood, event, turn) else "forged"
    if isinstance(event, RolloutStarted):
        armed = stood.get(ROLLOUTS, event.rollout)
        is_due = armed.phase == "armed" and 0 < armed.start_at <= recorded.occurred_at
        return "follows" if is_due else "forged"
    if isinstance(event, RolloutEvent) and not isinstance(event, RollbackStarted):
        return "follows" if any(_leads_on(one.event, event) for one in turn) else "forged"
    cause = next((one.event for one in turn if one.id == recorded.causation_id), None)
    if isinstance(event, IncidentOpened | IncidentJoined):
        # What rules raised was compared with all that came of it: this is of a person's deed.
        by_deed = isinstance(cause, AlertRaised) and cause.rule == GLASS_BROKEN.name
        return "follows" if by_deed else "forged"
    if isinstance(event, FlagEvent) and _changes(cause, event):
        return "follows"
    return _fires_still(stood, recorded, event) if isinstance(event, _Off) else "forged"


def _is_approved(stood: Getting, event: WavePromoted, turn: Sequence[Recorded]) -> bool:
    """By a person just now; or before, and it was a freeze that it waited for."""
    for one in turn:
        if isinstance(one.event, ProposalApproved) and one.event.proposal == event.proposal:
            return True
    rollout = stood.get(ROLLOUTS, event.rollout)
    waits = rollout.proposal
    return waits is not None and waits.state == "delayed" and event in promote(rollout, waits)


def _leads_on(before: Event, event: RolloutEvent) -> bool:
    """Whether a wave, the soak or the end comes of it."""
    match before:
        case WavePromoted(rollout=rollout, to=to):
            ends = isinstance(event, RolloutCompleted)
            return rollout == event.rollout and (to == "completed") == ends
        case RolloutStarted(rollout=rollout):
            return rollout == event.rollout and isinstance(event, WaveEntered)
        case _:
            return False


def _changes(cause: Event | None, event: FlagEvent) -> bool:
    """Whether what became of a rollout, which is accounted for itself, changed its flag."""
    if not isinstance(cause, RolloutEvent) or getattr(cause, "flag", event.flag) != event.flag:
        return False
    return isinstance(cause, RollbackStarted) or not isinstance(event, FlagDisabled)


def _fires_still(stood: Getting, recorded: Recorded, event: _Off) -> Account:
    """A rule takes off what is on again while its alert is open; it does not tell its look."""
    rule = WATCHED.get(event.reason.partition(":")[0])
    if rule is None or not rule.disables_flag or getattr(event, "trigger", "alert") != "alert":
        return "forged"
    flag = stood.get(FLAGS, event.flag)
    if not stood.get(ALERTS, alert_stream(event.flag, rule.name)).open:
        return "forged"
    rollout = stood.get(ROLLOUTS, flag.rollout) if flag.rollout else None
    try:
        if event not in taking_off.decide(flag, rollout, event.reason, recorded.occurred_at):
            return "forged"
    except ControlPlaneError:  # There was nothing left to take off.
        return "forged"
    finding = looking.judged(rule, looking.watched(stood, event.flag, recorded.occurred_at))
    is_same = taking_off.is_due(rule, finding) and taking_off.reason(rule, finding) == event.reason
    return "same" if is_same else "untold"
