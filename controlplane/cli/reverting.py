"""`controlplane flags revert`."""

from typing import Annotated

import typer

from controlplane.cli.output import Actor, Json, opened, say, who
from controlplane.cli.past import place
from controlplane.views import flag_view

app = typer.Typer()


@app.command()
def revert(
    name: Annotated[str, typer.Argument(help="The flag.")],
    at: Annotated[str, typer.Option(help="A moment (ISO 8601 with a zone) or a log position.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")],
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Lead a flag back to how it stood: exposure, on or off, variants, description."""
    with opened() as plane:
        flag = plane.flags.revert(name, place(at), reason=reason, actor=who(actor))
    say(f"{name} stands as it stood at {at}", as_json, lambda: flag_view(flag))
