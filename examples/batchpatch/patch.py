"""What a caller hands in: patches to one text document.

Positions count characters of the ORIGINAL document, so the patches of a batch do not
depend on one another.
"""

from dataclasses import dataclass
from enum import Enum
from operator import attrgetter

by_position = attrgetter("start", "end")
"""Sort key: an insert comes before the range that starts where it inserts."""


class PatchError(ValueError):
    """A batch that cannot be applied; the message says which patch, and why."""


class Operation(Enum):
    """What a patch does to its range."""

    REPLACE = "replace"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Patch:
    """Put `text` in the place of the characters start..end (half-open).

    Any values can be held: whether they make sense is for the SEMANTICS layer to say.
    """

    operation: Operation
    start: int
    end: int
    text: str

    @classmethod
    def between(cls, start: int, end: int, text: str) -> "Patch":
        """Return the patch for this change, its operation read off from its shape."""
        if start == end:
            return cls(Operation.INSERT, start, end, text)
        return cls(Operation.REPLACE if text else Operation.DELETE, start, end, text)

    @property
    def growth(self) -> int:
        """Characters by which the patch makes a document longer."""
        return len(self.text) - (self.end - self.start)

    def problem(self, length: int) -> str | None:
        """Say why the patch means nothing in a document of `length` characters, if so."""
        if not 0 <= self.start <= self.end <= length:
            return f"the range is not inside the document of {length} characters"
        spans, writes = self.start < self.end, bool(self.text)
        match self.operation:
            case Operation.INSERT if spans or not writes:
                return "an insert has text and an empty range"
            case Operation.DELETE if writes or not spans:
                return "a delete has a range and no text"
            case Operation.REPLACE if not (writes and spans):
                return "a replace has a range and text"
        return None

    def __str__(self) -> str:
        return f"{self.operation.value} {self.start}..{self.end}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Patches to apply to one document: all of them, or none.

    `expected`, where known, is the text that must come out.
    """

    document: str
    patches: tuple[Patch, ...]
    expected: str | None = None
    label: str = ""


def collide(earlier: Patch, later: Patch) -> bool:
    """Whether two patches, in order of position, claim the same place.

    Two inserts at one point collide: nothing says which text comes first.
    """
    same_point = earlier.start == earlier.end == later.start == later.end
    return same_point or later.start < earlier.end
