"""A report in Markdown: what was written into the log is text there, and nothing else."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from controlplane.reports.blocks import (
    AnyCell,
    Block,
    Cell,
    Commands,
    Document,
    Facts,
    Heading,
    Seals,
    Steps,
    Table,
    Text,
    cell,
)
from events.timestamps import to_iso

_SPECIAL = re.compile(
    r"([\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|@|(?<=www)\.|^[#+=-]|^\d+[.)])",
    re.IGNORECASE,
)
"""What begins something in Markdown, where it does: emphasis, code, tables, links by themselves."""
_MARKS = {"good": "✓ ", "bad": "✗ ", "warn": "", "quiet": "", "": ""}


def to_markdown(document: Document) -> str:
    """The whole report."""
    head = [f"# {_plain(document.title)}", f"{_plain(document.subtitle)}", _bold(document.outcome)]
    blocks = [text for block in document.blocks if (text := _block(block))]
    return "\n\n".join([*head, *blocks, "---", _plain(document.colophon)]) + "\n"


def _bold(outcome: Cell) -> str:
    return f"**{_plain(outcome.text)}**"


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            return f"{'#' * level} {_plain(text)}"
        case Text(text=text):
            return _plain(text)
        case Facts(facts=facts) | Seals(seals=facts):
            return "\n".join(f"- {_plain(name)}: {_cell(value)}" for name, value in facts)
        case Table(columns=columns, rows=rows, empty=empty):
            return "\n".join(_table(columns, rows)) if rows else _plain(empty)
        case Commands(lines=lines):
            return "\n".join(["```console", *(f"$ {visible(line)}" for line in lines), "```"])
        case Steps(steps=steps):
            return "\n".join(
                f"- {_plain(to_iso(at))}: {percentage:g} %" for at, percentage, _ in steps
            )


def _table(columns: Sequence[str], rows: Sequence[Sequence[AnyCell]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_plain, columns))} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(given: AnyCell) -> str:
    one = cell(given)
    if one.code:
        return f"`{visible(one.text).replace('`', '’')}`" if one.text else ""
    return _MARKS[one.tone] + _plain(one.text)


def _plain(text: str) -> str:
    """With nothing in it that Markdown would take for anything but letters."""
    return _SPECIAL.sub(_escaped, visible(text))


def _escaped(found: re.Match[str]) -> str:
    special = found[0]
    return f"{special[:-1]}\\{special[-1]}"  # Of a number, its point.


def visible(text: str) -> str:
    """On one line, and without characters that cannot be seen or show others otherwise."""
    line = " ".join(text.split())
    return "".join("�" if unicodedata.category(c)[0] == "C" else c for c in line)
