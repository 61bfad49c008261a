"""The rollout `checkout-r1` through the sample plan: alice asks, bob decides."""

from dataclasses import replace
from typing import Any

from controlplane import rollouts
from controlplane.assessment import Assessment
from controlplane.commands import (
    Abort,
    Approve,
    ApproveStart,
    Draft,
    FollowRollback,
    Judge,
    Look,
    Pause,
    Reject,
    Resume,
    Skip,
    Start,
    Submit,
    Withdraw,
)
from events.event import Actor, ActorKind
from events.judgements import Judgement, Verdict, WaveJudged
from events.promotions import PromotionProposed
from events.timestamps import DAY, SECOND, Timestamp
from projections.rollbacks import AfterRollback
from projections.rollouts import ROLLOUTS
from tests.controlplane.decider import Decider
from tests.controlplane.samples import plan
from tests.projections.recording import START, Told

ID = "checkout-r1"
PLAN = plan()
ITEM = {"name": "code", "area": "code"}
CAREFUL = plan(start={"needed": 2}, promotion={"needed": 2})
"""Two must agree to the start, two to each promotion."""
EXPOSURE = 3
"""The version of the flag's exposure."""

given = Decider(ROLLOUTS, ID, rollouts.decide).given

draft = Draft(flag="checkout", plan=PLAN, attempt=1, requested_by="alice")
careful = replace(draft, plan=CAREFUL)
submit = Submit(submitted_by="alice")
start = Start(started_by="alice")
abort = Abort(reason="why", aborted_by="alice")
pause = Pause(reason="why")


def person(id_: str, kind: ActorKind = "person") -> Actor:
    """Somebody."""
    return Actor(kind=kind, id=id_)


def seen(
    verdict: Verdict,
    action: Any = "wait",
    *,
    progress: float = 0.5,
    exposure: int = EXPOSURE,
    reason: str = "because",
    frozen: str | None = None,
    **facts: Any,
) -> Look:
    """A look that comes to this."""
    judgement = Judgement(
        criterion="error_rate", verdict=verdict, sentence="9 of 300", progress=progress
    )
    assessment = Assessment(
        verdict=verdict, reason=reason, judgements=(judgement,), action=action, **facts
    )
    return Look(
        assessment=assessment,
        as_of=7,
        evidence_digest="digest",
        exposure_version=exposure,
        frozen=frozen,
    )


def look(verdict: Verdict, action: Any = "wait", **facts: Any) -> Judge:
    """The scheduler looks, and comes to this."""
    return Judge(look=seen(verdict, action, **facts))


waiting = look("INCONCLUSIVE")
passing = look("PASS", "promote", progress=1)
failing = look("FAIL", "rollback", progress=0)
holding = look("FAIL", "hold", hold="criterion", progress=0)
frozen = look(
    *("PASS", "hold"),
    hold="frozen",
    progress=1,
    frozen="frozen until lifted by peak",
    reason="every criterion passes, but frozen",
)
misserved = look("INCONCLUSIVE", "hold", hold="exposure", misserved="it serves 5 %")


def proposal(number: int = 1) -> str:
    """The id of the first, second … proposal."""
    return f"{ID}-p{number}"


def approve(
    number: int = 1, *, by: str = "bob", kind: ActorKind = "person", judge: Judge = passing
) -> Approve:
    """Somebody agrees, and what he sees is this."""
    return Approve(
        proposal=proposal(number), approver=person(by, kind), look=judge.look, reason="fine"
    )


def approve_start(by: str = "bob", kind: ActorKind = "person") -> ApproveStart:
    """Somebody agrees to the start."""
    return ApproveStart(approver=person(by, kind), reason="fine")


def reject(number: int = 1, reason: str = "no") -> Reject:
    """Bob does not."""
    return Reject(proposal=proposal(number), rejected_by="bob", reason=reason)


def withdraw(number: int = 1, reason: str = "oh") -> Withdraw:
    """Carol takes it back."""
    return Withdraw(proposal=proposal(number), withdrawn_by="carol", reason=reason)


def resume(by: str = "bob", kind: ActorKind = "person") -> Resume:
    """Somebody lets it go on."""
    return Resume(resumed_by=person(by, kind), reason="over")


def skip(by: str = "carol", judge: Judge = waiting, reason: str = "we must") -> Skip:
    """Somebody asks to go on without the evidence."""
    return Skip(proposed_by=by, reason=reason, look=judge.look)


def story(*commands: Any) -> tuple[Told, ...]:
    """What has happened after these commands, all at START."""
    telling = given()
    for command in commands:
        telling = telling.when(command).afterwards
    return telling.history


begun = story(draft, start)
proposed = story(draft, start, passing)
promoting = (*proposed, *given(*proposed).when(approve(judge=frozen)).events)
soaking = story(draft, start, passing, approve(1), passing, approve(2))
completed = story(draft, start, passing, approve(1), passing, approve(2), passing, approve(3))
rolling_back = story(draft, start, abort)
rolled_back = (
    given(*rolling_back)
    .when(FollowRollback(reports=AfterRollback(START)), after=30 * SECOND)
    .afterwards.history
)
cancelled = story(draft, abort)
ACTIVE = {
    "entering": begun,
    "observing": story(draft, start, look("INCONCLUSIVE", confirmed=True)),
    "evaluating": story(draft, start, look("INCONCLUSIVE", confirmed=True, baked=True)),
    "proposed": proposed,
    "promoting": promoting,
    "paused": story(draft, start, pause),
    "rejected": story(draft, start, passing, reject()),
    "frozen": story(draft, start, frozen),
    "misserved": story(draft, start, misserved),
    "failed": story(draft, start, holding),
    "skipped": story(draft, start, skip()),
    "soaking": soaking,
}
"""In charge of the flag."""
BEFORE = {
    "draft": story(draft),
    "pending approval": story(careful, submit),
    "armed": story(draft, submit),
}
ENDED = {
    "completed": completed,
    "rolling back": rolling_back,
    "rolled back": rolled_back,
    "cancelled": cancelled,
}


def judged(command: Any, wave: int = 1, after: Timestamp = 0) -> WaveJudged:
    """The record of a look so long after START."""
    found = command.look.assessment
    return WaveJudged(
        rollout=ID,
        wave=wave,
        as_of=7,
        judged_at=START + after,
        evaluator=1,
        evidence_digest="digest",
        verdict=found.verdict,
        reason=found.reason,
        judgements=found.judgements,
    )


def promotion_proposed(
    wave: int = 1, to: str = "wave 2", number: int = 1, *, after: Timestamp = 0, **facts: Any
) -> PromotionProposed:
    """What a passing look so long after START leads to."""
    said = {"kind": "promotion", "proposed_by": "evaluation", "reason": "", "approvals": 1}
    said |= {"evaluator": 1}
    return PromotionProposed(
        rollout=ID,
        proposal=proposal(number),
        wave=wave,
        to=to,
        as_of=7,
        evidence_digest="digest",
        plan_hash=PLAN.digest(),
        exposure_version=EXPOSURE,
        expires_at=START + after + DAY,
        **said | facts,
    )
