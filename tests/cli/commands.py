"""Every command there is, from the application itself."""

from collections.abc import Iterator

import typer
from typer.main import get_command

from controlplane.cli import app


def commands() -> dict[tuple[str, ...], set[str]]:
    """Its words, and its options."""
    return dict(_walk(get_command(app), ()))


def _walk(
    command: typer.core.TyperGroup | typer.core.TyperCommand, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    if isinstance(command, typer.core.TyperGroup):
        for name, below in command.commands.items():
            yield from _walk(below, (*words, name))
    else:
        yield words, {option for parameter in command.params for option in parameter.opts}
