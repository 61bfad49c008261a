"""`controlplane flags …`."""

from typing import Annotated, get_args

import typer

from controlplane.bucketing import Explanation
from controlplane.cli import reverting, variants
from controlplane.cli.history import print_events
from controlplane.cli.output import (
    Actor,
    Json,
    Reason,
    line,
    opened,
    parse_attributes,
    print_json,
    print_table,
    say,
    scalar,
    to_json,
    when,
    who,
)
from controlplane.cli.past import At, as_of, folded
from controlplane.errors import InvalidInput
from controlplane.sentences import answers
from controlplane.views import event_view, explanation_view, flag_view
from events.flags import EVERYONE, Audience, Condition, Operator
from projections.flags import Flag

app = typer.Typer(help="Who gets the new code.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The flag.")]
Unit = Annotated[str, typer.Argument(help="The user id, or whatever the flag buckets by.")]
Percent = Annotated[float, typer.Option("--percentage", help="0 to 100, in steps of 0.001.")]
AudienceName = Annotated[str, typer.Option("--audience", help="The audience's name.")]
Where = Annotated[
    list[str],
    typer.Option(help="'ATTRIBUTE OPERATOR VALUE', as in 'group equals internal'. Repeatable."),
]
Attributes = Annotated[list[str], typer.Option("--attribute", "-a", help="name=value. Repeatable.")]


@app.command("list")
def list_(*, at: At = None, as_json: Json = False) -> None:
    """List all flags."""
    with folded(at, as_json=as_json) as asked:
        flags = asked.flags.all()
    if as_json:
        print_json([flag_view(flag) for flag in flags])
        return
    rows = [
        (flag.name, _state(flag), _exposures(flag), flag.rollout or "", flag.owner)
        for flag in flags
    ]
    hint = "No flags yet. Create one: controlplane flags create NAME --owner TEAM"
    print_table(("flag", "state", "exposure", "rollout", "owner"), rows, hint)


def _state(flag: Flag) -> str:
    return "archived" if flag.archived else "on" if flag.enabled else "off"


def _exposures(flag: Flag) -> str:
    return ", ".join(f"{e.percentage:g} % of {e.audience.name}" for e in flag.exposures) or "0 %"


def _tell(flag: Flag, *, as_json: bool) -> None:
    say(f"{flag.name} is {_state(flag)}: {_exposures(flag)}", as_json, lambda: flag_view(flag))


@app.command()
def show(name: Name, *, at: At = None, as_json: Json = False) -> None:
    """Show one flag."""
    with as_of(at, as_json=as_json) as asked:
        flag = asked.flags.get(name)
    if as_json:
        print_json(flag_view(flag))
        return
    _tell(flag, as_json=False)
    lines = {
        "owner": flag.owner,
        "description": flag.description,
        "tags": ", ".join(flag.tags),
        "answers": answers(flag.kind, flag.variants, flag.default),
        "rollout": flag.rollout,
        "buckets by": f"{flag.algorithm}, salt {flag.salt}",
        "changed": when(flag.changed_at),
    }
    for label, value in lines.items():
        if value:
            line(f"  {label}: {value}")


