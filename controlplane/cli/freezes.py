"""`controlplane freezes …`."""

from typing import Annotated

import typer

from controlplane import freezes
from controlplane.cli.output import (
    Actor,
    Json,
    opened,
    print_json,
    print_table,
    say,
    when,
    who,
)
from controlplane.errors import InvalidInput
from controlplane.operating_views import freeze_view
from events.timestamps import Timestamp
from projections.freezes import Freeze

app = typer.Typer(help="When nothing is promoted.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The freeze, as in freeze-3.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
_STOP = "Nothing is frozen. Stop the line: controlplane freezes declare --reason WHY"


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the freezes that stand."""
    with opened() as plane:
        found, now = plane.freezes.all(), plane.clock()
    views = [(freeze, freeze_view(freeze, now)) for freeze in found]
    if not every:
        views = [(f, view) for f, view in views if view["in_effect"] or view["next_start"]]
    if as_json:
        print_json([view for _, view in views])
        return
    rows = [
        (f.id, f.name, _state(f, now), ", ".join(f.flags) or "all", f.declared_by, f.reason)
        for f, _ in views
    ]
    print_table(("freeze", "name", "state", "flags", "by", "because"), rows, _STOP)


@app.command()
def declare(
    reason: Why,
    *,
    until: Annotated[
        str, typer.Option(help="ISO 8601 with a zone.", show_default="until lifted")
    ] = "",
    flag: Annotated[
        list[str], typer.Option(help="Whose promotions it holds. Repeatable.", show_default="all")
    ] = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    starts: Annotated[
        str, typer.Option(help="A window's first begin, in local time: 2026-11-27T16:00.")
    ] = "",
    duration: Annotated[str, typer.Option(help="How long a window is: 63h.")] = "",
    rrule: Annotated[
        str, typer.Option(help="When a window comes back: 'FREQ=WEEKLY;BYDAY=FR'.")
    ] = "",
    timezone: Annotated[
        str, typer.Option(help="The window's, as in Europe/Berlin.", show_default="UTC")
    ] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Promote nothing: from now on, or in the windows of a calendar."""
    given = {"rrule": rrule, "starts": starts, "duration": duration, "timezone": timezone}
    window = {field: value for field, value in given.items() if value}
    if window and not (name and starts and duration):
        raise InvalidInput(reason="a window needs --name, --starts and --duration")
    with opened(may_create=True) as plane:
        freeze = plane.freezes.declare(
            reason=reason,
            actor=who(actor),
            until=until or None,
            flags=flag,
            window=window or None,
            name=name,
        )
        now = plane.clock()
    text = f"{freeze.id} holds the promotions of {', '.join(freeze.flags) or 'all flags'}: "
    say(text + _state(freeze, now), as_json, lambda: freeze_view(freeze, now))


@app.command()
def lift(freeze: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """End a freeze, for good."""
    with opened() as plane:
        lifted = plane.freezes.lift(freeze, actor=who(actor), reason=reason)
        now = plane.clock()
    say(f"{lifted.id} is lifted", as_json, lambda: freeze_view(lifted, now, lifted=True))


def _state(freeze: Freeze, now: Timestamp) -> str:
    end = freezes.until(freeze, now)
    if end is not None:
        return f"until {'lifted' if end == freezes.UNTIL_LIFTED else when(end)}"
    following = freezes.next_start(freeze, now)
    return f"next {when(following)}" if following else "over"
