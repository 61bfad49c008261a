"""Taking again what was decided of a rollout: its start, looks at it, approvals."""

from collections.abc import Sequence
from itertools import takewhile

from controlplane import evaluation, promotions
from controlplane.checklists import missing
from controlplane.commands import Approve, Look
from controlplane.errors import ControlPlaneError, NotAnApprover, NotSignedOff
from controlplane.freezes import frozen_by
from controlplane.plans import recorded
from controlplane.rehearsal.answerable import rests_on_control, wants_only_answers
from controlplane.rehearsal.outcomes import StopKind
from controlplane.rehearsal.track import Track
from controlplane.rehearsal.turns import Turn, is_of
from controlplane.stages import enter
from events.event import Event
from events.freezes import FREEZE_STREAM
from events.interventions import RolloutHeld
from events.promotions import PromotionProposed, ProposalApproved, WavePromoted
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutEvent,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from projections.freezes import FREEZES

_Entering = WaveEntered | SoakStarted | RolloutCompleted


def start(track: Track, turn: Turn) -> None:
    """Whether it would have started, and with whom."""
    for one in takewhile(lambda one: not isinstance(one.event, RolloutStarted), turn.events):
        track.take(one)  # It may be drafted in the same breath.
    plan, rollout = recorded(track.rollout.plan), track.rollout
    asked = len(rollout.start_approvals)
    unsigned = missing(plan.required_after(0), rollout.interventions.sign_offs)
    if asked < plan.start.needed or unsigned:
        names = ", ".join(item.name for item in unsigned)
        needed = plan.start.needed
        people = f"{needed} approval{'' if needed == 1 else 's'}"
        who = f"the sign-off of {names}" if unsigned else people
        _asks(track, turn, f"it asks for {who} before it starts")
        return
    frozen = frozen_by(
        track.rows.get(FREEZES, FREEZE_STREAM), plan.freezes, track.case.flag, turn.at
    )
    if frozen is not None:
        _leave(track, turn, "waited", frozen)
        return
    started = next(one.event for one in turn.events if isinstance(one.event, RolloutStarted))
    _enter(track, turn, [started, enter(rollout.id, rollout.flag, plan, 1)])


def thaw(track: Track, like: Turn) -> None:
    """A start that a calendar held up: when it is over, somebody would have started it."""
    plan = recorded(track.rollout.plan)
    freezes = track.rows.get(FREEZES, FREEZE_STREAM)
    if frozen_by(freezes, plan.freezes, track.case.flag, like.at) is None:
        track.end(like.position - 1, like.at, "it may start; people would have started it")


def look(track: Track, turn: Turn, *, proposed: bool) -> None:
    """What a recorded look comes to; `proposed`: whether a promotion then waits in the record."""
    told = turn.of(track.case.rollout)
    seen = track.looks.pop(turn.position, None) or track.look(turn.at, turn.position - 1)
    decided = evaluation.decide(track.rollout, seen, turn.at)
    if _ends(track, turn, seen):
        return
    track.score.compare(turn.at, turn.position, told, decided)
    back = _has(told, RollbackStarted)
    if _has(decided, RollbackStarted):
        if back:
            _as_recorded(track, turn, decided)
        else:
            roll_back(track, turn, decided)
    elif back:
        reason = next(one.reason for one in told if isinstance(one, RollbackStarted))
        _goes_on(track, turn, f"the record was rolled back ({reason}); here it is not")
    elif _has(told, WavePromoted) or _has(decided, WavePromoted):
        _promote(track, turn, decided, seen)
    elif _has(decided, PromotionProposed) and not proposed:
        _goes_on(track, turn, "it proposes the promotion, which the record did not yet")
    else:
        track.happens(decided, turn.events[0], flag_too=False)


def approve(track: Track, turn: Turn) -> None:
    """What somebody's word leads to, given what waits for it here."""
    rollout = track.rollout
    told = turn.of(rollout.id)
    said = next(one for one in turn.events if isinstance(one.event, ProposalApproved))
    seen = track.looks.pop(turn.position, None) or track.look(turn.at, turn.position - 1)
    promoted = _has(told, WavePromoted)
    if rollout.proposal is None:
        if promoted:
            _does_not_promote(track, turn, seen, seen.assessment.reason)
        return
    command = Approve(
        proposal=rollout.proposal.id,
        approver=said.actor,
        look=seen,
        reason=said.event.reason,  # type: ignore[attr-defined]  # why: it is a ProposalApproved
    )
    try:
        decided: Sequence[RolloutEvent] = promotions.decide(rollout, command, turn.at)
    except (NotSignedOff, NotAnApprover) as refusal:
        if promoted:
            _asks(track, turn, str(refusal))
        else:
            track.score.depart(turn.at, turn.position, "approved", f"refused: {refusal}")
        return
    except ControlPlaneError as refusal:
        if promoted:
            _does_not_promote(track, turn, seen, str(refusal))
        else:
            track.score.depart(turn.at, turn.position, "approved", f"refused: {refusal}")
        return
    track.score.compare(turn.at, turn.position, told, decided)
    if promoted or _has(decided, WavePromoted):
        _promote(track, turn, decided, seen)
    else:
        track.happens(decided, turn.events[0], flag_too=False)


def wait(track: Track, seen: Look, like: Turn) -> None:
    """A look at the stage that the record has left: it goes off, or would be promoted now."""
    decided = evaluation.decide(track.rollout, seen, like.at)
    if _ends(track, like, seen):
        return
    if _has(decided, RollbackStarted):
        roll_back(track, like, decided)
    elif _has(decided, PromotionProposed | WavePromoted):
        track.end(like.position - 1, like.at, "it proposes the promotion; people would decide")
    else:
        track.happens(decided, like.events[0], flag_too=False)


