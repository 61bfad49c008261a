"""`plane.rollouts`: the Python API of rollouts."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane import plans, rollouts
from controlplane.assessment import Assessment, assess, digest, wave_evidence
from controlplane.errors import (
    FlagNotFound,
    ProposalNotFound,
    ProposalOutdated,
    RolloutEnded,
    RolloutNotFound,
)
from controlplane.execution import Transaction
from controlplane.plane.consequences import (
    fold_flag,
    refuse_open_alerts,
    stage_rollout,
)
from controlplane.plane.core import Core, Who, as_actor, context, printable
from controlplane.plans import FOUR_WAVES, Plan
from events.errors import LogUnavailable
from events.event import Actor
from events.rollouts import rollout_stream
from projections.evidence import EVIDENCE, WaveEvidence
from projections.flags import FLAGS, Flag
from projections.rollouts import ROLLOUTS, Proposal, Rollout

logger = logging.getLogger(__name__)

SCHEDULER = Actor(kind="scheduler", id="evaluation", name="evaluation")


@dataclass(frozen=True, slots=True)
class Status:
    """Where a rollout stands, judged at this moment."""

    rollout: Rollout
    plan: Plan
    flag: Flag
    evidence: WaveEvidence
    assessment: Assessment | None
    """None where it has ended."""


class Rollouts:
    """Takes a flag through the waves of a plan."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def start(
        self,
        plan: Plan | Path | str | dict[str, Any] = FOUR_WAVES,
        *,
        flag: str,
        actor: Who,
    ) -> Rollout:
        """Enter wave 1. `plan`: a Plan, its data, or a YAML or JSON file.

        Raises FlagNotFound, RolloutInCharge, CriticalAlertOpen, InvalidInput.
        """
        # Through what will be recorded: a plan that could not be read back must not start.
        wanted = plans.recorded(_plan(plan).to_json())
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            found = fold_flag(transaction, flag)
            if not found.exists:
                raise FlagNotFound(flag=flag)
            refuse_open_alerts(transaction, flag)
            attempt = found.rollouts + 1
            id_ = f"{flag}-r{attempt}"
            rollout = transaction.fold(ROLLOUTS, rollout_stream(id_), id_)
            command = rollouts.StartRollout(
                flag=flag, plan=wanted, attempt=attempt, requested_by=who.id
            )
            decided = rollouts.decide(rollout, command, transaction.now)
            stage_rollout(transaction, id_, decided, found)
            return id_

        return self.get(self._core.run(work, context(who)))

    def get(self, id_: str) -> Rollout:
        """The rollout as it stands. Raises RolloutNotFound."""
        rollout = self._core.get(ROLLOUTS, id_)
        if rollout.state == "absent":
            raise RolloutNotFound(rollout=id_)
        return rollout

    def all(self) -> list[Rollout]:
        """All rollouts, the latest first."""
        found = [rollout for _, rollout in self._core.scan(ROLLOUTS)]
        return sorted(found, key=lambda rollout: rollout.started_at, reverse=True)

    def proposals(self) -> list[tuple[Rollout, Proposal]]:
        """The proposals that wait for a person."""
        found = [(rollout, rollout.proposal) for rollout in self.all()]
        return [(rollout, proposal) for rollout, proposal in found if proposal is not None]

    def status(self, id_: str) -> Status:
        """Where it stands, judged now, without recording the look. Raises RolloutNotFound."""
        rollout = self.get(id_)
        plan = plans.recorded(rollout.plan)
        flag = self._core.get(FLAGS, rollout.flag)
        evidence = self._core.get(EVIDENCE, rollout.flag)
        look = None
        if rollout.is_active:
            look = assess(rollout, plan, flag, evidence, self._core.clock())
        return Status(rollout, plan, flag, wave_evidence(rollout, evidence), look)

    def evaluate(self, id_: str, *, actor: Who = SCHEDULER) -> Rollout:
        """One look: judge the wave, record what is new, act on it. Raises RolloutEnded."""

        def work(transaction: Transaction) -> None:
            rollout = transaction.fold(ROLLOUTS, rollout_stream(id_), id_)
            rollouts.refuse_unless_active(rollout)
            flag = fold_flag(transaction, rollout.flag)
            # The evidence last: should rollout or flag change before `as_of`, the append is
            # refused and all is read again. So what was judged is the world as of `as_of`.
            self._core.runner.catch_up()
            evidence, as_of = self._core.rows.get_as_of(EVIDENCE, rollout.flag)
            plan = plans.recorded(rollout.plan)
            command = rollouts.Judge(
                assessment=assess(rollout, plan, flag, evidence, transaction.now),
                as_of=as_of,
                evidence_digest=digest(wave_evidence(rollout, evidence)),
                exposure_version=flag.exposure_version,
            )
            decided = rollouts.decide(rollout, command, transaction.now)
            stage_rollout(transaction, id_, decided, flag)

        self._core.run(work, context(actor, correlation_id=id_))
        return self.get(id_)

    def evaluate_all(self) -> list[Rollout]:
        """One look at every rollout that is running."""
        looked = []
        for rollout in self.all():
            if rollout.is_active:
                try:
                    looked.append(self.evaluate(rollout.id))
                except RolloutEnded:
                    continue  # Somebody ended it since it was listed.
                except LogUnavailable:
                    raise  # The others would fail alike.
                except Exception:
                    logger.exception("%s could not be judged; the others are", rollout.id)
        return looked

    def approve(self, proposal: str, *, actor: Who, reason: str = "") -> Rollout:
        """Promote the wave that a proposal speaks for.

        The wave is judged once more: what no longer passes is not promoted. Raises
        ProposalNotFound, ProposalClosed, ProposalOutdated, and SamePerson for whoever asked for
        the rollout.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            rollout = self._of_proposal(transaction, proposal)
            flag = fold_flag(transaction, rollout.flag)
            command = rollouts.Approve(
                proposal=proposal,
                approver=who,
                exposure_version=flag.exposure_version,
                reason=reason,
            )
            decided = rollouts.decide(rollout, command, transaction.now)
            refuse_open_alerts(transaction, rollout.flag)
            evidence = self._core.get(EVIDENCE, rollout.flag)
            look = assess(rollout, plans.recorded(rollout.plan), flag, evidence, transaction.now)
            if look.action != "promote":
                problem = f"its evidence lapsed: {look.reason}"
                raise ProposalOutdated(proposal=proposal, reason=problem)
            stage_rollout(transaction, rollout.id, decided, flag)
            return rollout.id

        return self._decided(work, who, proposal)

    def reject(self, proposal: str, *, actor: Who, reason: str) -> Rollout:
        """Turn a proposal down. The wave goes on; the plan says when it is proposed again."""
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            rollout = self._of_proposal(transaction, proposal)
            command = rollouts.Reject(proposal=proposal, rejected_by=who.id, reason=reason)
            decided = rollouts.decide(rollout, command, transaction.now)
            transaction.stage(rollout_stream(rollout.id), decided)
            return rollout.id

        return self._decided(work, who, proposal)

    def abort(self, id_: str, *, actor: Who, reason: str) -> Rollout:
        """Roll back: the flag is off for everyone when this returns. Needs no approval."""

        def work(transaction: Transaction) -> str:
            rollout = transaction.fold(ROLLOUTS, rollout_stream(id_), id_)
            abort = rollouts.Abort(reason=printable(reason) or "no reason given")
            decided = rollouts.decide(rollout, abort, transaction.now)
            if decided:
                stage_rollout(transaction, id_, decided, fold_flag(transaction, rollout.flag))
            return id_

        return self._decided(work, as_actor(actor), id_)

    def _decided(self, work: Any, who: Actor, about: str) -> Rollout:
        return self.get(self._core.run(work, context(who, correlation_id=_rollout_of(about))))

    @staticmethod
    def _of_proposal(transaction: Transaction, proposal: str) -> Rollout:
        id_ = _rollout_of(proposal)
        rollout = transaction.fold(ROLLOUTS, rollout_stream(id_), id_)
        if rollout.state == "absent":
            raise ProposalNotFound(proposal=proposal)
        return rollout


def _rollout_of(proposal: str) -> str:
    """`batch-patches-v1-r1-p3` belongs to `batch-patches-v1-r1`."""
    head, _, tail = proposal.rpartition("-p")
    return head if head and tail.isdigit() else proposal


def _plan(plan: Plan | Path | str | dict[str, Any]) -> Plan:
    match plan:
        case Plan():
            return plan
        case dict():
            return plans.parse(plan)
        case Path() | str():
            return plans.read(Path(plan))
