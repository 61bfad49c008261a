"""`controlplane incidents …`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from controlplane.cli.output import (
    Actor,
    Json,
    line,
    opened,
    print_json,
    print_table,
    say,
    styled,
    when,
    who,
)
from controlplane.cli.past import At, folded
from controlplane.cli.texts import relative
from controlplane.durations import by_the_second, rough_duration
from controlplane.history.stories import Report
from controlplane.incident_views import incident_view, report_view, state_of
from controlplane.incidents import Measure
from controlplane.sentences import sentence
from events.alerts import Severity
from events.event import Event, RecordedEvent
from events.timestamps import SECOND, Timestamp
from projections.incidents import Incident

app = typer.Typer(help="What went wrong, with all that belongs to it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The incident, as in INC-1.")]


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    at: At = None,
    as_json: Json = False,
) -> None:
    """List the incidents that nobody has closed, the latest first."""
    with folded(at, as_json=as_json) as asked:
        found = asked.incidents.all() if every else asked.incidents.open()
    if as_json:
        print_json([incident_view(one) for one in found])
        return
    rows = [
        (
            *(one.id, styled(one.severity), state_of(one), when(one.opened_at), one.flag),
            *(len(one.alerts), one.reason),
        )
        for one in found
    ]
    columns = ("incident", "severity", "state", "opened", "flag", "alerts", "because")
    verb = "is" if at is None else "was"
    print_table(
        columns, rows, f"There {verb} no incident." if every else f"No incident {verb} open."
    )


@app.command()
def show(incident: Id, *, as_json: Json = False) -> None:
    """Show all that belongs to one: alerts, people, changes, and how fast each step was."""
    with opened() as plane:
        report = plane.incidents.report(incident)
    if as_json:
        print_json(report_view(report))
        return
    _print_report(report)


@app.command("open")
def open_(
    flag: Annotated[str, typer.Argument(help="The flag that something is wrong with.")],
    reason: Annotated[str, typer.Option(help="What is wrong.")],
    *,
    severity: Severity = "critical",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Open one by hand. Alerts on the flag join it until it is closed."""
    with opened() as plane:
        found = plane.incidents.declare(flag, reason=reason, severity=severity, actor=who(actor))
    _tell(found, as_json=as_json)


@app.command()
def note(
    incident: Id,
    text: Annotated[str, typer.Argument(metavar="NOTE", help="What you know.")],
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Write something down about one."""
    with opened() as plane:
        _tell(plane.incidents.note(incident, text, actor=who(actor)), as_json=as_json)


@app.command()
def close(
    incident: Id,
    reason: Annotated[str, typer.Option(help="The cause, and what was done.")],
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Close one by your word. An alert within 15 min opens it again."""
    with opened() as plane:
        _tell(plane.incidents.close(incident, reason=reason, actor=who(actor)), as_json=as_json)


@app.command()
def export(
    incident: Id,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: standard output.")
    ] = None,
) -> None:
    """Write all that its replay needs to one file: controlplane replay FILE opens it anywhere."""
    with opened() as plane:
        lines = list(plane.incidents.export(incident))
    if output is None:
        sys.stdout.write("".join(one.decode() for one in lines))
        return
    output.write_bytes(b"".join(lines))
    line(f"{len(lines) - 1} events of {incident} in {output}: controlplane replay {output}")


def _tell(incident: Incident, *, as_json: bool) -> None:
    say(_told(incident), as_json, lambda: incident_view(incident))


def _told(one: Incident) -> str:
    ended = f": {one.resolution}" if one.resolution else ""
    return f"{one.id} ({one.severity}) on {one.flag} is {state_of(one)}{ended}"


def _print_report(report: Report) -> None:
    one = report.incident
    line(_told(one))
    line(f"  {one.reason}")
    line(f"  opened {when(one.opened_at)} by {one.opened_by}" + _under(one))
    if one.acknowledged_at:
        line(f"  acknowledged {when(one.acknowledged_at)} by {one.acknowledged_by}")
    for alert in one.alerts:
        line(f"  alert {alert}" + (", open" if alert in one.open_alerts else ""))
    rows = [
        (f"  {m.name}", "" if m.took_us is None else _took(m.took_us), _target(m), _met(m))
        for m in report.measures
    ]
    print_table(("  step", "took", "target", ""), rows, "")
    for note in one.notes:
        line(f"  {when(note.at)} {note.by}: {note.note}")
    print_timeline(report.timeline, one.opened_at)
    line(f"replay it: controlplane replay {one.id}")


def _under(one: Incident) -> str:
    return f", under {one.rollout}" if one.rollout else ""


def _took(took_us: int) -> str:
    return by_the_second(took_us) if took_us >= SECOND else "at once"


def _target(measure: Measure) -> str:
    return "next working day" if measure.target_us is None else rough_duration(measure.target_us)


def _met(measure: Measure) -> Text:
    if measure.met is None:
        return Text("" if measure.took_us is not None else "not told")
    return Text("in time", style="green") if measure.met else Text("late", style="bold red")


def print_timeline(events: list[RecordedEvent[Event]], since: Timestamp) -> None:
    """What happened, by how long before or after it began."""
    rows = [
        (event.position, relative(event.recorded_at - since), event.actor.id, sentence(event.event))
        for event in events
    ]
    print_table(("position", "", "actor", "what"), rows, "Nothing is told.")
