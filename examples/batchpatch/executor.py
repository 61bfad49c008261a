"""EXECUTOR, the third layer: the new document in one pass, and the way back."""

from dataclasses import dataclass

from batchpatch.patch import Patch, PatchError


@dataclass(frozen=True, slots=True)
class Applied:
    """The new text, and the patches that turn it into the old one."""

    text: str
    undo: tuple[Patch, ...]


def execute(document: str, plan: tuple[Patch, ...]) -> Applied:
    """Apply a normalised plan. Raises PatchError, with nothing done, if it does not fit.

    The guard is not for callers, whose patches SEMANTICS has seen: a slice of a str never
    complains, so a bug in an earlier layer would silently garble the text.
    """
    pieces: list[str] = []
    undo: list[Patch] = []
    cursor = shift = 0
    for patch in plan:
        if not cursor <= patch.start <= patch.end <= len(document):
            raise PatchError(f"{patch} does not fit after {cursor} of {len(document)} characters")
        pieces += (document[cursor : patch.start], patch.text)
        start = patch.start + shift
        replaced = document[patch.start : patch.end]
        undo.append(Patch.between(start, start + len(patch.text), replaced))
        cursor = patch.end
        shift += patch.growth
    pieces.append(document[cursor:])
    return Applied("".join(pieces), tuple(undo))
