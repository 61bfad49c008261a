"""What people and rules wrote into events: reasons, notes, what was found."""

import re
from typing import Any

import msgspec

from events.catalog import CATALOG

FIELDS = frozenset({"reason", "note", "summary", "detail", "description"})

_PLAIN = re.compile(r"[bcdegmopqruvxz0-9 .,:;()#+=@-]+")
"""Folded, each of these comes from one letter of ASCII alone, and JSON has it as it is. Of the
others there is more: "K" is a sign for kelvin, too, and an "i" may be a part of "ﬁ"."""
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


def plain(text: str) -> str:
    """The longest part of a text that JSON has as it is, or in capitals; it may be empty.

    What has neither this nor an escaped letter does not say the text: a database can tell.
    """
    return max(_PLAIN.findall(text.casefold()), key=len, default="")[:_LONGEST]
