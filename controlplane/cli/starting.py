"""`controlplane rollouts …`: from the draft to wave 1, and once more."""

from pathlib import Path
from typing import Annotated

import typer

from controlplane import plans
from controlplane.cli.output import Actor, Json, opened, who, who_exactly
from controlplane.cli.standing import Id, Why, tell
from controlplane.errors import InvalidInput, RolloutNotFound
from controlplane.plane import ControlPlane
from controlplane.plans import FOUR_WAVES

app = typer.Typer()

PlanFile = Annotated[
    Path | None, typer.Option("--plan", help="A YAML or JSON plan; default: the built-in one.")
]
Flag = Annotated[str, typer.Argument(help="The flag to roll out.")]


@app.command()
def draft(flag: Flag, *, plan: PlanFile = None, actor: Actor = "", as_json: Json = False) -> None:
    """Ask for a rollout, to be signed off, approved and started later."""
    wanted = plans.read(plan) if plan else FOUR_WAVES
    with opened() as plane:
        rollout = plane.rollouts.draft(wanted, flag=flag, actor=who(actor))
    tell(rollout, as_json=as_json)


@app.command()
def revise(
    rollout: Id,
    plan: Annotated[Path, typer.Option(help="The YAML or JSON plan it is to have.")],
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Give one that has not started another plan; its approvals begin anew."""
    wanted = plans.read(plan)
    with opened() as plane:
        tell(plane.rollouts.revise(rollout, wanted, actor=who(actor)), as_json=as_json)


@app.command()
def submit(
    rollout: Id,
    *,
    start_at: Annotated[
        str | None,
        typer.Option(help="When it starts by itself once approved: ISO 8601 with a zone."),
    ] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Ask for approval to start."""
    with opened() as plane:
        found = plane.rollouts.submit(rollout, actor=who(actor), start_at=start_at)
    tell(found, as_json=as_json)


@app.command("approve-start")
def approve_start(
    rollout: Id, *, reason: Why = "", actor: Actor = "", as_json: Json = False
) -> None:
    """Agree to the start, as somebody else than who asked for it."""
    with opened() as plane:
        found = plane.rollouts.approve_start(rollout, actor=who_exactly(actor), reason=reason)
    tell(found, as_json=as_json)


@app.command("reject-start")
def reject_start(rollout: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Send it back to its authors: it is a draft again."""
    with opened() as plane:
        found = plane.rollouts.reject_start(rollout, actor=who(actor), reason=reason)
    tell(found, as_json=as_json)


@app.command()
def start(
    what: Annotated[
        str,
        typer.Argument(
            help="The flag to roll out, or a rollout that was drafted.", metavar="FLAG|ROLLOUT"
        ),
    ],
    *,
    plan: PlanFile = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Start a rollout of a flag, or one that was drafted: wave 1 is entered at once."""
    with opened() as plane:
        if not _is_a_rollout(plane, what):
            wanted = plans.read(plan) if plan else FOUR_WAVES
            rollout = plane.rollouts.start(wanted, flag=what, actor=who(actor))
        elif plan is None:
            rollout = plane.rollouts.start(rollout=what, actor=who(actor))
        else:
            raise InvalidInput(
                reason=f"rollout {what} has its plan; to give it another one: "
                f"controlplane rollouts revise {what} --plan {plan}"
            )
    tell(rollout, as_json=as_json)


def _is_a_rollout(plane: ControlPlane, id_: str) -> bool:
    try:
        plane.rollouts.get(id_)
    except RolloutNotFound:
        return False
    return True


@app.command()
def retry(rollout: Id, *, actor: Actor = "", as_json: Json = False) -> None:
    """Try again with the same plan, as a new attempt, of which nothing is decided yet."""
    with opened() as plane:
        tell(plane.rollouts.retry(rollout, actor=who(actor)), as_json=as_json)
