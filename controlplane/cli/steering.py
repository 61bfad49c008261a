"""`controlplane rollouts …`: what people do to one that runs."""

from typing import Annotated

import typer

from controlplane.cli.output import Actor, Json, opened, say, when, who, who_exactly
from controlplane.cli.standing import Id, Why, tell
from controlplane.plane import ControlPlane
from controlplane.views import checklist_view, rollout_view
from events.judgements import Verdict
from projections.interventions import Override
from projections.rollouts import Rollout

app = typer.Typer()

ProposalId = Annotated[str, typer.Argument(help="The proposal, as in batch-patches-v1-r1-p1.")]
OverrideId = Annotated[str, typer.Argument(help="The override, as in batch-patches-v1-r1-o1.")]
Criterion = Annotated[str, typer.Argument(help="A criterion of the present wave, by its name.")]
Item = Annotated[str, typer.Argument(help="An item of the checklist, or a manual criterion.")]


@app.command()
def evaluate(rollout: Id, *, as_json: Json = False) -> None:
    """Take one look now, record what is new and act on it, as the scheduler does."""
    with opened() as plane:
        tell(plane.rollouts.evaluate(rollout), as_json=as_json)


@app.command()
def approve(
    proposal: ProposalId, *, reason: Why = "", actor: Actor = "", as_json: Json = False
) -> None:
    """Approve a proposal: with the last approval it needs, its wave is promoted at once."""
    with opened() as plane:
        rollout = plane.rollouts.approve(proposal, actor=who_exactly(actor), reason=reason)
    tell(rollout, as_json=as_json)


