"""`controlplane flags …`: what a flag can answer."""

import json
import re
from typing import Annotated, Any

import typer

from controlplane.cli.output import (
    Actor,
    Json,
    Reason,
    line,
    opened,
    print_json,
    print_table,
    say,
    to_json,
    who,
)
from controlplane.errors import InvalidInput
from controlplane.sentences import answers
from controlplane.views import flag_view, variants_view
from events.flags import FlagKind, Variant

app = typer.Typer()

_DEFINITION = re.compile(r"([^:=]+)(?::([0-9]{1,20}))?=(.*)", re.DOTALL)

Name = Annotated[str, typer.Argument(help="The flag.")]
Kind = Annotated[FlagKind, typer.Option(help="What all its values are.")]
Definitions = Annotated[
    list[str],
    typer.Option(
        "--variant",
        help="NAME=VALUE or NAME:WEIGHT=VALUE, as in blue:50='#00f'. Repeatable, in order.",
    ),
]
Default = Annotated[str, typer.Option(help="The variant of whoever the flag does not serve.")]


@app.command()
def variants(name: Name, *, as_json: Json = False) -> None:
    """Show what a flag can answer, and by which weights."""
    with opened() as plane:
        flag = plane.flags.get(name)
    view = variants_view(flag)
    if as_json:
        print_json(view)
        return
    line(f"{name} answers {flag.kind}s")
    rows = [
        (
            one["name"],
            one["weight"],
            f"{one['share']:.4g} %",
            "default" if one["name"] == flag.default else "",
            to_json(one["value"]),
        )
        for one in view["variants"]
    ]
    print_table(("variant", "weight", "share", "", "value"), rows, "")


@app.command()
def define_variants(
    name: Name,
    kind: Kind,
    variant: Definitions,
    default: Default,
    *,
    reason: Reason = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Say anew what a flag can answer: all its variants."""
    with opened() as plane:
        flag = plane.flags.define_variants(
            name,
            kind=kind,
            variants=[_variant(kind, text) for text in variant],
            default=default,
            reason=reason,
            actor=who(actor),
        )
    words = answers(flag.kind, flag.variants, flag.default)
    say(f"{name} answers {words}", as_json, lambda: flag_view(flag))


def _variant(kind: FlagKind, text: str) -> Variant:
    """No name has a colon or an equals sign, so the value may have any."""
    found = _DEFINITION.fullmatch(text)
    if found is None:
        raise InvalidInput(
            reason=f"{text!r:.100} is no variant; write NAME=VALUE or NAME:WEIGHT=VALUE, "
            "as in blue:50='#00f'"
        )
    name, weight, value = found.groups()
    return Variant(name, _value(kind, value), int(weight or 1))


def _value(kind: FlagKind, text: str) -> Any:
    """A string stands as it is, or as JSON in double quotes; anything else is JSON."""
    if kind == "string" and not text.startswith('"'):
        return text
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return text  # What it is not, a flag says better.


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two that bear one name, JSON would keep the last without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidInput(reason=f"an object has each of its names once: {', '.join(found):.100}")
    return found
