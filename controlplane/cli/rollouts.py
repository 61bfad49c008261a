"""`controlplane rollouts …`: what there is to see. The verbs are beside it."""

from typing import Annotated, Any

import typer
import yaml

from controlplane import plans
from controlplane.cli import starting, steering
from controlplane.cli.history import print_events
from controlplane.cli.output import (
    Json,
    line,
    opened,
    print_json,
    print_table,
    progress,
    styled,
    when,
)
from controlplane.cli.past import AsKnown, At, folded, place
from controlplane.cli.standing import Id, print_status
from controlplane.plan_schema import json_schema
from controlplane.plane.verification import Verification
from controlplane.plans import FOUR_WAVES
from controlplane.views import (
    checklist_view,
    moment,
    plan_view,
    proposal_view,
    rollout_view,
    standing_view,
    status_view,
    verification_view,
)
from projections.promotions import Proposal
from projections.rollouts import BEFORE_START, Rollout

app = typer.Typer(help="Waves: start, judge, propose, approve, roll back.", no_args_is_help=True)

_HISTORY = 20


@app.command("list")
def list_(*, at: At = None, as_json: Json = False) -> None:
    """List all rollouts, the latest first."""
    with folded(at, as_json=as_json) as asked:
        rollouts = asked.rollouts.all()
    if as_json:
        print_json([rollout_view(rollout) for rollout in rollouts])
        return
    rows = [(r.id, r.state.replace("_", " "), r.wave_name, _verdict(r), r.reason) for r in rollouts]
    hint = "No rollouts yet. Start one: controlplane rollouts start FLAG"
    print_table(("rollout", "state", "wave", "verdict", "because"), rows, hint)


def _verdict(rollout: Rollout) -> object:
    return "" if rollout.phase in BEFORE_START else styled(rollout.verdict)


@app.command()
def status(rollout: Id, *, as_json: Json = False) -> None:
    """Show where a rollout stands and what it waits for, judged now."""
    with opened() as plane:
        found, schedule = plane.rollouts.status(rollout), plane.schedule()
    next_look_at = schedule.next_look_at(found.now) if schedule else None
    if as_json:
        print_json(status_view(found) | {"next_look_at": moment(next_look_at)})
        return
    print_status(found)
    if found.rollout.is_looked_at:
        nobody = "never: nobody looks at it. Run controlplane serve"
        line(f"  next look: {when(next_look_at) or nobody}")


@app.command()
def explain(
    rollout: Id,
    *,
    at: At = None,
    known: AsKnown = "then",
    as_json: Json = False,
) -> None:
    """Show why it stands where it does, or stood there at any moment, and what was decided."""
    with opened() as plane:
        if at is not None and known == "now":
            found = plane.as_of(place(at), known).rollouts.explain(rollout)
        else:
            found = plane.rollouts.explain(rollout, None if at is None else place(at))
    if as_json:
        print_json(standing_view(found))
        return
    line(f"as of {when(found.status.now)}, log position {found.position}")
    print_status(found.status)
    if len(found.history) > _HISTORY:
        line(
            f"the last {_HISTORY} of {len(found.history)} decisions; all: "
            f"controlplane events query --stream rollout-{rollout} --oldest-first"
        )
    print_events(found.history[-_HISTORY:])


@app.command()
def verify(rollout: Id, *, as_json: Json = False) -> None:
    """Judge again, from the log alone, all that was judged; exit with 1 where it differs."""
    with opened() as plane, progress("judging again") as moved:
        found = plane.rollouts.verify(rollout, moved)
    if as_json:
        print_json(verification_view(found))
    else:
        _print_verification(found)
    if not found.identical:
        raise typer.Exit(1)


def _print_verification(found: Verification) -> None:
    count = f"{_many(found.judgements, 'judgement')} and {_many(found.proposals, 'proposal')}"
    outcome = "identical" if found.identical else f"{len(found.differences)} differ"
    line(f"{count} recomputed from the log: {outcome}")
    if found.incomparable:
        line(f"{_many(found.incomparable, 'judgement')} of another evaluator: not recomputed")
    for one in found.differences:
        line(f"position {one.position}, {one.what}")
        line(f"  recorded:   {one.recorded}")
        line(f"  recomputed: {one.recomputed}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


@app.command()
def checklist(rollout: Id, *, as_json: Json = False) -> None:
    """List what people vouch for, before which stage it is due, and who has."""
    with opened() as plane:
        items = checklist_view(plane.rollouts.status(rollout))
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item["item"],
            item["before"],
            "required" if item["required"] else "reminder",
            item["role"] or "anyone",
            f"{item['signed']} of {item['needed']}",
            ", ".join(item["signed_by"]),
            item["text"],
        )
        for item in items
    ]
    columns = ("item", "before", "", "role", "signed", "by", "what must be so")
    print_table(columns, rows, "The plan has no checklist.")


@app.command()
def proposals(*, as_json: Json = False) -> None:
    """List the proposals that wait for people."""
    with opened() as plane:
        found = plane.rollouts.proposals()
    if as_json:
        print_json([proposal_view(p) | {"rollout": rollout.id} for rollout, p in found])
        return
    rows = [
        (
            p.id,
            f"{rollout.wave_name} → {p.to}" + (", skipped" if p.kind == "skip" else ""),
            f"{len(p.approvals)} of {p.needed}" + ("" if p.state == "open" else f", {p.state}"),
            ", ".join(_askers(rollout, p)),
            when(p.expires_at),
        )
        for rollout, p in found
    ]
    columns = ("proposal", "promotes", "approvals", "not by", "expires")
    print_table(columns, rows, "No proposal waits.")


def _askers(rollout: Rollout, proposal: Proposal) -> tuple[str, ...]:
    """Who may not approve it."""
    if proposal.kind == "skip" and proposal.proposed_by not in rollout.askers:
        return (*rollout.askers, proposal.proposed_by)
    return rollout.askers


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


_FIRST = ("kind", "name", "version", "start", "promotion", "before_start", "waves", "soak",
          "audience", "percentage", "hold", "bound", "quantile")  # fmt: skip


def _in_reading_order(data: Any) -> Any:
    """What a thing is before how it is tuned."""
    if isinstance(data, list):
        return [_in_reading_order(one) for one in data]
    if not isinstance(data, dict):
        return data
    keys = sorted(data, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    return {key: _in_reading_order(data[key]) for key in keys}


@app.command()
def schema() -> None:
    """Print the JSON Schema of plan files, for editors."""
    print_json(json_schema())


app.add_typer(starting.app)
app.add_typer(steering.app)
