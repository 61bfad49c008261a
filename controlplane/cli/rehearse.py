"""`controlplane rehearse`: what other plans and rules would have decided."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from controlplane.cli.output import Json, line, opened, print_json, print_table, progress, when
from controlplane.cli.past import place
from controlplane.errors import InvalidInput
from controlplane.plane.rehearsals import rulebook
from controlplane.rehearsal.outcomes import Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.tallies import Rehearsal, Tally
from controlplane.rehearsing_views import (
    reason,
    rehearsal_view,
    saved_sentence,
    sentence,
    stop_sentence,
)

_MOST_SHOWN = 20
"""Decisions that differ; the rest is counted, and in the JSON."""


def rehearse(
    *,
    plan: Annotated[
        list[Path] | None, typer.Option(help="A plan to try; several, side by side.")
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="Alert rules to try; several, side by side.")
    ] = None,
    rollout: Annotated[str | None, typer.Option(help="Of this rollout.")] = None,
    incident: Annotated[str | None, typer.Option(help="Of what this incident was in.")] = None,
    since: Annotated[str | None, typer.Option(help="From a moment or log position on.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to a moment or log position.")] = None,
    flag: Annotated[str | None, typer.Option(help="Only of this flag.")] = None,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds between looks beside those recorded.")
    ] = 60,
    as_json: Json = False,
) -> None:
    """Decide again, of what was recorded, under other plans and alert rules. Nothing is changed.

    Without a rollout, an incident or a time: of all history.
    """
    rulebooks = _rulebooks(plan or [], rules or [])
    with opened() as plane, progress("deciding again") as moved:
        found = plane.rehearse(
            rulebooks=rulebooks,
            rollout=rollout,
            incident=incident,
            since=None if since is None else place(since),
            until=None if until is None else place(until),
            flag=flag,
            every=every,
            progress=moved,
        )
    if as_json:
        print_json(rehearsal_view(found))
    else:
        _print(found)


def _rulebooks(plans: Sequence[Path], rules: Sequence[Path]) -> list[Rulebook]:
    """Each plan with each set of rules."""
    if not plans and not rules:
        raise InvalidInput(reason="say what to try: --plan FILE, --rules FILE, or both")
    nothing: list[Path | None] = [None]
    tried = product(plans or nothing, rules or nothing)
    found = [rulebook(plan, of_alerts) for plan, of_alerts in tried]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise InvalidInput(reason="files are told apart by their names: give each its own")
    return found


def _print(found: Rehearsal) -> None:
    tallies = found.tallies
    if len(found.outcomes) > 1:
        _print_tallies(found, tallies)
        line("")
    if len(found.outcomes) == len(tallies):
        for outcome in found.outcomes:
            _print_whole(outcome)
    else:
        _print_each(found)


def _print_tallies(found: Rehearsal, tallies: Sequence[Tally]) -> None:
    first = tallies[0]
    line(
        f"{_cases(first.wrong + first.quiet)} up to log position {found.position}: {first.wrong} "
        f"went wrong ({first.failed} failed executions), {first.quiet} did not"
    )
    print_table(
        ("", "same", "exact", "unknown", "halts earlier", "alike", "not told", "held up",
         "saves", "false alarms", "delayed", "alerts"),
        map(_row, tallies),
        "",
    )  # fmt: skip


def _print_each(found: Rehearsal) -> None:
    print_table(
        ("case", "went", "tried", "answer", "why"),
        (
            (
                outcome.case.name,
                "wrong" if outcome.case.went_wrong else "well",
                outcome.rulebook,
                sentence(outcome),
                reason(outcome).partition("; ")[0],
            )
            for outcome in found.outcomes
        ),
        "",
    )


def _cases(number: int) -> str:
    return f"{number} case{'' if number == 1 else 's'}"


def _row(tally: Tally) -> tuple[object, ...]:
    return (
        tally.rulebook,
        tally.same,
        tally.exact,
        tally.unknown,
        f"{tally.caught_earlier} of {tally.wrong}",
        tally.caught_alike,
        tally.not_told,
        tally.held_up,
        f"{tally.failed_saved} of {tally.failed}",
        f"{tally.false_alarms} of {tally.quiet}",
        f"{tally.delayed} of {tally.quiet}",
        tally.alerts,
    )


def _print_whole(outcome: Outcome) -> None:
    line(f"{outcome.rulebook} on {outcome.case.name}: {sentence(outcome)}")
    for stop in outcome.stops:
        line(f"  {when(stop.at)} position {stop.position} {stop_sentence(stop)}")
    if outcome.beyond is not None:
        beyond = outcome.beyond
        line(f"  {when(beyond.at)} position {beyond.position} not told from here: {beyond.reason}")
    if outcome.stops:
        line(f"  {saved_sentence(outcome)}")
    for one in outcome.departures[:_MOST_SHOWN]:
        line(
            f"  {when(one.at)} position {one.position} recorded: {one.recorded}; "
            f"here: {one.rehearsed}"
        )
    if len(outcome.departures) > _MOST_SHOWN:
        line(f"  and {len(outcome.departures) - _MOST_SHOWN} more decisions that differ: --json")