@app.command()
def reject(proposal: ProposalId, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Turn a proposal down: the wave is held until somebody else than its askers resumes it."""
    with opened() as plane:
        rollout = plane.rollouts.reject(proposal, actor=who(actor), reason=reason)
    tell(rollout, as_json=as_json)


@app.command()
def withdraw(
    proposal: ProposalId, reason: Why, *, actor: Actor = "", as_json: Json = False
) -> None:
    """Take a proposal back: the wave is held until somebody resumes it."""
    with opened() as plane:
        rollout = plane.rollouts.withdraw(proposal, actor=who(actor), reason=reason)
    tell(rollout, as_json=as_json)


@app.command()
def skip(rollout: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Propose to go on without the evidence; others must approve. Never after a failure."""
    with opened() as plane:
        found = plane.rollouts.skip(rollout, actor=who(actor), reason=reason)
    made = found.proposals[-1]
    say(
        f"{made.id} proposes to skip {found.wave_name}, on to {made.to}; others must approve: "
        f"controlplane rollouts approve {made.id} --actor SOMEBODY_ELSE",
        as_json,
        lambda: rollout_view(found),
    )


@app.command()
def pause(rollout: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Hold the wave and its clock. What is served stays, guardrails go on."""
    with opened() as plane:
        tell(plane.rollouts.pause(rollout, actor=who(actor), reason=reason), as_json=as_json)


@app.command()
def resume(rollout: Id, *, reason: Why = "", actor: Actor = "", as_json: Json = False) -> None:
    """Release what people hold it by: a pause, a rejection, a withdrawal."""
    with opened() as plane:
        tell(plane.rollouts.resume(rollout, actor=who(actor), reason=reason), as_json=as_json)


@app.command()
def extend(
    rollout: Id,
    by: Annotated[str, typer.Argument(help="By how much, as in 6h.")],
    reason: Why,
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Watch the present wave for longer."""
    with opened() as plane:
        found = plane.rollouts.extend_bake(rollout, by, actor=who(actor), reason=reason)
    text = f"{found.id}: {found.wave_name} is watched for {by} longer than before"
    say(text, as_json, lambda: rollout_view(found))


@app.command()
def override(
    rollout: Id,
    criterion: Criterion,
    reason: Why,
    *,
    lasts: Annotated[str, typer.Option("--for", help="How long, up to 30d.")] = "24h",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Ask that a criterion need not pass in this wave. It never excuses a FAIL."""
    with opened() as plane:
        found = plane.rollouts.request_override(
            rollout, criterion, actor=who(actor), reason=reason, lasts=lasts
        )
    _tell_override(found, found.interventions.overrides[-1], as_json=as_json)


def _tell_override(rollout: Rollout, made: Override, *, as_json: bool) -> None:
    text = f"{made.id}: {made.criterion} need not pass until {when(made.expires_at)}"
    if not made.approved_by:
        text += (
            ", once a second person agrees: controlplane rollouts approve-override "
            f"{made.id} --actor SOMEBODY_ELSE"
        )
    say(text, as_json, lambda: rollout_view(rollout))


@app.command("approve-override")
def approve_override(
    override: OverrideId, *, reason: Why = "", actor: Actor = "", as_json: Json = False
) -> None:
    """Agree to an override, as a second person."""
    with opened() as plane:
        found = plane.rollouts.approve_override(override, actor=who_exactly(actor), reason=reason)
    (made,) = (one for one in found.interventions.overrides if one.id == override)
    _tell_override(found, made, as_json=as_json)


@app.command("withdraw-override")
def withdraw_override(
    override: OverrideId, reason: Why, *, actor: Actor = "", as_json: Json = False
) -> None:
    """End an override, approved or not."""
    with opened() as plane:
        found = plane.rollouts.withdraw_override(override, actor=who(actor), reason=reason)
    say(f"{override} is withdrawn", as_json, lambda: rollout_view(found))


@app.command("sign-off")
def sign_off(
    rollout: Id,
    item: Item,
    *,
    role: Annotated[str, typer.Option(help="As what you sign, where the item asks for it.")] = "",
    note: Annotated[str, typer.Option(help="What you vouch for.")] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Vouch for an item of the checklist, or for a manual criterion of the present wave."""
    with opened() as plane:
        plane.rollouts.sign_off(rollout, item, actor=who_exactly(actor), role=role, note=note)
        _tell_item(plane, rollout, item, as_json=as_json)


def _tell_item(plane: ControlPlane, rollout: str, item: str, *, as_json: bool) -> None:
    """How many signatures count: one in another role than the item asks for does not."""
    status = plane.rollouts.status(rollout)
    have = "is not on the checklist"
    for one in checklist_view(status):
        if one["item"] == item:
            role = f" by {one['role']}" if one["role"] else ""
            have = f"has {one['signed']} of {one['needed']} sign-offs{role}"
    say(f"{rollout}: {item} {have}", as_json, lambda: rollout_view(status.rollout))


@app.command("withdraw-sign-off")
def withdraw_sign_off(
    rollout: Id, item: Item, reason: Why, *, actor: Actor = "", as_json: Json = False
) -> None:
    """No longer vouch for it."""
    with opened() as plane:
        plane.rollouts.withdraw_sign_off(rollout, item, actor=who(actor), reason=reason)
        _tell_item(plane, rollout, item, as_json=as_json)


@app.command()
def answer(
    rollout: Id,
    criterion: Criterion,
    verdict: Annotated[Verdict, typer.Argument(case_sensitive=False)],
    *,
    detail: Annotated[str, typer.Option(help="What was found.")] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Say what something outside found about an external criterion of the present wave."""
    with opened() as plane:
        found = plane.rollouts.answer(rollout, criterion, verdict, actor=who(actor), detail=detail)
    text = f"{found.id}: {criterion} answered {verdict}; it counts from the next look on"
    say(text, as_json, lambda: rollout_view(found))


@app.command()
def abort(rollout: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Roll back: the flag is off for everyone when this returns. Cancels one not started."""
    with opened() as plane:
        tell(plane.rollouts.abort(rollout, actor=who(actor), reason=reason), as_json=as_json)
