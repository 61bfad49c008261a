"""The terminal: `controlplane --help`."""

from typing import Annotated

import typer

from controlplane.cli import (
    access,
    alerts,
    audit,
    flags,
    freezes,
    history,
    incidents,
    operations,
    proof,
    rollouts,
    webhooks,
)
from controlplane.cli.demo import demo
from controlplane.cli.output import Chosen, RefusingGroup
from controlplane.cli.past import diff
from controlplane.cli.rehearse import rehearse
from controlplane.cli.replay import replay
from controlplane.cli.serve import serve
from controlplane.cli.workload import workload

app = typer.Typer(
    cls=RefusingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Takes a risky change to production in waves, and can prove afterwards why.",
)


@app.callback()
def choose(
    *,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="CONTROLPLANE_DATABASE_URL",
            help="sqlite:///FILE or postgresql://…",
            show_default="sqlite:///controlplane.db",
        ),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(envvar="CONTROLPLANE_ENVIRONMENT", show_default="production")
    ] = None,
) -> None:
    """Choose the database and the environment in it."""
    Chosen.database = database
    Chosen.environment = environment


app.command()(demo)
app.command()(diff)
app.command()(rehearse)
app.command()(replay)
app.command()(serve)
app.command()(workload)
app.add_typer(flags.app, name="flags")
app.add_typer(rollouts.app, name="rollouts")
app.add_typer(alerts.app, name="alerts")
app.add_typer(incidents.app, name="incidents")
app.add_typer(freezes.app, name="freezes")
app.add_typer(access.app, name="access")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(audit.app, name="audit")
app.add_typer(history.events, name="events")
history.log.add_typer(proof.app)
app.add_typer(history.log, name="log")
app.add_typer(operations.projections, name="projections")
app.add_typer(operations.db, name="db")

__all__ = ["app"]
