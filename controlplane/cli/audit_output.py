"""How answers from history are printed: for people, for programs, for spreadsheets."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, Literal, TypeVar

import typer
from rich.text import Text
from rich.tree import Tree

from controlplane.audit_views import (
    COLUMNS,
    DEED_COLUMNS,
    count_view,
    deed_row,
    deed_view,
    event_row,
    happening_view,
    told_view,
)
from controlplane.cli.output import clean, console, print_json, print_table, to_json, when
from controlplane.csv_tables import to_csv
from controlplane.sentences import sentence
from controlplane.views import Json
from events.catalog import CATALOG
from events.cloudevents import to_cloudevent
from events.event import Event, RecordedEvent
from events.log import Count
from projections.audit import Deed, Effect, Happening, Why

T = TypeVar("T")
Recorded = RecordedEvent[Event]
NOTHING = "No event matches."


Form = Literal["table", "json", "ndjson", "csv"]
EventForm = Literal["table", "json", "ndjson", "csv", "cloudevents"]
_FORMAT = typer.Option("--format", help="For people, programs or spreadsheets.")
As = Annotated[Form, _FORMAT]
EventsAs = Annotated[EventForm, _FORMAT]


def nothing(types: Iterable[str]) -> str:
    """That no event was found; of a type that is a beginning only, how to ask for it."""
    for one in types:
        if not one.endswith("*") and any(name.startswith(f"{one}.") for name in CATALOG):
            return f"{NOTHING} No type is called {one}; for all that begin so: --type '{one}.*'"
    return NOTHING


def print_rows(
    form: EventForm,
    things: Sequence[T],
    view: Callable[[T], Json],
    columns: Sequence[str],
    row: Callable[[T], Sequence[object]],
) -> None:
    """In a form for programs or spreadsheets."""
    if form == "json":
        print_json([view(one) for one in things])
    elif form == "csv":
        sys.stdout.write(to_csv(columns, map(row, things)))
    else:
        for one in things:
            sys.stdout.write(to_json(view(one)) + "\n")


def print_told(form: EventForm, found: Sequence[Recorded], empty: str) -> None:
    """Events."""
    if form == "cloudevents":
        for event in found:
            sys.stdout.write(to_json(to_cloudevent(event)) + "\n")
        return
    if form != "table":
        print_rows(form, found, told_view, COLUMNS, event_row)
        return
    rows = [(e.position, when(e.occurred_at), _by(e), e.type, sentence(e.event)) for e in found]
    print_table(("position", "time", "by", "event", "what"), rows, empty)


def print_deeds(form: Form, found: Sequence[Deed], empty: str) -> None:
    """What was done, and who stands behind it."""
    if form != "table":
        print_rows(form, found, deed_view, DEED_COLUMNS, deed_row)
        return
    rows = [
        (
            one.event.position,
            when(one.event.occurred_at),
            _by(one.event),
            one.command.event.token or "open" if one.command is not None else "",
            ", ".join(one.behind.asked),
            ", ".join(one.behind.agreed),
            sentence(one.event.event),
        )
        for one in found
    ]
    columns = ("position", "time", "by", "token", "asked by", "agreed by", "what")
    print_table(columns, rows, empty)


def print_counts(form: EventForm, found: Sequence[Count], by: Sequence[str]) -> None:
    """How many events there are of each kind."""
    columns = (*by, "events")
    rows = [(*one.values, one.count) for one in found]
    if form == "table":
        print_table(columns, rows, NOTHING)
        return
    print_rows(form, found, partial(count_view, by=by), columns, lambda c: (*c.values, c.count))


def print_timeline(form: Form, found: Sequence[Happening]) -> None:
    """What happened, the first first."""
    if form != "table":
        print_rows(form, found, happening_view, COLUMNS, lambda one: event_row(one.event))
        return
    rows = [
        (
            one.event.position,
            when(one.event.occurred_at),
            _by(one.event),
            one.event.type,
            sentence(one.event.event) + repeated(one),
        )
        for one in found
    ]
    print_table(("position", "time", "by", "event", "what"), rows, "")


def repeated(one: Happening) -> str:
    """How often it was found again."""
    if not one.repeats:
        return ""
    last = one.repeats[-1]
    times = "once" if len(one.repeats) == 1 else f"{len(one.repeats)} times"
    return f" (found again {times}, until {when(last.occurred_at)})"


def print_why(found: Why) -> None:
    """A tree: the first cause at its root, what was asked about in bold."""
    first, *causes = (*found.causes, found.event)
    tree = branch = Tree(_leaf(first, asked=first is found.event), guide_style="dim")
    for event in causes:
        branch = branch.add(_leaf(event, asked=event is found.event))
    _grow(branch, found.effects)
    if found.missing is not None:
        console.print(clean(f"led to by {found.missing}, which is not in this log"))
    console.print(tree, soft_wrap=True)
    if found.more:
        console.print("… and it led to more.")


def _grow(branch: Tree, effects: Sequence[Effect]) -> None:
    for effect in effects:
        _grow(branch.add(_leaf(effect.event)), effect.effects)


def _leaf(event: Recorded, *, asked: bool = False) -> Text:
    text = clean(f"{event.position}  {when(event.occurred_at)}  {_by(event)}  {event.type}  ")
    text.append_text(clean(sentence(event.event)))
    text.stylize("bold" if asked else "")
    return text


def _by(event: Recorded) -> str:
    kind = "" if event.actor.kind == "person" else f" ({event.actor.kind})"
    return f"{event.actor.id}{kind}"