def differ(track: Track, like: Turn, seen: Look, *, proposed: bool) -> None:
    """A look that was not recorded comes to something that the rules of then would not."""
    decided = evaluation.decide(track.rollout, seen, like.at)
    if _ends(track, like, seen):
        return
    if _has(decided, RollbackStarted):
        roll_back(track, like, decided)
    elif _has(decided, PromotionProposed | WavePromoted) and not proposed:
        _goes_on(track, like, "it proposes the promotion, which the record did not yet")
    else:
        track.happens(decided, like.events[0], flag_too=False)


def roll_back(track: Track, turn: Turn, decided: Sequence[Event]) -> None:
    """It switches the flag off, and the record does not."""
    started = next(event for event in decided if isinstance(event, RollbackStarted))
    track.happens(decided, turn.events[0])
    track.stop("rolled_back", turn.position - 1, turn.at, started.reason)
    track.waiting = False


def notable(decided: Sequence[Event]) -> tuple[str, ...]:
    """What of a look that was not recorded could make a difference later."""
    found: list[str] = []
    for event in decided:
        match event:
            case RollbackStarted() | PromotionProposed() | WavePromoted():
                found.append(event.TYPE)
            case RolloutHeld(kind="criterion"):
                found.append(event.TYPE)
            case _:
                pass
    return tuple(found)


def _ends(track: Track, turn: Turn, seen: Look) -> bool:
    """Whether it is decided by what no record tells, where fewer are served."""
    names = rests_on_control(track.rollout, seen) if track.fewer else ()
    if names:
        reason = "compares with the old code, and those who would have run it did not"
        track.end(turn.position - 1, turn.at, f"{', '.join(names)} {reason}")
    return bool(names)


def _has(events: Sequence[Event], kind: object) -> bool:
    return any(isinstance(event, kind) for event in events)  # type: ignore[arg-type]  # why: or a union


def _promote(track: Track, turn: Turn, decided: Sequence[Event], seen: Look) -> None:
    """One of the two promotes the wave, or both do."""
    promoted = _has(turn.of(track.case.rollout), WavePromoted)
    if promoted and _has(decided, WavePromoted):
        _enter(track, turn, decided)
    elif promoted:
        track.happens(decided, turn.events[0], flag_too=False)
        plan, proposal = recorded(track.rollout.plan), track.rollout.proposal
        if proposal is not None and len(proposal.approvals) < plan.promotion.needed:
            have, need = len(proposal.approvals), plan.promotion.needed
            _asks(track, turn, f"it takes {need} approvals, the record has {have}")
        else:
            _does_not_promote(track, turn, seen, seen.frozen or seen.assessment.reason)
    else:
        _goes_on(track, turn, "it is promoted, which the record was not yet")


def _enter(track: Track, turn: Turn, decided: Sequence[Event]) -> None:
    """Both go on: to the same, to fewer, or to others."""
    entering, other = _entering(turn.of(track.case.rollout)), _entering(decided)
    if isinstance(entering, RolloutCompleted) or isinstance(other, RolloutCompleted):
        if type(entering) is type(other):
            _as_recorded(track, turn, decided)
        elif isinstance(other, RolloutCompleted):
            _goes_on(track, turn, "it is complete; the record goes on")
        else:
            _leave(track, turn, "waited", "its plan has one more stage, the record's has none")
        return
    if entering is None or other is None:
        raise AssertionError("who promotes a wave enters another one, or is done")
    same = (entering.audience, entering.percentage) == (other.audience, other.percentage)
    if same and not track.fewer:
        _as_recorded(track, turn, decided)
    elif entering.audience == other.audience and other.percentage <= entering.percentage:
        track.happens(decided, turn.events[0])
        if not same:
            reason = f"{other.percentage:g} % of {other.audience.name} in place of "
            track.stop("narrower", turn.position - 1, turn.at, f"{reason}{entering.percentage:g} %")
    else:
        _goes_on(
            track,
            turn,
            f"it serves {other.percentage:g} % of {other.audience.name}, the record "
            f"{entering.percentage:g} % of {entering.audience.name}",
        )


def _entering(events: Sequence[Event]) -> _Entering | None:
    return next((event for event in events if isinstance(event, _Entering)), None)


def _as_recorded(track: Track, turn: Turn, decided: Sequence[Event]) -> None:
    """What is decided of the rollout; of the flag what was recorded, version by version."""
    track.happens(decided, turn.events[0], flag_too=False)
    for one in turn.events:
        if not is_of(one.event, track.case.rollout):
            track.take(one)


def _does_not_promote(track: Track, turn: Turn, seen: Look, reason: str) -> None:
    """The record went on, and it does not: for what is lacking, or was not asked for."""
    if wants_only_answers(track.rollout, recorded(track.recorded_plan), seen):
        _asks(track, turn, reason)
        return
    alert = seen.assessment.critical_alert
    kind: StopKind = "held" if seen.assessment.verdict == "FAIL" or alert else "waited"
    _leave(track, turn, kind, reason)


def _leave(track: Track, turn: Turn, kind: StopKind, reason: str) -> None:
    """It stays behind."""
    track.stop(kind, turn.position - 1, turn.at, reason)
    track.waiting = True


def _asks(track: Track, turn: Turn, reason: str) -> None:
    """What nobody was asked, nobody has answered."""
    track.end(turn.position - 1, turn.at, f"{reason}; nobody was asked")


def _goes_on(track: Track, turn: Turn, reason: str) -> None:
    track.end(turn.position - 1, turn.at, reason)
