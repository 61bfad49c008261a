"""What people and rules wrote into events: reasons, notes, what was found."""

from typing import Any

import msgspec

from events.catalog import CATALOG

FIELDS = frozenset({"reason", "note", "summary", "detail", "description"})


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