@app.command()
def create(
    name: Name,
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    *,
    description: str = "",
    salt: Annotated[str, typer.Option(help="Flags with one salt bucket alike.")] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Create a flag, off for everyone."""
    with opened(may_create=True) as plane:
        flag = plane.flags.create(
            name, owner=owner, description=description, salt=salt, actor=who(actor)
        )
        _tell(flag, as_json=as_json)


@app.command()
def describe(
    name: Name,
    *,
    owner: str | None = None,
    description: str | None = None,
    tag: Annotated[list[str] | None, typer.Option(help="All its tags. Repeatable.")] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Change owner, description or tags."""
    with opened() as plane:
        flag = plane.flags.describe(
            name,
            owner=owner,
            description=description,
            tags=None if tag is None else tuple(tag),
            actor=who(actor),
        )
        _tell(flag, as_json=as_json)


@app.command()
def enable(
    name: Name,
    percentage: Percent,
    *,
    audience: AudienceName = EVERYONE.name,
    where: Where = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    reason: Reason = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Switch a flag on at a percentage of an audience."""
    with opened() as plane:
        flag = plane.flags.enable(
            name,
            percentage=percentage,
            audience=_audience(audience, where),
            reason=reason,
            actor=who(actor),
        )
        _tell(flag, as_json=as_json)


@app.command("set")
def set_(
    name: Name,
    percentage: Percent,
    *,
    audience: AudienceName = EVERYONE.name,
    where: Where = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    reason: Reason = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Move the percentage of a flag that is on."""
    with opened() as plane:
        flag = plane.flags.set_percentage(
            name,
            percentage,
            audience=_audience(audience, where),
            reason=reason,
            actor=who(actor),
        )
        _tell(flag, as_json=as_json)


@app.command()
def disable(name: Name, *, reason: Reason = "", actor: Actor = "", as_json: Json = False) -> None:
    """Switch a flag off for everyone, at once. A running rollout is thereby rolled back."""
    with opened() as plane:
        _tell(plane.flags.disable(name, reason=reason, actor=who(actor)), as_json=as_json)


@app.command()
def archive(name: Name, *, reason: Reason = "", actor: Actor = "", as_json: Json = False) -> None:
    """Retire a flag; it stays off for ever."""
    with opened() as plane:
        _tell(plane.flags.archive(name, reason=reason, actor=who(actor)), as_json=as_json)


@app.command()
def history(name: Name, *, as_json: Json = False) -> None:
    """Show everything that ever happened to a flag."""
    with opened() as plane:
        events = plane.flags.history(name)
    if as_json:
        print_json([event_view(event) for event in events])
        return
    print_events(events)


@app.command()
def check(
    name: Name,
    unit: Unit,
    *,
    attribute: Attributes = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    as_json: Json = False,
) -> None:
    """Say on or off for a unit."""
    with opened() as plane:
        answer = plane.flags.is_enabled(name, unit, parse_attributes(attribute))
    say("on" if answer else "off", as_json, lambda: {"enabled": answer})


@app.command()
def explain(
    name: Name,
    unit: Unit,
    *,
    attribute: Attributes = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    at: At = None,
    as_json: Json = False,
) -> None:
    """Say what a unit gets, or would have got: on or off, or which variant; and why."""
    with as_of(at, as_json=as_json) as asked:
        found = asked.flags.explain(name, unit, parse_attributes(attribute))
    say(
        f"{name} {'is' if at is None else 'was'} {_answer(found)} for {unit}: {found.sentence} "
        f"(as of position {found.position})",
        as_json,
        lambda: explanation_view(found),
    )


def _answer(found: Explanation) -> str:
    """On or off; the variant and its value where that does not say it all."""
    word = "on" if found.enabled else "off"
    if found.variant is None or (found.variant, found.value) == (word, found.enabled):
        return word
    return f"{word}, {found.variant} = {to_json(found.value)},"


def _audience(name: str, where: list[str]) -> Audience:
    return Audience(name, tuple(_condition(text) for text in where))


_OPERATORS: dict[str, Operator] = {name: name for name in get_args(Operator)}


def _condition(text: str) -> Condition:
    attribute, _, rest = text.partition(" ")
    word, _, value = rest.strip().partition(" ")
    operator = _OPERATORS.get(word)
    if operator is None or not value:
        raise InvalidInput(
            reason=f"{text!r} is no condition; write 'ATTRIBUTE OPERATOR VALUE' "
            f"with one of {', '.join(_OPERATORS)}"
        )
    if operator in ("in", "not_in"):
        several = tuple(scalar(part.strip()) for part in value.split(","))
        return Condition(attribute, operator, several)
    if operator.startswith("version_"):
        return Condition(attribute, operator, value.strip())  # 2.9 is a version, no number.
    return Condition(attribute, operator, scalar(value.strip()))


app.add_typer(variants.app)
app.add_typer(reverting.app)
