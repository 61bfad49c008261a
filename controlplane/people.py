"""Who is the same person, however written, and who is a person at all."""

import re
import unicodedata
from collections.abc import Iterable

from controlplane.errors import InvalidInput, NotAPerson
from events.event import Actor

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\u0600-\u0605\u06dd\u070f\u08e2\u2800\ufff9-\ufffc\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt, Unicode 16), and what else
leaves no mark. Letters of other alphabets that look alike are not folded."""


def plain(id_: str) -> str:
    """As it looks: without case, width, what cannot be seen, and spaces but single ones inside."""
    while True:
        seen = unicodedata.normalize("NFKC", _INVISIBLE.sub("", id_)).casefold()
        seen = " ".join(seen.split())
        seen = unicodedata.normalize("NFKC", seen)
        if seen == id_:
            return seen
        id_ = seen


def is_one_of(id_: str, others: Iterable[str]) -> bool:
    """Whether it is one of these people."""
    return plain(id_) in {plain(other) for other in others}


def refuse_machines(actor: Actor) -> None:
    """Raise NotAPerson for a part of the control plane."""
    if actor.kind not in ("person", "token") or not plain(actor.id):
        raise NotAPerson(actor=actor.id)


def require_reason(what: str, reason: str) -> None:
    """Raise InvalidInput where nothing is said."""
    if not reason.strip():
        raise InvalidInput(reason=f"say why: {what} needs a reason")
