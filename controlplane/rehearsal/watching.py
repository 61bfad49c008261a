"""Taking again what alert rules found, and looking with rules that were not there."""

from collections.abc import Iterable, Sequence

from controlplane import alerts, taking_off
from controlplane.reading import Getting
from controlplane.rehearsal.score import gist
from controlplane.rehearsal.track import Track
from controlplane.rehearsal.turns import Recorded, Turn
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.rule import Finding, Rule
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.event import Event
from events.timestamps import Timestamp
from projections.alerts import ALERTS
from projections.flags import FLAGS
from projections.rollouts import ROLLOUTS


def spoke(track: Track, turn: Turn, told: AlertRaised | AlertResolved) -> None:
    """What a rule that spoke in the record finds here."""
    rule = track.rules()[told.rule]
    finding = track.findings.pop(turn.position, None) or track.find(rule, turn.at)
    decided = _decide(track.rows, track.case.flag, rule, finding, told.judged_at, told.as_of)
    track.score.compare(turn.at, turn.position, [told], decided)
    track.happens(decided, turn.events[0])
    _goes_off(track, turn, rule, finding, [one for one in turn.events if one.event is not told])


def took_off(track: Track, turn: Turn, rule: Rule) -> None:
    """A rule took the flag off whose alert had been open already."""
    _goes_off(track, turn, rule, track.find(rule, turn.at), turn.events)


def watch(track: Track, record: Getting, like: Turn, as_of: int, but: str = "") -> None:
    """A look that was not recorded. What the rules of then would do too, the record has done.

    `but`: a rule that spoke at this look, and is taken again where it did.
    """
    flag, now = track.case.flag, like.at
    others = [rule for rule in track.rules().values() if rule.name != but]
    # As they look live: those that switch the flag off come last.
    for rule in sorted(others, key=lambda rule: rule.disables_flag):
        finding = track.find(rule, now)
        decided = _decide(track.rows, flag, rule, finding, now, as_of)
        goes_off = taking_off.is_due(rule, finding) and track.flag.enabled
        if not decided and not goes_off:
            continue
        said, went_off = _recorded(record, flag, rule.name, now)
        alike = [type(event) for event in decided] == said and goes_off == went_off
        if alike and not track.fewer:
            continue
        track.happens(decided, like.events[0])
        only_here = AlertRaised in map(type, decided) and AlertRaised not in said
        if only_here and rule.severity != "info":
            track.score.alerts += 1
            track.score.depart(now, as_of, "nothing", gist(decided))
        if goes_off:
            _off(track, like, rule, finding)
            return


def _decide(
    rows: Getting, flag: str, rule: Rule, finding: Finding, judged_at: Timestamp, as_of: int
) -> Sequence[Event]:
    stands = rows.get(ALERTS, alert_stream(flag, rule.name))
    report = alerts.Report(rule=rule, flag=flag, finding=finding, judged_at=judged_at, as_of=as_of)
    return alerts.decide(stands, report)


def _recorded(
    record: Getting, flag: str, name: str, now: Timestamp
) -> tuple[list[type[Event]], bool]:
    """What the rule of then would say at this look, or has said; and whether it takes it off."""
    rule = WATCHED[name]
    finding = looking.judged(rule, looking.watched(record, flag, now))
    said: list[type[Event]] = [
        type(event) for event in _decide(record, flag, rule, finding, now, 0)
    ]
    if record.get(ALERTS, alert_stream(flag, name)).open and AlertResolved not in said:
        said = said or [AlertRaised]
    return said, taking_off.is_due(rule, finding) and record.get(FLAGS, flag).enabled


def _goes_off(
    track: Track, turn: Turn, rule: Rule, finding: Finding, rest: Iterable[Recorded]
) -> None:
    """Whether the flag goes off where the record took it off, and only there."""
    due = taking_off.is_due(rule, finding) and track.flag.enabled
    another = None if due or not turn.goes_off else _another(track, turn.at)
    if another is not None:
        where = f"off by {another[0].name}"
        track.score.depart(turn.at, turn.position, f"off by {rule.name}", where)
    if track.waiting or not turn.goes_off:
        if due:
            _off(track, turn, rule, finding)
        elif another is not None:
            _off(track, turn, *another)
        elif turn.goes_off:
            _stays_on(track, turn, rule, finding)
    elif not due and another is None:
        _stays_on(track, turn, rule, finding)
    if not track.is_decided and not track.waiting:
        for one in rest:
            track.take(one)


def _stays_on(track: Track, turn: Turn, rule: Rule, finding: Finding) -> None:
    found = finding.summary or "no data"
    reason = f"{rule.name} took the flag off; here it does not fire: {found}"
    track.end(turn.position - 1, turn.at, reason)


def _another(track: Track, now: Timestamp) -> tuple[Rule, Finding] | None:
    """A rule that takes the flag off at this moment, if one does."""
    for rule in {**WATCHED, **track.rulebook.rules}.values():
        finding = track.find(rule, now)
        if taking_off.is_due(rule, finding):
            return rule, finding
    return None


def _off(track: Track, turn: Turn, rule: Rule, finding: Finding) -> None:
    why, flag = taking_off.reason(rule, finding), track.flag
    rollout = track.rows.get(ROLLOUTS, flag.rollout) if flag.rollout else None
    track.happens(taking_off.decide(flag, rollout, why, turn.at), turn.events[0])
    track.stop("rolled_back", turn.position - 1, turn.at, why)
    track.waiting = False
