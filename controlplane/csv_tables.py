"""Tables for spreadsheets, in which no cell is a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also as wide as a Chinese letter, which some spreadsheets take for the same."""


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180, UTF-8. What people wrote into the log must not run where an auditor opens it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """The value; text that a spreadsheet would compute stands behind an apostrophe."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = "".join("�" if _steers(c) else c for c in value)
    begins = text.replace("�", " ").lstrip().startswith(_BEGINS_A_FORMULA)
    return f"'{text}" if begins else text


def _steers(character: str) -> bool:
    """Whether it would steer a terminal, or show text otherwise than it is."""
    return character != "\n" and unicodedata.category(character)[0] == "C"
