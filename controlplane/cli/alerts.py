"""`controlplane alerts …`."""

from typing import Annotated

import typer

from controlplane.cli.output import (
    Actor,
    Json,
    console,
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
from controlplane.errors import InvalidInput
from controlplane.rules.catalog import WATCHED
from controlplane.views import alert_view, rule_view
from projections.alerts import Alert

app = typer.Typer(help="What is wrong, and who is on it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The alert, as in FLAG/RULE/1.")]


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Resolved ones, too.")] = False,
    at: At = None,
    as_json: Json = False,
) -> None:
    """List the open alerts."""
    with folded(at, as_json=as_json) as asked:
        alerts = asked.alerts.all() if every else asked.alerts.open()
    if as_json:
        print_json([alert_view(alert) for alert in alerts])
        return
    rows = [(a.id, styled(a.severity), _state(a), when(a.raised_at), a.summary) for a in alerts]
    print_table(
        ("alert", "severity", "state", "raised", "because"),
        rows,
        f"No alert {'is' if at is None else 'was'} open.",
    )


def _state(alert: Alert) -> str:
    if not alert.open:
        return f"resolved: {alert.resolution}"
    return f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else "open"


def _tell(alert: Alert, *, as_json: bool) -> None:
    say(f"{alert.id} is {_state(alert)}", as_json, lambda: alert_view(alert))


@app.command()
def ack(
    alert: Id,
    *,
    note: Annotated[str, typer.Option(help="What you are about to do.")] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Say that you are on it."""
    with opened() as plane:
        _tell(plane.alerts.acknowledge(alert, actor=who(actor), note=note), as_json=as_json)


@app.command()
def resolve(
    alert: Id,
    reason: Annotated[str, typer.Option(help="The cause, and what was done.")],
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Close an alert by your word."""
    with opened() as plane:
        _tell(plane.alerts.resolve(alert, actor=who(actor), reason=reason), as_json=as_json)


@app.command()
def watch(*, as_json: Json = False) -> None:
    """Let every rule look once, as the scheduler does, and list what is open."""
    with opened() as plane:
        plane.alerts.watch()
    list_(as_json=as_json)


@app.command()
def rules(*, as_json: Json = False) -> None:
    """List the eight rules."""
    if as_json:
        print_json([rule_view(rule) for rule in WATCHED.values()])
        return
    rows = [(r.name, styled(r.severity), r.condition) for r in WATCHED.values()]
    print_table(("rule", "severity", "fires when"), rows, "")


@app.command()
def playbook(
    rule: Annotated[str, typer.Argument(help="The rule, as in ERROR_RATE_CRITICAL.")],
    *,
    as_json: Json = False,
) -> None:
    """Print what to do when a rule has fired."""
    found = WATCHED.get(rule.upper())
    if found is None:
        raise InvalidInput(reason=f"there is no rule {rule}; there are {', '.join(WATCHED)}")
    view = rule_view(found)
    if as_json:
        print_json(view)
        return
    line(f"{found.name} ({found.severity}): {found.condition}")
    console.print(
        f"  acknowledge within {view['acknowledge_within']}, resolve within "
        f"{view['resolve_within']}"
    )
    for number, step in enumerate(found.playbook, 1):
        line(f"  {number}. {step}")
