"""What there is room for on a screen of any size."""

from dataclasses import dataclass

FRAME_LINES = 2
FRAME_COLUMNS = 4
FOOTER = 1
_MOST_CHANGES = 6
_LEAST_BODY = 4
"""A frame with two lines in it: less is not worth the room."""
_SIDE_BY_SIDE = 72
"""Columns from which on two frames can stand beside each other."""
_WIDE = 96
_STACKED = 18
_AIRY = 30
_LOW = 13


@dataclass(frozen=True, slots=True)
class Room:
    """What there is room for on a screen."""

    width: int
    height: int

    @property
    def header(self) -> int:
        """Lines for where it stands."""
        return 3 if self.height >= _AIRY else 2

    @property
    def sentence(self) -> int:
        """Lines for what the present event says."""
        return 2 if self.height >= _LOW else 1

    @property
    def changes(self) -> int:
        """Lines for what it altered. The same for each event: a screen that jumps tires."""
        return max(0, min(_MOST_CHANGES, self.height // 5 - 2))

    @property
    def told(self) -> int:
        """Lines for the present event, with their frame."""
        return self.sentence + self.changes + FRAME_LINES

    @property
    def body(self) -> int:
        """Lines for the state and the events; 0: there is none."""
        left = self.height - self.header - FOOTER - self.told
        return left if left >= _LEAST_BODY else 0

    @property
    def is_wide(self) -> bool:
        """Whether words need not be saved."""
        return self.width >= _WIDE

    @property
    def is_side_by_side(self) -> bool:
        """Whether the events stand beside the state."""
        return self.width >= _SIDE_BY_SIDE

    @property
    def state(self) -> tuple[int, int]:
        """Columns and lines within the frame of the state."""
        width = self.width // 2 if self.is_side_by_side else self.width
        lines = self.body - self.events if self.is_stacked else self.body
        return width - FRAME_COLUMNS, lines - FRAME_LINES

    @property
    def is_stacked(self) -> bool:
        """Whether they stand below it."""
        return not self.is_side_by_side and self.body >= _STACKED

    @property
    def events(self) -> int:
        """Lines for the events around the present one, with their frame."""
        if self.is_side_by_side:
            return self.body
        return self.body // 3 + 1 if self.is_stacked else 0
