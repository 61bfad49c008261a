"""Going through one case once, with every rulebook beside the record.

Nothing that was recorded later is known to an earlier decision: a recorded look is taken again as
of the log position that it names; a look in between, as of what was recorded by then. Such a look
counts only where the rules that were in force would have decided otherwise on it: what both come
to, the record has at its own look.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from controlplane import evaluation
from controlplane.looks import look_at
from controlplane.reading import world_of
from controlplane.rehearsal import watching, waves
from controlplane.rehearsal.outcomes import Case, Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.track import Track, beginning
from controlplane.rehearsal.turns import Recorded, Turn, turns
from controlplane.rules.catalog import WATCHED
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.executions import BatchExecuted, execution_stream
from events.judgements import WaveJudged, judgement_stream
from events.log import Query
from events.promotions import PromotionProposed
from events.rollouts import RollbackStarted
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.replay import History
from projections.rollouts import ROLLOUTS
from projections.timelines import about, stretch

EVERY_US = MINUTE
"""How often a control plane looks, unless it is told otherwise."""
HEARD_US = 15 * MINUTE
"""When nothing was recorded for so long, looks in between are an hour apart."""

_FARTHEST = 2**63 - 1

Progress = Callable[[int, int], None]


class _Decision(NamedTuple):
    """One that was recorded; they are taken again in this order."""

    as_of: int
    position: int
    at: Timestamp
    rule: str = ""
    """Which one spoke; empty: it is a look at a wave."""


class Walk:
    """One case, and a track for each rulebook."""

    def __init__(
        self,
        history: History,
        case: Case,
        rulebooks: Sequence[Rulebook],
        every_us: int = EVERY_US,
    ) -> None:
        self._history = history
        self._case = case
        self._every_us = every_us
        self._record = beginning(history, case)
        self._tracks = [Track(history, case, one) for one in rulebooks]
        self._pending = sorted(self._decisions(), reverse=True)
        self._last: Recorded | None = None
        self._next_look: Timestamp = 0
        self._went_off: Timestamp | None = None
        self._failed = 0

    def go(self, progress: Progress = lambda _done, _of: None) -> list[Outcome]:
        """To the end of it. `progress` is called with positions done, and positions in all."""
        case, log = self._case, self._history.log
        for item in turns(about(case.flag, stretch(log, case.start, case.end))):
            first = item.events[0] if isinstance(item, Turn) else item
            self._see(first.position - 1)
            if first.recorded_at > self._next_look:
                self._look_in_between(first.recorded_at)
            if isinstance(item, Turn):
                progress(first.position - case.start, case.end - case.start)
                self._turn(item)
            else:
                for track in self._tracks:
                    track.take(item)
                self._record.step(item)
                self._failed += self._has_failed(item)
                self._last = item
        if self._last is not None and not case.ended_at:
            self._look_in_between(self._last.recorded_at + self._every_us)  # The next one.
        self._count_late()
        progress(case.end - case.start, case.end - case.start)
        return [track.score.outcome(self._went_off, self._failed) for track in self._tracks]

    def _count_late(self) -> None:
        """What had happened by the end and was told later: it decided nothing, and it was so."""
        if self._last is None:
            return
        query = Query(
            stream=execution_stream(self._case.flag),
            after=self._case.end,
            since=self._case.began_at,
            until=self._last.recorded_at + 1,
            limit=_FARTHEST,
        )
        for late in self._history.log.search(query):
            for track in self._tracks:
                track.take(late)
            self._failed += self._has_failed(late)

    def _has_failed(self, recorded: Recorded) -> bool:
        """Whether it is a failure of the new code, in this case's time."""
        at = min(recorded.occurred_at, recorded.recorded_at)
        match recorded.event:
            case BatchExecuted(cohort="on", outcome="failed"):
                return at >= self._case.began_at
            case _:
                return False

    # What was recorded

    def _decisions(self) -> list[_Decision]:
        case, log, found = self._case, self._history.log, list[_Decision]()
        if case.rollout:
            for one in log.read_stream(judgement_stream(case.rollout)):
                if isinstance(one.event, WaveJudged) and one.position <= case.end:
                    found.append(_Decision(one.event.as_of, one.position, one.event.judged_at))
        for rule in WATCHED:
            for one in log.read_stream(alert_stream(case.flag, rule)):
                event, position = one.event, one.position
                if not isinstance(event, AlertRaised | AlertResolved) or not event.judged_at:
                    continue
                if case.start < position <= case.end:
                    as_of = event.as_of or position - 1
                    found.append(_Decision(as_of, position, event.judged_at, rule))
        return found

    def _see(self, upto: int) -> None:
        """Take the looks as of positions up to here, that decisions further on rest on."""
        while self._pending and self._pending[-1].as_of <= upto:
            next_ = self._pending.pop()
            for track in self._tracks:
                if track.is_decided:
                    continue
                if not next_.rule and track.rollout.is_active:
                    track.looks[next_.position] = track.look(next_.at, next_.as_of)
                elif next_.rule and (judged := track.rules()):
                    if next_.rule in judged:
                        finding = track.find(judged[next_.rule], next_.at)
                        track.findings[next_.position] = finding
                    # Of the rules that look together, those that had nothing to say might have.
                    self._watch(track, next_)

    def _watch(self, track: Track, look: _Decision) -> None:
        if self._last is not None and track.differs:
            like = _at(self._last, look.at, look.as_of)
            watching.watch(track, self._record, like, look.as_of, but=look.rule)

    def _turn(self, turn: Turn) -> None:
        proposed = self._proposed or turn.first(PromotionProposed) is not None
        for track in self._tracks:
            if not track.is_decided:
                self._take_again(track, turn, proposed=proposed)
        for one in turn.events:
            self._record.step(one)
        if self._went_off is None and self._has_begun:
            self._went_off = turn.at if turn.goes_off is not None else None
        self._last = turn.events[-1]

    @property
    def _has_begun(self) -> bool:
        rollout = self._case.rollout
        return not rollout or self._record.get(ROLLOUTS, rollout).started_at > 0

    @property
    def _proposed(self) -> bool:
        rollout = self._case.rollout
        return bool(rollout) and self._record.get(ROLLOUTS, rollout).proposal is not None

    def _take_again(self, track: Track, turn: Turn, *, proposed: bool) -> None:
        rollout, alert = self._case.rollout, turn.alert
        if alert is not None and alert.rule in track.rules():
            watching.spoke(track, turn, alert)
        elif alert is None and turn.rule in track.rules():
            watching.took_off(track, turn, track.rules()[turn.rule])
        elif rollout and turn.starts(rollout):
            waves.start(track, turn)
        elif track.waiting:
            self._wait(track, turn)
        elif rollout and track.rollout.is_active and turn.is_look(rollout):
            waves.look(track, turn, proposed=proposed)
        elif rollout and turn.approves(rollout):
            waves.approve(track, turn)
        else:
            for one in turn.events:
                track.take(one)

    def _wait(self, track: Track, turn: Turn) -> None:
        """The record is further on than the track."""
        told = turn.of(self._case.rollout)
        if turn.is_look(self._case.rollout) and track.rollout.is_active:
            seen = track.looks.pop(turn.position, None) or track.look(turn.at, turn.position - 1)
            waves.wait(track, seen, turn)
        elif not turn.approves(self._case.rollout):
            for one in turn.events:
                if getattr(one.event, "wave", track.rollout.wave) == track.rollout.wave:
                    track.take(one)
        rolled_back = any(isinstance(event, RollbackStarted) for event in told)
        if rolled_back and not track.is_decided:
            reason = turn.goes_off.reason if turn.goes_off else ""
            track.end(turn.position - 1, turn.at, f"the record was rolled back ({reason})")

    # What was not

    def _look_in_between(self, until: Timestamp) -> None:
        """The looks between what was recorded last and what was recorded next."""
        last = self._last
        if last is None:
            return
        heard = last.recorded_at
        at = max(self._next_look, -(-heard // self._every_us) * self._every_us)
        looking = [track for track in self._tracks if track.differs and not track.is_decided]
        while at < until and looking:
            for track in looking:
                self._look(track, _at(last, at, last.position), last.position)
            looking = [track for track in looking if not track.is_decided]
            at += self._every_us if at - heard < HEARD_US else max(HOUR, self._every_us)
        self._next_look = -(-until // self._every_us) * self._every_us

    def _look(self, track: Track, like: Turn, as_of: int) -> None:
        id_ = self._case.rollout
        if id_ and not (self._record.get(ROLLOUTS, id_).is_active or track.rollout.is_active):
            return
        watching.watch(track, self._record, like, as_of)
        if not id_ or track.is_decided:
            return
        if not track.rollout.is_active:
            if track.waiting:
                waves.thaw(track, like)
            return
        seen = track.look(like.at, as_of)
        decided = evaluation.decide(track.rollout, seen, like.at)
        if not (found := waves.notable(decided)):
            return
        if track.waiting:
            waves.wait(track, seen, like)
            return
        rollout = self._record.get(ROLLOUTS, id_)
        if rollout.is_active:
            was = look_at(world_of(self._record, id_, like.at), as_of)
            if waves.notable(evaluation.decide(rollout, was, like.at)) == found:
                return
        waves.differ(track, like, seen, proposed=self._proposed)


def _at(last: Recorded, at: Timestamp, as_of: int) -> Turn:
    """Where something is put that was not recorded: right behind what it knows."""
    return Turn((replace(last, occurred_at=at, recorded_at=at, position=as_of + 1),))
