"""Where a rollout stands, as people read it."""

from collections.abc import Iterator
from typing import Annotated

import typer

from controlplane.cli.output import line, print_table, say, styled, when
from controlplane.durations import format_duration, rough_duration
from controlplane.plane.explanations import Status, sentence
from controlplane.views import hold_us, rollout_view
from events.judgements import Judgement
from events.timestamps import Timestamp
from projections.interventions import BY_PEOPLE, Hold, Override
from projections.promotions import Proposal
from projections.rollouts import BEFORE_START, Rollout

Id = Annotated[str, typer.Argument(help="The rollout, as in batch-patches-v1-r1.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]


def tell(rollout: Rollout, *, as_json: bool) -> None:
    """What became of it, in a line, or all of it."""
    say(_told(rollout), as_json, lambda: rollout_view(rollout))


def _told(rollout: Rollout) -> str:
    state = f"{rollout.id} is {_state(rollout)}"
    if rollout.phase in BEFORE_START:
        return f"{state}: {_next(rollout)}"
    if not rollout.is_active:
        return f"{state}: {rollout.reason}"
    why = "; ".join(_held(hold) for hold in rollout.holds) or rollout.reason
    proposal = rollout.proposal
    if proposal is not None:
        why += f"; {proposal.id} has {len(proposal.approvals)} of {proposal.needed} approvals"
    return f"{state}, {rollout.wave_name} at {rollout.percentage:g} %: {why}"


def _state(rollout: Rollout) -> str:
    return "a draft" if rollout.state == "draft" else rollout.state.replace("_", " ")


def _next(rollout: Rollout) -> str:
    """What to do with one that has not started."""
    command = "controlplane rollouts"
    if rollout.phase == "draft":
        return f"{command} submit {rollout.id}"
    if rollout.phase == "pending_approval":
        return f"{command} approve-start {rollout.id} --actor SOMEBODY_ELSE"
    if rollout.start_at:
        return f"it starts by itself at {when(rollout.start_at)}"
    return f"{command} start {rollout.id}"


def _held(hold: Hold) -> str:
    by = f" by {hold.by}" if hold.kind in BY_PEOPLE else ""
    return f"{hold.kind}{by}: {hold.reason}"


def print_status(status: Status) -> None:
    """State and stage, why, the criteria, and whatever waits for people."""
    rollout = status.rollout
    line(_headline(status))
    line(f"  {sentence(status)}")
    if status.assessment is not None:
        _print_evidence(status)
        rows = [_row(judgement, status) for judgement in status.assessment.judgements]
        print_table(("  criterion", "verdict", "ready in", "because"), rows, "")
    for text in _waiting(status):
        line(f"  {text}")
    if rollout.phase in BEFORE_START:
        line(f"  next: {_next(rollout)}")


def _headline(status: Status) -> str:
    rollout = status.rollout
    state = f"{rollout.id}: {rollout.state.replace('_', ' ')}"
    if rollout.phase in BEFORE_START or not rollout.wave:
        return f"{state}, plan {status.plan.name} for {rollout.flag}, by {rollout.requested_by}"
    stages = rollout.waves + (status.plan.soak is not None)
    where = f"{state}, {rollout.wave_name} (stage {rollout.wave} of {stages})"
    if rollout.rollback_at:
        return f"{where}, switched off at {when(rollout.rollback_at)}"
    return f"{where}, {status.flag.percentage:g} % since {when(rollout.wave_entered_at)}"


def _print_evidence(status: Status) -> None:
    wave, extended_us = status.evidence, status.rollout.interventions.extended_us
    others = f", {wave.others.executions} for other audiences" if wave.others.executions else ""
    added = f", {format_duration(extended_us)} of it added" if extended_us else ""
    watched, hold = rough_duration(wave.lasted_us(status.now)), rough_duration(hold_us(status))
    line(f"  {wave.executions} executions in this wave, {wave.failed} failed{others}")
    line(f"  watched for {watched} of {hold}{added}")


def _row(judgement: Judgement, status: Status) -> tuple[object, ...]:
    ready_us = judgement.ready_in_us if judgement.verdict != "PASS" else None
    excused = "overridden; " if judgement.criterion in status.overridden else ""
    return (
        f"  {judgement.criterion}",
        styled(judgement.verdict),
        "" if ready_us is None else rough_duration(ready_us),
        excused + judgement.sentence,
    )


def _waiting(status: Status) -> Iterator[str]:
    """What holds it, and what it needs people for."""
    rollout, command = status.rollout, "controlplane rollouts"
    if status.assessment is not None:
        for hold in rollout.holds:
            yield f"held since {when(hold.since)}, {_held(hold)}"
        if any(hold.kind in BY_PEOPLE for hold in rollout.holds):
            yield f"to go on: {command} resume {rollout.id}"
        if rollout.interventions.escalated:
            yield f"people are called: {rollout.interventions.escalated}"
        if rollout.proposal is not None:
            yield _proposed(rollout.proposal)
        for override in rollout.interventions.overrides:
            yield _overridden(override, status.now)
    if status.unsigned:
        names = ", ".join(item.name for item in status.unsigned)
        yield f"to sign off: {names}; see {command} checklist {rollout.id}"
    if rollout.stalled and not rollout.is_final:
        yield "clients still report the new code: controlplane alerts playbook ROLLBACK_STALLED"


def _proposed(proposal: Proposal) -> str:
    what = "skip" if proposal.kind == "skip" else "proposal"
    have = f"{len(proposal.approvals)} of {proposal.needed} approvals"
    if proposal.approvals:
        have += f" ({', '.join(one.by for one in proposal.approvals)})"
    if proposal.state != "open":
        return f"{what} {proposal.id} to {proposal.to}: {have}; {proposal.reason or proposal.state}"
    return (
        f"{what} {proposal.id} to {proposal.to} expires {when(proposal.expires_at)}, {have}: "
        f"controlplane rollouts approve {proposal.id} --actor YOU"
    )


def _overridden(override: Override, now: Timestamp) -> str:
    text = f"override {override.id} of {override.criterion} until {when(override.expires_at)}"
    asked = f"{text}, asked for by {override.requested_by} ({override.reason})"
    if now >= override.expires_at:
        return f"{asked}, expired"
    if override.approved_by:
        return f"{asked}, approved by {override.approved_by}"
    return f"{asked}, waits: controlplane rollouts approve-override {override.id} --actor YOU"
