"""Any moment at the terminal: `--at`, and `controlplane diff`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from controlplane.cli.output import (
    Json,
    line,
    opened,
    print_json,
    print_table,
    progress,
    when,
)
from controlplane.cli.texts import shown
from controlplane.history.past import Known, Past
from controlplane.past_views import differences_view
from controlplane.plane import ControlPlane
from controlplane.plane.moments import When

At = Annotated[
    str | None,
    typer.Option("--at", help="A moment (ISO 8601 with a zone) or a log position; default: now."),
]
AsKnown = Annotated[
    Known,
    typer.Option("--known", help="now: with what was recorded later of what had happened by then."),
]


def place(at: str) -> When:
    """A log position where it is a number, else a moment."""
    return int(at) if at.isascii() and at.isdecimal() else at


@contextmanager
def as_of(
    at: str | None, known: Known = "then", *, as_json: bool = False
) -> Iterator[ControlPlane | Past]:
    """The present, or the past that is asked for; people are told which."""
    with opened() as plane:
        if at is None:
            yield plane
            return
        past = plane.as_of(place(at), known)
        if not as_json:
            line(f"as of {_of(past)}")
        yield past


@contextmanager
def folded(
    at: str | None, known: Known = "then", *, as_json: bool = False
) -> Iterator[ControlPlane | Past]:
    """The same, for questions to all flags: where no snapshots are, they are taken first."""
    if at is not None:
        with opened() as plane, progress("taking snapshots") as moved:
            plane.projections.take_snapshots(moved)
    with as_of(at, known, as_json=as_json) as asked:
        yield asked


def _of(past: Past) -> str:
    later = ", with what came in later" if past.known == "now" else ""
    return f"{when(past.moment) or 'the beginning'}, log position {past.position}{later}"


def diff(
    before: Annotated[str, typer.Argument(help="A moment, or a log position.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    *,
    known: AsKnown = "then",
    as_json: Json = False,
) -> None:
    """Show what changed: flags, rollouts, alerts, incidents, freezes, totals."""
    with opened() as plane:
        with progress("taking snapshots") as moved:
            plane.projections.take_snapshots(moved)
        found = plane.diff(place(before), place(after), known)
    if as_json:
        print_json(differences_view(found))
        return
    line(f"from {_of(found.before)}")
    line(f"to   {_of(found.after)}")
    rows = [
        (c.projection, c.key.removeprefix("alert-"), c.fact, shown(c.before), shown(c.after))
        for c in found.changes
    ]
    print_table(("", "of", "what", "before", "after"), rows, "Nothing differs.")
