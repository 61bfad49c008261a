"""The rollout `checkout-r1` through the sample plan: alice asks, bob decides."""

from typing import Any

from controlplane import rollouts
from controlplane.assessment import Assessment
from controlplane.rollouts import Abort, Approve, Judge, Reject, StartRollout
from events.event import Actor, ActorKind
from events.rollouts import Judgement, PromotionProposed, Verdict
from events.timestamps import DAY, Timestamp
from projections.rollouts import ROLLOUTS
from tests.controlplane.decider import Decider
from tests.controlplane.samples import plan
from tests.projections.recording import START, Told

ID = "checkout-r1"
PLAN = plan()
EXPOSURE = 3
"""The version of the flag's exposure."""

given = Decider(ROLLOUTS, ID, rollouts.decide).given

start = StartRollout(flag="checkout", plan=PLAN, attempt=1, requested_by="alice")
abort = Abort(reason="why")


def look(
    verdict: Verdict,
    action: Any = "wait",
    *,
    progress: float = 0.5,
    exposure: int = EXPOSURE,
    reason: str = "because",
) -> Judge:
    """A look at the wave that comes to this."""
    judgement = Judgement(
        criterion="error_rate", verdict=verdict, sentence="9 of 300", progress=progress
    )
    assessment = Assessment(verdict=verdict, reason=reason, judgements=(judgement,), action=action)
    return Judge(
        assessment=assessment, as_of=7, evidence_digest="digest", exposure_version=exposure
    )


waiting = look("INCONCLUSIVE")
passing = look("PASS", "promote", progress=1)
failing = look("FAIL", "rollback", progress=0)
held = look("FAIL", progress=0)


def proposal(number: int = 1) -> str:
    """The id of the first, second … proposal."""
    return f"{ID}-p{number}"


def approve(
    number: int = 1, *, by: str = "bob", kind: ActorKind = "person", exposure: int = EXPOSURE
) -> Approve:
    """Somebody agrees."""
    return Approve(
        proposal=proposal(number),
        approver=Actor(kind=kind, id=by),
        exposure_version=exposure,
        reason="fine",
    )


def reject(number: int = 1, reason: str = "no") -> Reject:
    """Bob does not."""
    return Reject(proposal=proposal(number), rejected_by="bob", reason=reason)


def story(*commands: Any) -> tuple[Told, ...]:
    """What has happened after these commands, all at START."""
    telling = given()
    for command in commands:
        telling = telling.when(command).afterwards
    return telling.history


begun = story(start)
proposed = story(start, passing)
soaking = story(start, passing, approve(1), passing, approve(2))
completed = story(start, passing, approve(1), passing, approve(2), passing, approve(3))
rolled_back = story(start, abort)
ACTIVE = {"observing": begun, "proposed": proposed, "soaking": soaking}
ENDED = {"completed": completed, "rolled back": rolled_back}


def promotion_proposed(
    wave: int = 1, to: str = "wave 2", number: int = 1, *, after: Timestamp = 0
) -> PromotionProposed:
    """What a passing look so long after START leads to."""
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
    )
