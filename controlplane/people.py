"""Who is the same person, however written, and who is a person at all."""

import unicodedata
from collections.abc import Iterable

from controlplane.errors import NotAPerson
from events.event import Actor


def plain(id_: str) -> str:
    """As it looks: without case, width, what cannot be seen, and spaces but single ones inside."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", id_).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


def is_one_of(id_: str, others: Iterable[str]) -> bool:
    """Whether it is one of these people."""
    return plain(id_) in {plain(other) for other in others}


def refuse_machines(actor: Actor) -> None:
    """Raise NotAPerson for a part of the control plane."""
    if actor.kind not in ("person", "token"):
        raise NotAPerson(actor=actor.id)
