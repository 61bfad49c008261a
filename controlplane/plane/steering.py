"""What people may do to a rollout that runs."""

from collections.abc import Callable

from controlplane import commands, rollouts
from controlplane.durations import parse_duration
from controlplane.errors import InvalidInput, OverrideNotFound, ProposalNotFound
from controlplane.execution import Transaction
from controlplane.looks import look_at
from controlplane.plane.consequences import (
    fold_flag,
    fold_rollout,
    refuse_open_alerts,
    stage_rollout,
)
from controlplane.plane.core import Core, Who, as_actor, context, printable
from controlplane.plane.worlds import world_in
from events.event import Actor
from events.judgements import Verdict
from events.timestamps import DAY
from projections.rollouts import ROLLOUTS, Rollout


class Steering:
    """Approving, holding, overriding, rolling back."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def approve(self, proposal: str, *, actor: Who, reason: str = "") -> Rollout:
        """Agree to a proposal; with the last approval it needs, its wave is promoted.

        The wave is judged once more: what no longer passes is not promoted. Raises
        ProposalNotFound, ProposalClosed, ProposalOutdated, SamePerson for whoever asked for it,
        AlreadyApproved, NotAnApprover, NotSignedOff, CriticalAlertOpen.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            rollout = self._of_proposal(transaction, proposal)
            rollouts.refuse_unless_active(rollout)
            world, as_of = world_in(transaction, self._core, rollout)
            look = look_at(world, as_of)
            command = commands.Approve(proposal=proposal, approver=who, look=look, reason=reason)
            refuse_open_alerts(transaction, rollout.flag)
            decided = rollouts.decide(rollout, command, transaction.now)
            stage_rollout(transaction, rollout.id, decided, world.flag)
            return rollout.id

        return self._run(work, who, _rollout_of(proposal))

    def reject(self, proposal: str, *, actor: Who, reason: str) -> Rollout:
        """Turn a proposal down. The wave is held until somebody else than its askers resumes it."""
        who = as_actor(actor)
        command = commands.Reject(proposal=proposal, rejected_by=who.id, reason=reason)
        return self._do_to_proposal(proposal, command, who)

    def withdraw(self, proposal: str, *, actor: Who, reason: str) -> Rollout:
        """Take a proposal back. The wave is held until somebody resumes it."""
        who = as_actor(actor)
        command = commands.Withdraw(proposal=proposal, withdrawn_by=who.id, reason=reason)
        return self._do_to_proposal(proposal, command, who)

    def skip(self, id_: str, *, actor: Who, reason: str) -> Rollout:
        """Propose to go on from the present wave without the evidence; others must approve.

        Raises WaveFailed where a criterion failed, ProposalWaits, InvalidInput in the soak.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            rollout = fold_rollout(transaction, id_)
            rollouts.refuse_unless_active(rollout)
            world, as_of = world_in(transaction, self._core, rollout)
            command = commands.Skip(proposed_by=who.id, reason=reason, look=look_at(world, as_of))
            decided = rollouts.decide(rollout, command, transaction.now)
            stage_rollout(transaction, id_, decided, world.flag)
            return id_

        return self._run(work, who, id_)

    def pause(self, id_: str, *, actor: Who, reason: str) -> Rollout:
        """Hold the wave and its clock. Exposure stays, guardrails go on."""
        return self._do(id_, commands.Pause(reason=reason), as_actor(actor))

    def resume(self, id_: str, *, actor: Who, reason: str = "") -> Rollout:
        """Release what people hold it by. Raises NotHeld; SamePerson after a rejection."""
        who = as_actor(actor)
        return self._do(id_, commands.Resume(resumed_by=who, reason=reason), who)

    def extend_bake(self, id_: str, by: str | int, *, actor: Who, reason: str) -> Rollout:
        """Watch the present wave for longer. `by`: as in `6h`, or microseconds."""
        command = commands.ExtendBake(by_us=_duration(by), reason=reason)
        return self._do(id_, command, as_actor(actor))

    def request_override(
        self, id_: str, criterion: str, *, actor: Who, reason: str, lasts: str | int = DAY
    ) -> Rollout:
        """Ask that a criterion need not pass in the present wave; a second person must agree.

        An override stands in for a PASS; it never excuses a FAIL. Raises WaveFailed.
        """
        who, lasts_us = as_actor(actor), _duration(lasts)

        def make(now: int) -> commands.RequestOverride:
            return commands.RequestOverride(
                criterion=criterion,
                requested_by=who.id,
                reason=reason,
                expires_at=now + lasts_us,
            )

        return self._do(id_, make, who)

    def approve_override(self, override: str, *, actor: Who, reason: str = "") -> Rollout:
        """Agree to an override. Raises OverrideNotFound, SamePerson, WaveFailed."""
        who = as_actor(actor)
        self._known(override)
        command = commands.ApproveOverride(override=override, approver=who, reason=reason)
        return self._do(_rollout_of(override, "-o"), command, who)

    def withdraw_override(self, override: str, *, actor: Who, reason: str) -> Rollout:
        """End an override, approved or not."""
        who = as_actor(actor)
        self._known(override)
        command = commands.WithdrawOverride(override=override, withdrawn_by=who.id, reason=reason)
        return self._do(_rollout_of(override, "-o"), command, who)

    def sign_off(
        self, id_: str, item: str, *, actor: Who, role: str = "", note: str = ""
    ) -> Rollout:
        """Vouch for an item of a checklist, or for a `manual` criterion of the present wave."""
        who = as_actor(actor)
        command = commands.SignOff(item=item, role=role, signed_by=who, note=note)
        return self._do(id_, command, who)

    def withdraw_sign_off(self, id_: str, item: str, *, actor: Who, reason: str) -> Rollout:
        """No longer vouch for it."""
        who = as_actor(actor)
        command = commands.WithdrawSignOff(item=item, signed_by=who.id, reason=reason)
        return self._do(id_, command, who)

    def answer(
        self, id_: str, criterion: str, verdict: Verdict, *, actor: Who, detail: str = ""
    ) -> Rollout:
        """Say what something outside found about an `external` criterion of the present wave."""
        if verdict not in ("PASS", "FAIL", "INCONCLUSIVE"):
            raise InvalidInput(reason=f"an answer is PASS, FAIL or INCONCLUSIVE, not {verdict}")
        who = as_actor(actor)
        command = commands.Answer(
            criterion=criterion, verdict=verdict, detail=printable(detail), answered_by=who
        )
        return self._do(id_, command, who)

    def abort(self, id_: str, *, actor: Who, reason: str) -> Rollout:
        """Roll back: the flag is off for everyone when this returns. Needs no approval."""
        who = as_actor(actor)
        because = printable(reason) or "no reason given"
        return self._do(id_, commands.Abort(reason=because, aborted_by=who.id), who)

    def _do(
        self,
        id_: str,
        command: commands.RolloutCommand | Callable[[int], commands.RolloutCommand],
        who: Actor,
    ) -> Rollout:
        """Decide a command that rests on the rollout alone; `command` may need the moment."""

        def work(transaction: Transaction) -> str:
            rollout = fold_rollout(transaction, id_)
            given = command(transaction.now) if callable(command) else command
            decided = rollouts.decide(rollout, given, transaction.now)
            if decided:
                stage_rollout(transaction, id_, decided, fold_flag(transaction, rollout.flag))
            return id_

        return self._run(work, who, id_)

    def _do_to_proposal(
        self, proposal: str, command: commands.RolloutCommand, who: Actor
    ) -> Rollout:
        id_ = _rollout_of(proposal)
        if self._core.get(ROLLOUTS, id_).state == "absent":
            raise ProposalNotFound(proposal=proposal)
        return self._do(id_, command, who)

    def _known(self, override: str) -> None:
        if self._core.get(ROLLOUTS, _rollout_of(override, "-o")).state == "absent":
            raise OverrideNotFound(override=override)

    def _run(
        self, work: Callable[[Transaction], str], who: Actor, about: str | None = None
    ) -> Rollout:
        id_ = self._core.run(work, context(who, correlation_id=about))
        return self._core.get(ROLLOUTS, id_)

    @staticmethod
    def _of_proposal(transaction: Transaction, proposal: str) -> Rollout:
        rollout = fold_rollout(transaction, _rollout_of(proposal))
        if rollout.state == "absent":
            raise ProposalNotFound(proposal=proposal)
        return rollout


def _rollout_of(part: str, mark: str = "-p") -> str:
    """`batch-patches-v1-r1-p3` belongs to `batch-patches-v1-r1`."""
    head, _, tail = part.rpartition(mark)
    return head if head and tail.isdigit() else part


def _duration(given: str | int) -> int:
    try:
        return given if isinstance(given, int) else parse_duration(given)
    except ValueError as error:
        raise InvalidInput(reason=str(error)) from error
