"""`controlplane events …` and `controlplane log …`: the record itself."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from controlplane.cli.audit_output import NOTHING, nothing
from controlplane.cli.output import (
    Json,
    opened,
    print_json,
    print_table,
    say,
    to_json,
    when,
)
from controlplane.operating_views import head_view
from controlplane.sentences import sentence
from controlplane.views import event_view
from events.event import Event, RecordedEvent
from events.log import follow as follow_log

events = typer.Typer(help="Ask the log, or watch it grow.", no_args_is_help=True)
log = typer.Typer(help="Prove that the record is intact; take it elsewhere.", no_args_is_help=True)

Type = Annotated[str | None, typer.Option("--type", help="A stored name, or flag.* and the like.")]
Stream = Annotated[str | None, typer.Option(help="One stream, as in flag-batch-patches-v1.")]


def print_events(found: Sequence[RecordedEvent[Event]], empty: str = NOTHING) -> None:
    """Events as people read them."""
    rows = [(e.position, when(e.occurred_at), e.actor.id, e.type, sentence(e.event)) for e in found]
    print_table(("position", "time", "actor", "event", "what"), rows, empty)


@events.command()
def query(
    *,
    type_: Type = None,
    stream: Stream = None,
    actor: Annotated[str | None, typer.Option(help="Who did it.")] = None,
    text: Annotated[str | None, typer.Option(help="What a reason, note or finding says.")] = None,
    correlation: Annotated[str | None, typer.Option(help="What it belongs to.")] = None,
    since: Annotated[str | None, typer.Option(help="ISO 8601, as in 2026-11-20T14:05Z.")] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601, exclusive.")] = None,
    after: Annotated[int, typer.Option(help="Only positions above this one.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    oldest_first: Annotated[bool, typer.Option("--oldest-first")] = False,
    as_json: Json = False,
) -> None:
    """Show events that meet all conditions, the newest first."""
    with opened() as plane:
        found = plane.events(
            stream=stream,
            type=type_,
            actor=actor,
            text=text,
            correlation_id=correlation,
            since=since,
            until=until,
            after=after,
            newest_first=not oldest_first,
            limit=limit,
        )
    if as_json:
        print_json([event_view(event) for event in found])
        return
    print_events(found, nothing([type_] if type_ else []))


@events.command()
def follow(
    *,
    after: Annotated[int | None, typer.Option(min=0, help="Default: from now on.")] = None,
    type_: Type = None,
    idle: Annotated[float | None, typer.Option(help="Stop after so many quiet seconds.")] = None,
) -> None:
    """Print every event as it is recorded, a JSON document a line, until interrupted."""
    wanted = (type_ or "*").removesuffix("*")
    exact = type_ is not None and not type_.endswith("*")
    with opened() as plane:
        start = plane.head().position if after is None else after
        for event in follow_log(plane.log, start, idle_timeout=idle):
            if event.type == type_ or (not exact and event.type.startswith(wanted)):
                sys.stdout.write(to_json(event_view(event)) + "\n")
                sys.stdout.flush()


@log.command()
def head(*, as_json: Json = False) -> None:
    """Print the last position and the hash that vouches for all before it. Keep it elsewhere."""
    with opened() as plane:
        found = plane.head()
    say(
        f"{found.position} {found.hash.hex()}",
        as_json,
        lambda: head_view(found),
    )
