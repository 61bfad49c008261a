"""`controlplane audit …`: who did what, when, on whose approval, and why."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from controlplane.audit_views import why_view
from controlplane.cli.audit_output import (
    As,
    EventsAs,
    nothing,
    print_counts,
    print_deeds,
    print_timeline,
    print_told,
    print_why,
)
from controlplane.cli.output import Json, line, opened, print_json, progress
from controlplane.cli.standing import Id
from controlplane.plane.questions import Question, Which
from events.event import ActorKind
from projections.audit import Slice

app = typer.Typer(help="Ask history: who, what, when, on whose approval.", no_args_is_help=True)

Report = Literal["html", "markdown"]
Actor = Annotated[str | None, typer.Option(help="Whose doing, by id.")]
Since = Annotated[str | None, typer.Option(help="ISO 8601 with a zone: 2026-11-20T14:05Z.")]
Until = Annotated[str | None, typer.Option(help="ISO 8601 with a zone, exclusive.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
Types = Annotated[
    list[str], typer.Option("--type", help="A stored name, or flag.* and the like. Repeatable.")
]
Groups = Annotated[
    list[str],
    typer.Option(help="Count instead: by actor, kind, type, stream, day, hour. Repeatable."),
]
OldestFirst = Annotated[bool, typer.Option("--oldest-first")]


def _asked(
    actor: str | None, since: str | None, until: str | None, limit: int, *, oldest_first: bool
) -> Question:
    return {
        "actor": actor,
        "since": since,
        "until": until,
        "limit": limit,
        "newest_first": not oldest_first,
    }


@app.command("who-changed")
def who_changed(
    flag: Annotated[str, typer.Argument(help="The flag.")],
    *,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    oldest_first: OldestFirst = False,
    form: As = "table",
    as_json: Json = False,
) -> None:
    """Show every change of a flag: by whom, by which token, on whose approval."""
    asked = _asked(actor, since, until, limit, oldest_first=oldest_first)
    with opened() as plane:
        found = plane.audit.who_changed(flag, **asked)
    print_deeds("json" if as_json else form, found, "No change matches.")


@app.command()
def approvals(
    rollout: Annotated[str | None, typer.Argument(help="Default: all rollouts.")] = None,
    *,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    oldest_first: OldestFirst = False,
    form: As = "table",
    as_json: Json = False,
) -> None:
    """Show what people agreed to, turned down, signed or took back, and who had asked for it."""
    asked = _asked(actor, since, until, limit, oldest_first=oldest_first)
    with opened() as plane:
        found = plane.audit.approvals(rollout, **asked)
    print_deeds("json" if as_json else form, found, "Nobody agreed to anything.")


@app.command()
def denied(
    *,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
    text: Annotated[str | None, typer.Option(help="What the refusal says.")] = None,
    limit: Limit = 50,
    oldest_first: OldestFirst = False,
    form: As = "table",
    as_json: Json = False,
) -> None:
    """Show what was refused over HTTP: to whom, from where, and why."""
    asked = _asked(actor, since, until, limit, oldest_first=oldest_first)
    asked["text"] = text
    with opened() as plane:
        found = plane.audit.denied(**asked)
    print_told("json" if as_json else form, found, "Nothing was refused.")


@app.command()
def timeline(rollout: Id, *, form: As = "table", as_json: Json = False) -> None:
    """Show all that happened to a rollout, its flag, its alerts, and freezes meanwhile."""
    with opened() as plane:
        found = plane.audit.timeline(rollout)
    print_timeline("json" if as_json else form, found)


@app.command()
def why(
    position: Annotated[int, typer.Argument(min=1, help="A log position.")],
    *,
    as_json: Json = False,
) -> None:
    """Show what led to an event, from the first cause on, and what it led to, as a tree."""
    with opened() as plane:
        found = plane.audit.why(position)
    if as_json:
        print_json(why_view(found))
    else:
        print_why(found)


@app.command()
def report(
    rollout: Id,
    *,
    form: Annotated[Report, typer.Option("--format")] = "html",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: standard output.")
    ] = None,
    at: Annotated[
        int | None, typer.Option(min=1, help="As of this log position; default: the last one.")
    ] = None,
    walk_log: Annotated[
        bool, typer.Option(help="Walk the hash chain, which takes a while if it is long.")
    ] = True,
) -> None:
    """Write all that an auditor reads about a rollout, in one file. A position gives one report."""
    from controlplane.reports.writing import write  # noqa: PLC0415  why: seldom needed

    with opened() as plane, progress("verifying the log") as moved:
        found = plane.audit.report(rollout, at=at, walk_log=walk_log, progress=moved)
    text = write(found, form)
    if output is None:
        sys.stdout.write(text)
        return
    output.write_text(text, encoding="utf-8")
    line(f"{rollout} as of log position {found.position}, in {output}")


@app.command()
def events(
    *,
    slice_: Annotated[Slice | None, typer.Option("--slice", help="A part of the house.")] = None,
    type_: Types = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    stream: Annotated[str | None, typer.Option(help="As in flag-batch-patches-v1.")] = None,
    actor: Actor = None,
    kind: Annotated[ActorKind | None, typer.Option(help="Of the actor.")] = None,
    correlation: Annotated[str | None, typer.Option(help="What it belongs to: a rollout.")] = None,
    text: Annotated[str | None, typer.Option(help="What a reason, note or finding says.")] = None,
    since: Since = None,
    until: Until = None,
    clock: Annotated[Which, typer.Option(help="Of who told it, or of the log.")] = "occurred",
    after: Annotated[int, typer.Option(min=0, help="Only positions above this one.")] = 0,
    before: Annotated[int | None, typer.Option(min=0, help="Only positions below it.")] = None,
    limit: Limit = 50,
    oldest_first: OldestFirst = False,
    group_by: Groups = [],  # noqa: B006  why: idem
    form: EventsAs = "table",
    as_json: Json = False,
) -> None:
    """Ask anything: events that meet all conditions, or how many there are of each kind."""
    asked = _asked(actor, since, until, limit, oldest_first=oldest_first)
    asked |= {"slice": slice_, "type": type_ or None, "stream": stream, "kind": kind}
    asked |= {"correlation_id": correlation, "text": text, "clock": clock}
    asked |= {"after": after, "before": before}
    form = "json" if as_json else form
    with opened() as plane:
        if group_by:
            print_counts(form, plane.audit.count(group_by, **asked), list(dict.fromkeys(group_by)))
        else:
            print_told(form, plane.audit.events(**asked), nothing(type_))
