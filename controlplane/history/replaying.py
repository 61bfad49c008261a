"""Going through a stretch of a log again. It reads, and there is nothing here that could write."""

from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.history.pictures import Picture, picture
from controlplane.reading import Getting
from events.concerning import flag_of
from events.event import Event, RecordedEvent
from events.timestamps import Timestamp
from projections.changes import Change
from projections.frames import Frame, Stepping, altered, frames
from projections.replay import History
from projections.timelines import about, elsewhere, stretch

Recorded = RecordedEvent[Event]


@dataclass(frozen=True, slots=True)
class Scene:
    """One event, what it altered, and what could then be seen of its flag."""

    event: Recorded
    changes: tuple[Change, ...]
    picture: Picture | None
    """None where the event is about no flag."""


@dataclass(frozen=True)
class Replay:
    """A stretch of a log, of one flag or of all; iterating it gives its frames.

    Frames are made when they are asked for; the log is not touched.
    """

    title: str
    history: History
    flag: str | None
    """None: of all flags."""
    start: int
    """The log position after which it begins."""
    end: int
    """The log position with which it ends."""
    zero: Timestamp | None = None
    """The moment that times are told from: when an incident was opened."""
    complete_from: int | None = None
    """Of a file: above this position all about the flag is there. None: all of it always was."""

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, after: int = 0) -> Iterator[Frame]:
        """Each event, the world as of it, and what it altered; from a position on."""
        return frames(self.history, self.events(after))

    def events(self, after: int = 0) -> Iterator[Recorded]:
        """Its events, in order of the log; from a position on."""
        found = stretch(self.history.log, max(self.start, after), self.end)
        if self.flag is None:
            return found
        return about(self.flag, found, elsewhere(self.flag, self.history.log))

    def scenes(self, after: int = 0) -> Iterator[Scene]:
        """Each event with what it altered and a picture of its flag, from a position on.

        Quicker than frames where all of them are wanted: one is made from the one before.
        """
        stepping: Stepping | None = None
        for event in self.events(after):
            stepping = stepping or Stepping(self.history, event.position - 1)
            changes = tuple(altered(stepping, event))
            yield Scene(event, changes, self._picture(stepping, event))

    def scene(self, event: Recorded) -> Scene:
        """The same of one of its events, wherever it lies."""
        stepping = Stepping(self.history, event.position - 1)
        changes = tuple(altered(stepping, event))
        return Scene(event, changes, self._picture(self.history.at(event.position), event))

    def _picture(self, reading: Getting, event: Recorded) -> Picture | None:
        flag = self.flag or flag_of(event.event)
        return picture(reading, flag, event.recorded_at) if flag else None
