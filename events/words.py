"""What people and rules wrote into events: reasons, notes, what was found."""

import re
from typing import Any

import msgspec

from events.catalog import CATALOG

FIELDS = frozenset({"reason", "note", "summary", "detail", "description"})

_ASCII = re.compile(r'[^\0-\x1f"%/\\_\x7f-\U0010ffff]+')
"""What JSON has as it is, and no database takes for a pattern."""
_PLAIN = re.compile(_ASCII.pattern.replace("[^", "[^afhijklnstwy"))
"""Folded, each of these comes from one letter of ASCII alone. Of the others there are more: "K" is
a sign for kelvin, too, and an "i" may be a part of a ligature."""
_LONGEST = 100
"""A database takes no pattern of any length."""


class _Words(msgspec.Struct):
    reason: Any = ""
    note: Any = ""
    summary: Any = ""
    detail: Any = ""
    description: Any = ""


_DECODER = msgspec.json.Decoder(_Words)


def speaks(type_: str) -> bool:
    """Whether events of this type may have words; of a type that is not known today, they may."""
    cls = CATALOG.get(type_)
    return cls is None or not FIELDS.isdisjoint(cls.__struct_fields__)


def says(data: str, text: str) -> bool:
    """Whether stored JSON says a text in one of its words, in upper or lower case."""
    words = _DECODER.decode(data)
    wanted = text.casefold()
    return any(
        isinstance(word := getattr(words, name), str) and wanted in word.casefold()
        for name in FIELDS
    )


def ascii_part(text: str) -> str:
    """The longest part of a text that JSON in ASCII has, in upper or lower case; may be empty.

    JSON with neither this, nor an escaped letter, nor one beyond ASCII does not say the text.
    """
    return _longest(_ASCII, text)


def plain_part(text: str) -> str:
    """The longest part of a text that any JSON without an escaped letter has, in either case."""
    return _longest(_PLAIN, text)


def _longest(pattern: re.Pattern[str], text: str) -> str:
    return max(pattern.findall(text.casefold()), key=len, default="")[:_LONGEST]
