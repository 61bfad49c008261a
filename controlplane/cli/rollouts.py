"""`controlplane rollouts …`."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from controlplane import plans
from controlplane.cli.output import (
    Actor,
    Json,
    console,
    line,
    opened,
    print_json,
    print_table,
    say,
    styled,
    when,
    who,
    who_exactly,
)
from controlplane.plane.rollouts import Status
from controlplane.plans import FOUR_WAVES
from controlplane.views import plan_view, proposal_view, rollout_view, status_view
from projections.rollouts import Rollout

app = typer.Typer(help="Waves: start, judge, propose, approve, roll back.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The rollout, as in batch-patches-v1-r1.")]
ProposalId = Annotated[str, typer.Argument(help="The proposal, as in batch-patches-v1-r1-p1.")]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", help="A YAML or JSON plan; default: the built-in one.")
]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List all rollouts, the latest first."""
    with opened() as plane:
        rollouts = plane.rollouts.all()
    if as_json:
        print_json([rollout_view(rollout) for rollout in rollouts])
        return
    rows = [(r.id, r.state, r.wave_name, styled(r.verdict), r.reason) for r in rollouts]
    hint = "No rollouts yet. Start one: controlplane rollouts start FLAG"
    print_table(("rollout", "state", "wave", "verdict", "because"), rows, hint)


@app.command()
def start(
    flag: Annotated[str, typer.Argument(help="The flag to roll out.")],
    *,
    plan: PlanFile = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Start a rollout: wave 1 is entered at once."""
    wanted = plans.read(plan) if plan else FOUR_WAVES
    with opened() as plane:
        rollout = plane.rollouts.start(wanted, flag=flag, actor=who(actor))
    _tell(rollout, as_json=as_json)


def _tell(rollout: Rollout, *, as_json: bool) -> None:
    state = rollout.state.replace("_", " ")
    say(
        f"{rollout.id} is {state}, {rollout.wave_name} at {rollout.percentage:g} %: "
        f"{rollout.reason}",
        as_json,
        lambda: rollout_view(rollout),
    )


@app.command()
def status(rollout: Id, *, as_json: Json = False) -> None:
    """Show where a rollout stands and what it waits for, judged now."""
    with opened() as plane:
        found = plane.rollouts.status(rollout)
    if as_json:
        print_json(status_view(found))
    else:
        _print_status(found)


def _print_status(status: Status) -> None:
    rollout, wave = status.rollout, status.evidence
    line(
        f"{rollout.id}: {rollout.state.replace('_', ' ')}, {rollout.wave_name} "
        f"(stage {rollout.wave} of {rollout.waves + (status.plan.soak is not None)}), "
        f"{status.flag.percentage:g} % since {when(rollout.wave_entered_at)}"
    )
    if status.assessment is None:
        line(f"  {rollout.reason}")
        return
    console.print(f"  {wave.executions} executions in this wave, {wave.failed} failed")
    rows = [
        (f"  {j.criterion}", styled(j.verdict), j.sentence) for j in status.assessment.judgements
    ]
    print_table(("  criterion", "verdict", "because"), rows, "")
    if rollout.proposal is not None:
        line(
            f"  proposal {rollout.proposal.id} to {rollout.proposal.to} waits for approval: "
            f"controlplane rollouts approve {rollout.proposal.id} --actor YOU"
        )


@app.command()
def evaluate(rollout: Id, *, as_json: Json = False) -> None:
    """Take one look now, record what is new and act on it, as the scheduler does."""
    with opened() as plane:
        _tell(plane.rollouts.evaluate(rollout), as_json=as_json)


@app.command()
def proposals(*, as_json: Json = False) -> None:
    """List the proposals that wait for a person."""
    with opened() as plane:
        found = plane.rollouts.proposals()
    if as_json:
        print_json([proposal_view(p) | {"rollout": rollout.id} for rollout, p in found])
        return
    rows = [
        (p.id, f"{rollout.wave_name} → {p.to}", rollout.requested_by, when(p.expires_at))
        for rollout, p in found
    ]
    columns = ("proposal", "promotes", "not by", "expires")
    print_table(columns, rows, "No proposal waits.")


@app.command()
def approve(
    proposal: ProposalId, *, reason: Why = "", actor: Actor = "", as_json: Json = False
) -> None:
    """Approve a proposal: its wave is promoted at once."""
    with opened() as plane:
        rollout = plane.rollouts.approve(proposal, actor=who_exactly(actor), reason=reason)
    _tell(rollout, as_json=as_json)


@app.command()
def reject(proposal: ProposalId, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Turn a proposal down."""
    with opened() as plane:
        rollout = plane.rollouts.reject(proposal, actor=who(actor), reason=reason)
    _tell(rollout, as_json=as_json)


@app.command()
def abort(rollout: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Roll back: the flag is off for everyone when this returns."""
    with opened() as plane:
        _tell(plane.rollouts.abort(rollout, actor=who(actor), reason=reason), as_json=as_json)


@app.command()
def plan(
    rollout: Annotated[str | None, typer.Argument(help="Default: the built-in plan.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Print the plan that a rollout runs, or the built-in one, as YAML to start from."""
    if rollout is None:
        if as_json:
            print_json(plan_view(FOUR_WAVES))
        else:
            typer.echo(plans.BUILT_IN, nl=False)
        return
    with opened() as plane:
        found = plan_view(plans.recorded(plane.rollouts.get(rollout).plan))
    if as_json:
        print_json(found)
    else:
        typer.echo(yaml.safe_dump(_in_reading_order(found), sort_keys=False), nl=False)


_FIRST = ("kind", "name", "waves", "audience", "percentage", "hold", "bound", "quantile")


def _in_reading_order(data: Any) -> Any:
    """What a thing is before how it is tuned."""
    if isinstance(data, list):
        return [_in_reading_order(one) for one in data]
    if not isinstance(data, dict):
        return data
    keys = sorted(data, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    return {key: _in_reading_order(data[key]) for key in keys}
