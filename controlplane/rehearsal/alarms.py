"""Taking again what alert rules found, and looking with rules that were not there."""

from collections.abc import Sequence

from controlplane import alerts, flags, rollouts
from controlplane.commands import Abort
from controlplane.reading import Getting
from controlplane.rehearsal.track import Track
from controlplane.rehearsal.turns import Turn
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.rule import Finding, Rule
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.event import Event
from events.flags import FlagDisabled
from events.rollouts import RollbackStarted
from events.timestamps import Timestamp
from projections.alerts import ALERTS, Alert

_WATCHER = "alert-rules"


def alert(track: Track, turn: Turn, told: AlertRaised | AlertResolved) -> None:
    """What a rule that spoke in the record finds here."""
    rule = track.rules()[told.rule]
    finding = track.findings.pop(turn.position, None) or track.find(rule, turn.at)
    decided = _decide(track.rows, track.case.flag, rule, finding, told.judged_at, told.as_of)
    track.compare(turn.at, turn.position, [told], decided)
    went_off = turn.first(RollbackStarted) is not None or turn.first(FlagDisabled) is not None
    rest = [one for one in turn.events if one.event is not told]
    track.happens(decided, turn.events[0])
    if _takes_off(track, rule, decided):
        if went_off and not track.waiting:
            for one in rest:
                track.take(one)
        else:
            _off(track, turn, rule, finding)
    elif not went_off:
        for one in rest:
            track.take(one)
    elif (other := _another(track, turn.at)) is not None and not track.waiting:
        track.depart(turn.at, turn.position, f"off by {rule.name}", f"off by {other.name}")
        for one in rest:
            track.take(one)
    else:
        track.end(
            turn.position - 1,
            turn.at,
            f"{rule.name} took the flag off; here it does not fire: {finding.summary or 'no data'}",
        )


def watch(track: Track, record: Getting, like: Turn, as_of: int) -> None:
    """A look that was not recorded. Where the rules of then would speak too, the record does."""
    flag, now = track.case.flag, like.at
    for rule in track.rules().values():
        finding = track.find(rule, now)
        decided = _decide(track.rows, flag, rule, finding, now, as_of)
        if not decided or (not track.fewer and _speaks_too(record, flag, rule.name, decided, now)):
            continue
        track.happens(decided, like.events[0])
        if isinstance(decided[0], AlertRaised) and rule.severity != "info":
            track.alarms += 1
        if _takes_off(track, rule, decided):
            _off(track, like, rule, finding)
            return


def _decide(
    rows: Getting, flag: str, rule: Rule, finding: Finding, judged_at: Timestamp, as_of: int
) -> Sequence[Event]:
    stands: Alert = rows.get(ALERTS, alert_stream(flag, rule.name))
    report = alerts.Report(rule=rule, flag=flag, finding=finding, judged_at=judged_at, as_of=as_of)
    return alerts.decide(stands, report)


def _speaks_too(
    record: Getting, flag: str, name: str, decided: Sequence[Event], now: Timestamp
) -> bool:
    rule = WATCHED[name]
    finding = looking.judged(rule, looking.watched(record, flag, now))
    would = _decide(record, flag, rule, finding, now, 0)
    return [type(event) for event in would] == [type(event) for event in decided]


def _takes_off(track: Track, rule: Rule, decided: Sequence[Event]) -> bool:
    raised = any(isinstance(event, AlertRaised) for event in decided)
    return raised and rule.disables_flag and track.flag.enabled


def _another(track: Track, now: Timestamp) -> Rule | None:
    """A rule that takes the flag off at this moment, if one does."""
    for rule in {**WATCHED, **track.rulebook.rules}.values():
        if rule.disables_flag and track.find(rule, now).state == "firing":
            return rule
    return None


def _off(track: Track, turn: Turn, rule: Rule, finding: Finding) -> None:
    reason = f"{rule.name}: {finding.summary}"
    if track.case.rollout and track.rollout.is_active:
        abort = Abort(reason=reason, aborted_by=_WATCHER, trigger="alert")
        decided: Sequence[Event] = rollouts.decide(track.rollout, abort, turn.at)
    else:
        decided = flags.decide(track.flag, flags.DisableFlag(reason=reason))
    track.happens(decided, turn.events[0])
    track.stop("rolled_back", turn.position - 1, turn.at, reason)
    track.waiting = False
