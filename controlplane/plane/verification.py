"""Judging again, from the log alone, everything that was judged about a rollout."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from controlplane.assessment import EVALUATOR, Assessment, assess, digest
from controlplane.history.differences import Difference
from controlplane.plane.warrants import unwarranted
from controlplane.reading import world_of
from controlplane.world import World
from events.event import RecordedEvent
from events.freezes import FREEZE_STREAM
from events.judgements import Judgement, WaveJudged, judgement_stream
from events.log import Replayable
from events.promotions import PromotionProposed
from events.rollouts import rollout_stream
from events.timestamps import MINUTE
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.frames import Stepping
from projections.freezes import FREEZES
from projections.replay import History
from projections.rollouts import ROLLOUTS, Rollout

_Look = WaveJudged | PromotionProposed
_PROMPT_US = 5 * MINUTE
"""Between reading the world and recording what it came to there are seconds, not minutes."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of judging again."""

    rollout: str
    judgements: int
    """How many recorded looks were judged again."""
    proposals: int
    """How many proposals were held against what would be proposed."""
    incomparable: int
    """Looks by another version of the evaluator, which were not judged again."""
    differences: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        """Whether everything that could be compared came out the same."""
        return not self.differences


def verify(
    history: History,
    rollout: Rollout,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    upto: int | None = None,
) -> Verification:
    """Fold the log forward once, from its beginning; at the position of each look, take it again.

    `progress` is called with looks done and looks in all. `upto`: the last log position that
    counts; None: the last there is.
    """
    log = history.log
    looks = [one for one in _looks(log, rollout.id) if upto is None or one.position <= upto]
    past = _beginning(history, rollout)
    found: list[Difference] = []
    judged = proposed = incomparable = 0
    for done, recorded in enumerate(looks):
        progress(done, len(looks))
        event = recorded.event
        if event.evaluator > EVALUATOR:
            known, told = str(EVALUATOR), str(event.evaluator)
            found.append(Difference(recorded.position, "evaluator", told, f"{known} is the newest"))
            continue
        if event.evaluator != EVALUATOR:
            incomparable += 1
            continue
        found += _when(log, recorded)
        past.forward(event.as_of)
        if isinstance(event, WaveJudged):
            judged += 1
            found += _compare(recorded.position, event, world_of(past, rollout.id, event.judged_at))
        else:
            proposed += 1
            found += _reconsider(
                recorded.position, event, world_of(past, rollout.id, recorded.occurred_at)
            )
    progress(len(looks), len(looks))
    decided = log.read_stream(rollout_stream(rollout.id))
    found += unwarranted(
        rollout.id, [one for one in decided if upto is None or one.position <= upto]
    )
    return Verification(rollout.id, judged, proposed, incomparable, tuple(found))


def _beginning(history: History, rollout: Rollout) -> Stepping:
    """All that a look may know, before the first event: no snapshot is believed here."""
    past = Stepping(history, 0)
    past.get(ROLLOUTS, rollout.id)
    past.get(FREEZES, FREEZE_STREAM)
    past.get(FLAGS, rollout.flag)
    past.get(EVIDENCE, rollout.flag)
    return past


def _looks(log: Replayable, id_: str) -> list[RecordedEvent[_Look]]:
    streams = (rollout_stream(id_), judgement_stream(id_))
    looks = [
        cast("RecordedEvent[_Look]", event)
        for stream in streams
        for event in log.read_stream(stream)
        if isinstance(event.event, _Look)
    ]
    return sorted(looks, key=lambda one: (one.event.as_of, one.position))


def _when(log: Replayable, recorded: RecordedEvent[_Look]) -> list[Difference]:
    """A look is taken of what is known then, not of a better past."""
    event = recorded.event
    if isinstance(event, WaveJudged) and event.judged_at != recorded.occurred_at:
        pair = str(event.judged_at), str(recorded.occurred_at)
        return [Difference(recorded.position, "time", *pair)]
    unseen = log.read(event.as_of, 1)
    if unseen and recorded.recorded_at - unseen[0].recorded_at > _PROMPT_US:
        known = f"{recorded.position - 1} by then"
        return [Difference(recorded.position, "time", f"as of {event.as_of}", known)]
    return []


def _compare(position: int, event: WaveJudged, world: World) -> list[Difference]:
    look: Assessment = assess(world)
    pairs = (
        ("verdict", event.verdict, look.verdict),
        ("reason", event.reason, look.reason),
        ("evidence", event.evidence_digest, digest(world.wave)),
        *_by_criterion(event.judgements, look.judgements),
    )
    return [
        Difference(position, what, str(recorded), str(recomputed))
        for what, recorded, recomputed in pairs
        if recorded != recomputed
    ]


def _by_criterion(
    recorded: tuple[Judgement, ...], recomputed: tuple[Judgement, ...]
) -> list[tuple[str, Judgement | None, Judgement | None]]:
    before = {one.criterion: one for one in recorded}
    after = {one.criterion: one for one in recomputed}
    names = dict.fromkeys([*before, *after])
    return [(f"criterion {name}", before.get(name), after.get(name)) for name in names]


def _reconsider(position: int, event: PromotionProposed, world: World) -> list[Difference]:
    """What was proposed for good reasons must be what a look proposes."""
    if event.kind == "skip":
        return []
    action = assess(world).action
    if action == "promote" and digest(world.wave) == event.evidence_digest:
        return []
    return [Difference(position, "proposal", "promote", action)]
