"""What a report says, before it is HTML or Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from events.timestamps import Timestamp

Tone = Literal["", "good", "bad", "warn", "quiet"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, and how it is shown."""

    text: str
    tone: Tone = ""
    code: bool = False


AnyCell = Cell | str | int


@dataclass(frozen=True, slots=True)
class Heading:
    """Of a part, or within one."""

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so, by name."""

    facts: Sequence[tuple[str, AnyCell]]


@dataclass(frozen=True, slots=True)
class Seals:
    """What was proven, each with whether it holds."""

    seals: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, or a sentence where there are none."""

    columns: Sequence[str]
    rows: Sequence[Sequence[AnyCell]]
    empty: str = "None."


@dataclass(frozen=True, slots=True)
class Commands:
    """To be copied into a terminal."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Steps:
    """A quantity in percent over time: from each moment on, up to `end`."""

    steps: Sequence[tuple[Timestamp, float, bool]]
    """The moment, the percentage, and whether it was a fall to nothing."""
    marks: Sequence[tuple[Timestamp, str]]
    """What began when."""
    end: Timestamp


Block = Heading | Text | Facts | Seals | Table | Commands | Steps


@dataclass(frozen=True, slots=True)
class Document:
    """A report as it is read."""

    title: str
    subtitle: str
    outcome: Cell
    blocks: Sequence[Block]
    colophon: str
    """What stands at its end, and on each page of it."""


def cell(given: AnyCell) -> Cell:
    """With or without a look of its own."""
    return given if isinstance(given, Cell) else Cell(str(given))
