"""How the terminal is spoken to: tables for people, JSON for machines, one line for errors."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from controlplane import clock as edge
from controlplane.advice import at_terminal
from controlplane.cli.texts import STYLES, clean, styled, to_json, when
from controlplane.errors import ControlPlaneError, InvalidInput
from controlplane.plane import ControlPlane
from controlplane.settings import load
from events.timestamps import Timestamp

__all__ = [
    "STYLES",
    "Actor",
    "Chosen",
    "Json",
    "Reason",
    "RefusingGroup",
    "clean",
    "console",
    "errors",
    "line",
    "opened",
    "parse_attributes",
    "print_json",
    "print_table",
    "progress",
    "remark",
    "say",
    "scalar",
    "styled",
    "to_json",
    "when",
    "who",
    "who_exactly",
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Actor = Annotated[
    str, typer.Option("--actor", help="Who acts.", show_default="the name you are logged in under")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]

_UNBROKEN = 100_000
"""Columns that no row fills."""

# Piped, nothing needs to fit a screen: a line stays a line.
console = Console(width=None if sys.stdout.isatty() else 400)
errors = Console(stderr=True)


class Chosen:
    """Which database and environment this invocation speaks of; its time and its identifiers."""

    database: str | None = None
    environment: str | None = None
    clock: ClassVar[Callable[[], Timestamp]] = staticmethod(edge.now)
    new_id: ClassVar[Callable[[], str]] = staticmethod(edge.new_id)


@contextmanager
def opened(*, may_create: bool = False) -> Iterator[ControlPlane]:
    """The control plane that the options or the environment name.

    A SQLite file that is not there is refused, unless the command is one to begin with: a wrong
    path would be an empty database, in which nothing happened and all is intact.
    """
    if not may_create:
        _refuse_missing(load(database_url=Chosen.database).database_url)
    with ControlPlane(
        Chosen.database,
        environment=Chosen.environment,
        clock=Chosen.clock,
        new_id=Chosen.new_id,
    ) as plane:
        yield plane


def _refuse_missing(url: str) -> None:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return  # Opening it says what is wrong with it.
    name = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or name.startswith((":memory:", "file:")):
        return
    if not (file := Path(name).absolute()).exists():
        raise InvalidInput(
            reason=f"there is no database {file}: name the one you mean, --database sqlite:///FILE "
            "or CONTROLPLANE_DATABASE_URL; controlplane serve, flags create and db upgrade make one"
        )


def who(actor: str) -> str:
    """The actor that a command names, the environment sets, or the system knows."""
    if named := actor or load().actor:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # A container's user may have no name.
        raise InvalidInput(reason="say who acts: --actor NAME, or CONTROLPLANE_ACTOR") from error


def who_exactly(actor: str) -> str:
    """The actor that a command or the environment names: nobody approves by leaving it out."""
    if named := actor or load().actor:
        return named
    raise InvalidInput(reason="say who approves: --actor NAME, or CONTROLPLANE_ACTOR")


def line(text: object) -> None:
    """One line for people, never broken: commands in it can be copied."""
    console.print(clean(text), soft_wrap=True)


def remark(text: object) -> None:
    """One line for people beside what a script takes from standard output: on standard error."""
    errors.print(clean(text), soft_wrap=True)


def print_json(data: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(to_json(data, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table, or a sentence where there is nothing to show. Only the last column may wrap."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column is not columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else clean(cell) for cell in row))
    if not table.row_count:
        console.print(empty)
    elif console.is_terminal:
        console.print(table)
    else:
        _print_unbroken(table)


def _print_unbroken(table: Table) -> None:
    """For a pipe: each row a line, however long, and nothing behind its last word."""
    unbroken = Console(file=StringIO(), width=_UNBROKEN)
    with unbroken.capture() as printed:
        unbroken.print(table)
    sys.stdout.write("".join(row.rstrip() + "\n" for row in printed.get().splitlines()))


def say(text: str, as_json: bool, data: Callable[[], object]) -> None:  # noqa: FBT001  why: --json
    """One line for people, or the data."""
    if as_json:
        print_json(data())
    else:
        line(text)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, for work that takes a while."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    unseen = not errors.is_terminal
    with Progress(*columns, console=errors, transient=True, disable=unseen) as bar:
        task = bar.add_task(label, total=None)

        def moved(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield moved


def parse_attributes(pairs: Sequence[str]) -> dict[str, Any]:
    """`group=internal age=30 beta=true`: numbers and booleans are taken as such."""
    attributes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(reason=f"{pair!r} is no attribute; write name=value")
        attributes[name] = scalar(value)
    return attributes


def scalar(text: str) -> str | int | float | bool:
    """A number or a boolean where the text is one; `2.10` stays text, and so does `"2.9"`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str):
        return value  # In quotes: text, though it look like a number.
    return value if isinstance(value, int | float) and json.dumps(value) == text else text


class RefusingGroup(typer.core.TyperGroup):
    """Turns a refusal into one line on standard error and exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # A pipe that was closed shows here, not when Python ends.
        except ControlPlaneError as error:
            _refuse(error, at_terminal(error))
        except BrokenPipeError:
            # Who read us has seen enough. What is left to write goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            _refuse(error, str(error))
        return result


def _refuse(error: Exception, said: str) -> NoReturn:
    errors.print(Text.assemble(("error: ", "bold red"), clean(said)), soft_wrap=True)
    raise typer.Exit(1) from error
